import { Link } from "@tanstack/react-router";
import type { TaskSummary } from "../../../../src/contract/index.ts";
import { ReasonText } from "../../ui/reason-text.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { StateBadge } from "../../ui/state-badge.tsx";
import { QuickActions } from "../tasks/quick-actions.tsx";

export interface NeedyTaskProps {
  readonly task: TaskSummary;
}

/** A task that waits for a person or failed: why, and what can be done here. */
export function NeedyTask({ task }: NeedyTaskProps) {
  return (
    <div className="m-item m-needy">
      <div className="m-grow">
        <div className="m-row">
          <StateBadge of="task" state={task.state} />
          <span className="m-dim m-small">
            <RelativeTime at={task.updatedAt} />
          </span>
        </div>
        <Link to="/tasks/$taskId" params={{ taskId: task.id }} className="m-task-title">
          <span className="m-dim m-mono">{task.id}</span> {task.title}
        </Link>
        {task.reason === null ? null : (
          <p className="m-sub">
            <ReasonText reason={task.reason} withFix />
          </p>
        )}
      </div>
      <QuickActions task={task} />
    </div>
  );
}
