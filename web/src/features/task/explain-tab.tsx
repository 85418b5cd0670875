import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Trans, useTranslation } from "react-i18next";
import { explainQuery } from "../../api/queries.ts";
import { useReason } from "../../i18n/use-reason.ts";
import { CommandLine } from "../../ui/command-line.tsx";
import { Deadline } from "../../ui/deadline.tsx";
import { FixText } from "../../ui/fix-text.tsx";
import { QueryError } from "../../ui/query-error.tsx";
import { ReasonText } from "../../ui/reason-text.tsx";
import { RowSkeletons } from "../../ui/row-skeletons.tsx";

export interface ExplainTabProps {
  readonly taskId: string;
}

/** Why the task is where it is, and what would move it. */
export function ExplainTab({ taskId }: ExplainTabProps) {
  const { t, i18n } = useTranslation();
  const say = useReason();
  const { data, error, refetch } = useQuery(explainQuery(taskId));
  if (error !== null && data === undefined)
    return <QueryError error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <RowSkeletons rows={5} />;
  const ended = ["done", "failed", "cancelled"].includes(data.state);
  const [first] = data.reasons;
  // The summary is the server's English sentence; in another language the deciding reason says the same.
  const summary = i18n.language === "en" || first === undefined ? data.summary : say(first);
  return (
    <div className="m-explain">
      <p>
        {data.reasons.length === 0 && i18n.language !== "en" ? t(`explain.state.${data.state}`) : summary}
      </p>
      {data.reasons.length === 0 ? null : (
        <div>
          <h3>{t("explain.reasons")}</h3>
          <ol>
            {data.reasons.map((reason, index) => (
              <li key={index}>
                <ReasonText reason={reason} withFix />
              </li>
            ))}
          </ol>
        </div>
      )}
      {data.next.length === 0 ? null : (
        <div>
          <h3>{t("explain.next")}</h3>
          <ul>
            {data.next.map((sentence) => (
              <li key={sentence}>
                <FixText text={sentence} />
              </li>
            ))}
          </ul>
        </div>
      )}
      {ended ? null : (
        <div>
          <h3>{t("explain.order")}</h3>
          <ul>
            {data.queuePosition === null ? null : (
              <li>{t("explain.position", { position: data.queuePosition })}</li>
            )}
            <li>
              <Deadline at={data.deadlineAt} over={false} />{" "}
              {data.deadlineFrom === null ? (
                t("explain.ownDeadline")
              ) : (
                <Trans
                  i18nKey="explain.inheritedDeadline"
                  values={{ id: data.deadlineFrom }}
                  components={{
                    a: (
                      <Link
                        to="/tasks/$taskId"
                        params={{ taskId: data.deadlineFrom }}
                        className="m-underline"
                      />
                    ),
                  }}
                />
              )}
            </li>
          </ul>
        </div>
      )}
      <p className="m-row m-small m-dim">
        {t("explain.same")} <CommandLine command={`miyabi task explain ${taskId}`} />
      </p>
    </div>
  );
}
