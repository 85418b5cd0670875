import { useTranslation } from "react-i18next";
import type { TaskDetail } from "../../../../src/contract/index.ts";
import { Markdown } from "../../ui/markdown.tsx";

export interface BriefTabProps {
  readonly task: TaskDetail;
}

/** What was asked for, and the completion report once there is one. */
export function BriefTab({ task }: BriefTabProps) {
  const { t } = useTranslation();
  return (
    <div className="m-brief">
      {task.report === null ? null : (
        <div>
          <h3>{t("task.report")}</h3>
          <Markdown text={task.report} />
        </div>
      )}
      <div>
        <h3>{t("task.body")}</h3>
        {task.body.trim() === "" ? (
          <p className="m-dim">{t("task.noBody")}</p>
        ) : (
          <Markdown text={task.body} />
        )}
      </div>
      <p className="m-dim m-small">{t("task.source", { source: task.source })}</p>
    </div>
  );
}
