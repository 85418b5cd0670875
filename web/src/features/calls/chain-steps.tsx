import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { chainQuery } from "../../api/gateway-queries.ts";
import { formatDuration } from "../../ui/format.ts";
import { Money } from "../../ui/money.tsx";
import { QueryError } from "../../ui/query-error.tsx";
import { useStepName } from "./use-step-name.ts";

export interface ChainStepsProps {
  /** Id of the call that the caller made. */
  readonly of: string;
  /** Id of the call whose details are open. */
  readonly shown: string;
}

/** The steps of a chain, first to last, each with its own tokens and cost; nothing where the call was made alone. */
export function ChainSteps({ of, shown }: ChainStepsProps) {
  const { t } = useTranslation();
  const nameOf = useStepName();
  const query = useQuery(chainQuery(of));
  if (query.error !== null && query.data === undefined)
    return <QueryError error={query.error} onRetry={() => void query.refetch()} />;
  if (query.data === undefined || query.data.length < 2) return null;
  const number = (value: number | null): string => value?.toLocaleString("en-US") ?? "–";
  return (
    <section>
      <h3 className="m-calls-group">{t("calls.group.chain")}</h3>
      <div className="m-table-wrap" tabIndex={0} role="group" aria-label={t("calls.group.chain")}>
        <table className="m-table m-chain">
          <thead>
            <tr>
              <th scope="col">{t("calls.stepName")}</th>
              <th scope="col">{t("calls.filter.model")}</th>
              <th scope="col">{t("calls.filter.outcome")}</th>
              <th scope="col" className="m-num">
                {t("calls.tokensIn")}
              </th>
              <th scope="col" className="m-num">
                {t("calls.tokensOut")}
              </th>
              <th scope="col" className="m-num">
                {t("common.cost")}
              </th>
              <th scope="col" className="m-num">
                {t("calls.took")}
              </th>
            </tr>
          </thead>
          <tbody>
            {query.data.map((step) => (
              <tr key={step.id} {...(step.id === shown ? { "aria-current": "true" as const } : {})}>
                <td>{nameOf(step.chainStep)}</td>
                <td className="m-mono m-cut">{step.model ?? "–"}</td>
                <td className={step.outcome === "ok" ? "" : "m-calls-bad"}>
                  {t(`calls.outcome.${step.outcome}`)}
                </td>
                <td className="m-num">{number(step.tokensIn)}</td>
                <td className="m-num">{number(step.tokensOut)}</td>
                <td className="m-num">
                  <Money micros={step.costMicros} exact />
                </td>
                <td className="m-num">{formatDuration(step.totalMs)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
