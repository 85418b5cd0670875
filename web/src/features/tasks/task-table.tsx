import { Checkbox } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { TaskSummary } from "../../../../src/contract/index.ts";
import { LoadMore, type PagedList } from "../../ui/load-more.tsx";
import { BulkBar } from "./bulk-bar.tsx";
import { TaskRow } from "./task-row.tsx";
import { useListKeys } from "./use-list-keys.ts";

const COLUMNS = ["state", "title", "class", "deadline", "step", "agent", "attempts", "cost", "age"] as const;
const NUMERIC: ReadonlySet<string> = new Set(["deadline", "attempts", "cost", "age"]);

export interface TaskTableProps {
  readonly tasks: readonly TaskSummary[];
  readonly list: PagedList;
  readonly onCreate: (() => void) | null;
}

/** Tasks as rows, worked by keyboard or mouse; selected ones can be acted on together. */
export function TaskTable({ tasks, list, onCreate }: TaskTableProps) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const body = useRef<HTMLTableSectionElement>(null);
  const idAt = (index: number) => tasks[index]?.id ?? "";
  const toggle = (id: string) =>
    setSelected((old) => {
      const next = new Set(old);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  const [cursor, setCursor] = useListKeys({
    length: tasks.length,
    onOpen: (index) => void navigate({ to: "/tasks/$taskId", params: { taskId: idAt(index) } }),
    onExplain: (index) =>
      void navigate({ to: "/tasks/$taskId", params: { taskId: idAt(index) }, search: { tab: "explain" } }),
    onSelect: (index) => toggle(idAt(index)),
    onCreate,
  });
  useEffect(() => {
    body.current?.rows[cursor]?.scrollIntoView({ block: "nearest" });
  }, [cursor]);

  const chosen = tasks.filter(({ id }) => selected.has(id));
  return (
    <div className="m-panel m-table-wrap">
      <table className="m-table m-tasks">
        <caption className="m-table-caption">{t("nav.tasks")}</caption>
        <thead>
          <tr>
            <th scope="col" className="m-check">
              <Checkbox
                aria-label={t("tasks.selectAll")}
                checked={chosen.length > 0 && chosen.length === tasks.length}
                indeterminate={chosen.length > 0 && chosen.length < tasks.length}
                onChange={() =>
                  setSelected(chosen.length === tasks.length ? new Set() : new Set(tasks.map(({ id }) => id)))
                }
              />
            </th>
            {COLUMNS.map((column) => (
              <th key={column} scope="col" className={NUMERIC.has(column) ? "m-num" : `m-col-${column}`}>
                {t(`tasks.column.${column}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          {tasks.map((task, index) => (
            <TaskRow
              key={task.id}
              task={task}
              atCursor={index === cursor}
              selected={selected.has(task.id)}
              onToggle={() => toggle(task.id)}
              onPoint={() => setCursor(index)}
            />
          ))}
        </tbody>
      </table>
      <LoadMore list={list} />
      {chosen.length === 0 ? null : <BulkBar tasks={chosen} onClear={() => setSelected(new Set())} />}
    </div>
  );
}
