import { Checkbox } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { memo } from "react";
import { useTranslation } from "react-i18next";
import type { TaskSummary } from "../../../../src/contract/index.ts";
import { ClassTag } from "../../ui/class-tag.tsx";
import { Deadline } from "../../ui/deadline.tsx";
import { Labels } from "../../ui/labels.tsx";
import { Money } from "../../ui/money.tsx";
import { ReasonText } from "../../ui/reason-text.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { StateBadge } from "../../ui/state-badge.tsx";
import { SlotName } from "../agents/slot-name.tsx";
import { StepName } from "../task/step-name.tsx";

export interface TaskRowProps {
  readonly task: TaskSummary;
  readonly atCursor: boolean;
  readonly selected: boolean;
  readonly onToggle: () => void;
  readonly onPoint: () => void;
}

/** One task in the table. */
export const TaskRow = memo(function TaskRow({ task, atCursor, selected, onToggle, onPoint }: TaskRowProps) {
  const { t } = useTranslation();
  return (
    <tr className={atCursor ? "m-at-cursor" : undefined} aria-selected={selected} onMouseDown={onPoint}>
      <td className="m-check">
        <Checkbox checked={selected} onChange={onToggle} aria-label={t("tasks.select", { id: task.id })} />
      </td>
      <td className="m-col-state">
        <StateBadge of="task" state={task.state} />
      </td>
      <td className="m-col-title">
        <div className="m-row">
          <span className="m-dim m-mono">{task.id}</span>
          <Link
            to="/tasks/$taskId"
            params={{ taskId: task.id }}
            className="m-cut m-task-link"
            title={task.title}
          >
            {task.title}
          </Link>
          <span className="m-row m-row-labels">
            <Labels labels={task.labels.slice(0, 2)} />
          </span>
        </div>
        {task.reason === null ? null : (
          <div className="m-cut m-dim m-small">
            <ReasonText reason={task.reason} />
          </div>
        )}
      </td>
      <td className="m-col-class">
        <ClassTag of={task.class} />
      </td>
      <td className="m-num m-col-deadline">
        <Deadline at={task.deadlineAt} over={task.finishedAt !== null} />
      </td>
      <td className="m-col-step">{task.step === null ? null : <StepName name={task.step} />}</td>
      <td className="m-col-agent">{task.slot === null ? null : <SlotName slot={task.slot} />}</td>
      <td className="m-num m-col-attempts">{task.attempts}</td>
      <td className="m-num m-col-cost">
        <Money micros={task.costMicros} />
      </td>
      <td className="m-num m-dim m-col-age">
        <RelativeTime at={task.createdAt} />
      </td>
    </tr>
  );
});
