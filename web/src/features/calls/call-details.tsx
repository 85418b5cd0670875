import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { ModelCallView } from "../../../../src/contract/index.ts";

export interface CallDetailsProps {
  readonly call: ModelCallView;
}

/** Everything of a call that its row has no room for. */
export function CallDetails({ call }: CallDetailsProps) {
  const { t } = useTranslation();
  const number = (value: number | null): string => (value === null ? "–" : value.toLocaleString("en-US"));
  const facts: readonly (readonly [string, ReactNode])[] = [
    [t("calls.fact.asked"), call.askedModel ?? "–"],
    [t("calls.fact.endpoint"), call.endpoint],
    [t("calls.fact.status"), call.status ?? "–"],
    [t("calls.fact.attempts"), call.attempts],
    [t("calls.firstByte"), call.firstByteMs === null ? "–" : `${call.firstByteMs} ms`],
    [t("calls.fact.cacheRead"), number(call.tokensCacheRead)],
    [t("calls.fact.cacheWrite"), number(call.tokensCacheWrite)],
    [t("calls.fact.reasoning"), number(call.tokensReasoning)],
    [t("calls.fact.key"), call.keyId ?? call.runId ?? "–"],
    [t("calls.fact.id"), call.id],
  ];
  return (
    <>
      {call.error === null ? null : <p className="m-calls-error">{call.error}</p>}
      {call.usageComplete ? null : <p className="m-dim">{t("calls.incomplete")}</p>}
      <dl className="m-calls-facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="m-mono">{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
