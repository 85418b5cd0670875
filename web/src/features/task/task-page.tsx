import "./task.css";
import { Skeleton, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { taskQuery } from "../../api/queries.ts";
import { Panel } from "../../ui/panel.tsx";
import { QueryError } from "../../ui/query-error.tsx";
import { RowSkeletons } from "../../ui/row-skeletons.tsx";
import { ChecksTab } from "../checks/checks-tab.tsx";
import { TranscriptTab } from "../transcript/transcript-tab.tsx";
import { BriefTab } from "./brief-tab.tsx";
import { ExplainTab } from "./explain-tab.tsx";
import { HistoryTab } from "./history-tab.tsx";
import { TaskHeader } from "./task-header.tsx";
import { TaskMessagesTab } from "./task-messages-tab.tsx";
import { TaskTimeline } from "./task-timeline.tsx";
import { TASK_TABS } from "./task-page-search.ts";

const ChangesTab = lazy(() =>
  import("../changes/changes-tab.tsx").then((module) => ({ default: module.ChangesTab })),
);

/** One task: where it stands, how it came there, and everything that was done for it. */
export function TaskPage() {
  const { t } = useTranslation();
  const { taskId } = useParams({ from: "/shell/tasks/$taskId" });
  const search = useSearch({ from: "/shell/tasks/$taskId" });
  const navigate = useNavigate({ from: "/tasks/$taskId" });
  const { data: task, error, refetch } = useQuery(taskQuery(taskId));
  if (error !== null && task === undefined)
    return <QueryError error={error} onRetry={() => void refetch()} />;
  if (task === undefined) {
    return (
      <div aria-busy="true" className="m-stack">
        <Skeleton height={28} width="60%" />
        <Skeleton height={16} width="40%" />
        <Panel title={t("timeline.title")} flush>
          <RowSkeletons rows={6} height={28} />
        </Panel>
      </div>
    );
  }
  const tab = search.tab ?? (task.runs.length > 0 ? "transcript" : "brief");
  return (
    <div className="m-stack">
      <TaskHeader task={task} />
      <TaskTimeline
        task={task}
        onRun={(run) =>
          void navigate({
            search: {
              tab: run.kind === "agent" || run.kind === "plan" ? "transcript" : "checks",
              run: run.id,
            },
          })
        }
      />
      <section className="m-panel">
        <Tabs
          value={tab}
          keepMounted={false}
          onChange={(value) => {
            const next = TASK_TABS.find((one) => one === value);
            if (next !== undefined) void navigate({ search: { tab: next }, replace: true });
          }}
        >
          <Tabs.List className="m-tabs">
            {TASK_TABS.map((one) => (
              <Tabs.Tab key={one} value={one}>
                {t(`task.tab.${one}`)}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          <Tabs.Panel value="transcript">
            <TranscriptTab task={task} runId={search.run} line={search.line} />
          </Tabs.Panel>
          <Tabs.Panel value="changes">
            <Suspense fallback={<RowSkeletons rows={8} />}>
              <ChangesTab task={task} runId={search.run} />
            </Suspense>
          </Tabs.Panel>
          <Tabs.Panel value="checks">
            <ChecksTab task={task} runId={search.run} />
          </Tabs.Panel>
          <Tabs.Panel value="messages">
            <TaskMessagesTab task={task} />
          </Tabs.Panel>
          <Tabs.Panel value="history">
            <HistoryTab taskId={task.id} />
          </Tabs.Panel>
          <Tabs.Panel value="explain">
            <ExplainTab taskId={task.id} />
          </Tabs.Panel>
          <Tabs.Panel value="brief">
            <BriefTab task={task} />
          </Tabs.Panel>
        </Tabs>
      </section>
    </div>
  );
}
