import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { ModelCallView } from "../../../../src/contract/index.ts";
import { formatRate } from "../../ui/format.ts";
import { Money } from "../../ui/money.tsx";
import { CallPrompt } from "./call-prompt.tsx";
import { CallWay } from "./call-way.tsx";
import { ChainSteps } from "./chain-steps.tsx";

export interface CallDetailsProps {
  readonly call: ModelCallView;
}

type Facts = readonly (readonly [name: string, value: ReactNode])[];

const RATES = ["inputUsd", "outputUsd", "cacheReadUsd", "cacheWriteUsd"] as const;
const DASH = <span className="m-dim">–</span>;

/** Everything that the ledger knows of a call: its way, its tokens, its price, and the chain that it is a step of. */
export function CallDetails({ call }: CallDetailsProps) {
  const { t } = useTranslation();
  const number = (value: number | null) => value?.toLocaleString("en-US") ?? DASH;
  const ratio = call.compressRatio;
  const tokens: Facts = [
    [t("calls.tokensIn"), number(call.tokensIn)],
    [t("calls.fact.cacheRead"), number(call.tokensCacheRead)],
    [t("calls.fact.cacheWrite"), number(call.tokensCacheWrite)],
    [t("calls.tokensOut"), number(call.tokensOut)],
    [t("calls.fact.reasoning"), number(call.tokensReasoning)],
  ];
  const trimmed: Facts =
    ratio === null
      ? []
      : [
          [t("calls.fact.compressRatio"), ratio.toFixed(3)],
          [t("calls.fact.tokenReduction"), `${((1 - ratio) * 100).toFixed(1)} %`],
          [t("calls.fact.prefixStable"), number(call.prefixStableTokens)],
          [
            t("calls.fact.retention"),
            call.retention === null ? DASH : `${(call.retention * 100).toFixed(1)} %`,
          ],
        ];
  const { price } = call;
  const cost: Facts = [
    [t("common.cost"), <Money key="cost" micros={call.costMicros} exact />],
    ...(price === null
      ? []
      : [
          [t("prices.source.label"), t(`prices.source.${price.source}`)] as const,
          ...(price.listedAs === null ? [] : [[t("calls.fact.listedAs"), price.listedAs] as const]),
          ...(price.source === "free"
            ? []
            : RATES.map((rate) => [t(`prices.rate.${rate}`), formatRate(price[rate]) ?? DASH] as const)),
        ]),
  ];
  const whole: Facts = [
    [t("calls.fact.endpoint"), call.endpoint],
    [t("calls.fact.status"), call.status ?? DASH],
    [t("calls.firstByte"), call.firstByteMs === null ? DASH : `${call.firstByteMs} ms`],
    [t("calls.took"), `${call.totalMs} ms`],
    [t("calls.fact.key"), keyOrRun()],
    [t("calls.fact.team"), call.team ?? DASH],
    [t("calls.fact.id"), call.id],
  ];
  return (
    <>
      {call.error === null ? null : <p className="m-calls-error">{call.error}</p>}
      {call.usageComplete ? null : <p className="m-dim">{t("calls.incomplete")}</p>}
      <CallWay call={call} />
      <Group title={t("calls.group.tokens")} facts={[...tokens, ...trimmed]} />
      <Group title={t("calls.group.cost")} facts={cost}>
        {price === null && call.costMicros === null ? (
          <p className="m-dim m-small">{t("calls.noPrice")}</p>
        ) : price?.tiered === true ? (
          <p className="m-dim m-small">{t("prices.tiered")}</p>
        ) : null}
      </Group>
      <ChainSteps of={call.chainOf ?? call.id} shown={call.id} />
      <Group title={t("calls.group.call")} facts={whole} />
      <CallPrompt key={call.id} callId={call.id} />
    </>
  );

  function keyOrRun(): ReactNode {
    if (call.keyId !== null)
      return (
        <Link to="/gateway/keys" search={{ state: "all", q: call.keyId }} className="m-underline">
          {call.keyId}
        </Link>
      );
    return call.runId ?? DASH;
  }
}

interface GroupProps {
  readonly title: string;
  readonly facts: Facts;
  readonly children?: ReactNode;
}

function Group({ title, facts, children }: GroupProps) {
  return (
    <section>
      <h3 className="m-calls-group">{title}</h3>
      <dl className="m-calls-facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="m-mono">{value}</dd>
          </div>
        ))}
      </dl>
      {children}
    </section>
  );
}
