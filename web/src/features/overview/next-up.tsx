import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { StatusView } from "../../../../src/contract/index.ts";
import { ClassTag } from "../../ui/class-tag.tsx";
import { Deadline } from "../../ui/deadline.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { Panel } from "../../ui/panel.tsx";
import { ReasonText } from "../../ui/reason-text.tsx";
import { Sign } from "../../ui/sign.tsx";
import { LOOKS } from "../../ui/state-look.ts";

export interface NextUpProps {
  readonly tasks: StatusView["next"];
}

/** Tasks that start next, with the reason of their order. */
export function NextUp({ tasks }: NextUpProps) {
  const { t } = useTranslation();
  return (
    <Panel title={t("overview.nextUp")} count={tasks.length} flush>
      {tasks.length === 0 ? (
        <EmptyState text={t("overview.nothingNext")} />
      ) : (
        <ol className="m-list">
          {tasks.map((task) => (
            <li key={task.id} className="m-item">
              <div className="m-task-line">
                <Sign look={LOOKS.task[task.state]} />
                <Link to="/tasks/$taskId" params={{ taskId: task.id }} className="m-task-title m-cut">
                  <span className="m-dim m-mono">{task.id}</span> {task.title}
                </Link>
                <span className="m-row m-small">
                  <ClassTag of={task.class} />
                  <Deadline at={task.deadlineAt} over={false} />
                </span>
                <p className="m-sub">
                  <ReasonText reason={task.orderReason} />
                </p>
              </div>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}
