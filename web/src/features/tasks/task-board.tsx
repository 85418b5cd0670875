import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { TaskSummary } from "../../../../src/contract/index.ts";
import { ClassTag } from "../../ui/class-tag.tsx";
import { Deadline } from "../../ui/deadline.tsx";
import { Labels } from "../../ui/labels.tsx";
import { ReasonText } from "../../ui/reason-text.tsx";
import { Sign } from "../../ui/sign.tsx";
import { LOOKS } from "../../ui/state-look.ts";
import { SlotName } from "../agents/slot-name.tsx";
import { toColumns } from "./board-columns.ts";

export interface TaskBoardProps {
  readonly tasks: readonly TaskSummary[];
}

/** The same list as columns by state. */
export function TaskBoard({ tasks }: TaskBoardProps) {
  const { t } = useTranslation();
  return (
    <div className="m-board" tabIndex={0} role="group" aria-label={t("tasks.view.board")}>
      {toColumns(tasks).map((column) => (
        <section key={column.id} className="m-board-column" aria-label={t(`tasks.board.${column.id}`)}>
          <h2 className="m-row">
            {t(`tasks.board.${column.id}`)} <span className="m-count">{column.tasks.length}</span>
          </h2>
          <ul>
            {column.tasks.map((task) => (
              <li key={task.id} className="m-card">
                <div className="m-row m-small m-dim">
                  <Sign look={LOOKS.task[task.state]} />
                  <span className="m-grow">
                    {t(`state.task.${task.state}`)} <span className="m-mono">{task.id}</span>
                  </span>
                  <ClassTag of={task.class} />
                </div>
                <Link to="/tasks/$taskId" params={{ taskId: task.id }} className="m-card-title">
                  {task.title}
                </Link>
                {task.reason === null ? null : (
                  <p className="m-small m-dim">
                    <ReasonText reason={task.reason} />
                  </p>
                )}
                <div className="m-row m-small m-card-foot">
                  <Labels labels={task.labels.slice(0, 2)} />
                  <span className="m-grow" />
                  {task.slot === null ? null : <SlotName slot={task.slot} />}
                  {task.finishedAt === null ? <Deadline at={task.deadlineAt} over={false} /> : null}
                </div>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}
