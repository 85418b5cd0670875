import { Button, SegmentedControl } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useLocation, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { tasksQuery } from "../api/queries.ts";
import { NewTaskModal } from "../features/tasks/new-task-modal.tsx";
import { TaskBoard } from "../features/tasks/task-board.tsx";
import { TaskFilters } from "../features/tasks/task-filters.tsx";
import { TaskTable } from "../features/tasks/task-table.tsx";
import { isFiltered, toTaskFilter } from "../features/tasks/task-search.ts";
import { TaskViews } from "../features/tasks/task-views.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { IconPlus } from "../ui/icons.ts";
import { PageHeader } from "../ui/page-header.tsx";
import { QueryError } from "../ui/query-error.tsx";
import { RowSkeletons } from "../ui/row-skeletons.tsx";
import { useMay } from "../features/shell/use-may.ts";
import "../features/tasks/tasks.css";

/** From here on the API does not count. */
const COUNTED = 1_000;

/** All tasks, filtered by what the URL says, as a table or a board. */
export function TasksPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/shell/tasks" });
  const navigate = useNavigate({ from: "/tasks" });
  const hash = useLocation({ select: (location) => location.hash });
  const [creating, create] = useDisclosure(false);
  const may = useMay("operate");
  const query = useInfiniteQuery({
    ...tasksQuery(toTaskFilter(search)),
    placeholderData: (previous) => previous,
  });
  const tasks = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const total = query.data?.pages[0]?.total;

  useEffect(() => {
    if (hash !== "new") return;
    create.open();
    void navigate({ search: true, hash: "", replace: true });
  }, [hash, create, navigate]);

  return (
    <>
      <PageHeader
        title={t("nav.tasks")}
        {...(total === undefined
          ? {}
          : { lead: total < COUNTED ? t("tasks.total", { count: total }) : t("tasks.totalMany") })}
        actions={
          <>
            <SegmentedControl
              aria-label={t("tasks.view.label")}
              value={search.view ?? "table"}
              onChange={(view) =>
                void navigate({
                  search: ({ view: _old, ...rest }) => (view === "board" ? { ...rest, view: "board" } : rest),
                })
              }
              data={[
                { value: "table", label: t("tasks.view.table") },
                { value: "board", label: t("tasks.view.board") },
              ]}
            />
            {may ? (
              <Button leftSection={<IconPlus size={14} />} onClick={create.open}>
                {t("tasks.new")}
              </Button>
            ) : null}
          </>
        }
      />
      <TaskViews search={search} />
      <TaskFilters search={search} />
      {query.error !== null && query.data === undefined ? (
        <QueryError error={query.error} onRetry={() => void query.refetch()} />
      ) : query.data === undefined ? (
        <div className="m-panel" aria-busy="true">
          <RowSkeletons rows={14} />
        </div>
      ) : tasks.length === 0 ? (
        <div className="m-panel">
          {isFiltered(search) ? (
            <EmptyState text={t("tasks.noneFits")} />
          ) : (
            <EmptyState
              text={t("tasks.none")}
              command="miyabi task add --repo . --title 'Fix the login form'"
            />
          )}
        </div>
      ) : search.view === "board" ? (
        <TaskBoard tasks={tasks} />
      ) : (
        <TaskTable tasks={tasks} list={query} onCreate={may ? create.open : null} />
      )}
      <NewTaskModal opened={creating} onClose={create.close} />
    </>
  );
}
