import { Link } from "@tanstack/react-router";
import type { TaskDetail } from "../../../../src/contract/index.ts";
import { Sign } from "../../ui/sign.tsx";
import { LOOKS } from "../../ui/state-look.ts";
import { useTranslation } from "react-i18next";

export interface TaskLinksProps {
  readonly title: string;
  readonly tasks: TaskDetail["dependsOn"];
}

/** Tasks that this one depends on, or that depend on it. */
export function TaskLinks({ title, tasks }: TaskLinksProps) {
  const { t } = useTranslation();
  if (tasks.length === 0) return null;
  return (
    <div className="m-links">
      <span className="m-dim">{title}</span>
      {tasks.map(({ id, title: name, state }) => (
        <Link
          key={id}
          to="/tasks/$taskId"
          params={{ taskId: id }}
          className="m-row"
          title={t(`state.task.${state}`)}
        >
          <Sign look={LOOKS.task[state]} />
          <span className="m-mono m-dim">{id}</span>
          <span className="m-cut">{name}</span>
        </Link>
      ))}
    </div>
  );
}
