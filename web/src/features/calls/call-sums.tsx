import { useTranslation } from "react-i18next";
import type { ModelCallSummary } from "../../../../src/contract/index.ts";
import { formatCount, formatExactMoney } from "../../ui/format.ts";
import { Panel } from "../../ui/panel.tsx";
import { SpanChart } from "./span-chart.tsx";

export interface CallSumsProps {
  readonly summary: ModelCallSummary;
}

const percent = (part: number, whole: number): string =>
  whole === 0 ? "–" : `${Math.round((part / whole) * 100)} %`;
const milliseconds = (value: number | null): string => (value === null ? "–" : `${value} ms`);

/** What the calls cost and how much of their input came from a cache: figures, and one chart each. */
export function CallSums({ summary: { total, spans } }: CallSumsProps) {
  const { t } = useTranslation();
  const money = (micros: number): string => formatExactMoney(micros) ?? "";
  return (
    <div className="m-calls-sums">
      <Panel title={t("calls.cost")}>
        <dl className="m-figures">
          <Figure
            name={t("common.cost")}
            value={money(total.costMicros)}
            note={total.costUnknown === 0 ? null : t("calls.costUnknown", { count: total.costUnknown })}
          />
          <Figure
            name={t("calls.calls")}
            value={formatCount(total.calls)}
            note={total.failed === 0 ? null : t("calls.failed", { count: total.failed })}
          />
          <Figure
            name={t("calls.firstByte")}
            value={milliseconds(total.firstByteP50Ms)}
            note={
              total.firstByteP95Ms === null
                ? null
                : t("calls.p95", { value: milliseconds(total.firstByteP95Ms) })
            }
          />
        </dl>
        <SpanChart
          label={t("calls.costChart", { cost: money(total.costMicros), count: total.calls })}
          bars={spans.map(({ from, costMicros, calls }) => ({
            from,
            value: costMicros,
            part: 0,
            says: t("calls.costBar", { cost: money(costMicros), count: calls }),
          }))}
        />
      </Panel>
      <Panel title={t("calls.tokensAndCache")}>
        <dl className="m-figures">
          <Figure name={t("calls.tokensIn")} value={formatCount(total.tokensIn)} note={null} />
          <Figure name={t("calls.tokensOut")} value={formatCount(total.tokensOut)} note={null} />
          <Figure
            name={t("calls.fromProviderCache")}
            value={percent(total.tokensCacheRead, total.tokensIn)}
            note={total.cacheHits === 0 ? null : t("calls.cacheHits", { count: total.cacheHits })}
          />
        </dl>
        <SpanChart
          legend={{ rest: t("calls.legend.fresh"), part: t("calls.legend.cached") }}
          label={t("calls.tokensChart", {
            tokens: formatCount(total.tokensIn),
            share: percent(total.tokensCacheRead, total.tokensIn),
          })}
          bars={spans.map(({ from, tokensIn, tokensCacheRead }) => ({
            from,
            value: tokensIn,
            part: Math.min(tokensIn, tokensCacheRead),
            says: t("calls.tokensBar", {
              tokens: formatCount(tokensIn),
              share: percent(tokensCacheRead, tokensIn),
            }),
          }))}
        />
      </Panel>
    </div>
  );
}

interface FigureProps {
  readonly name: string;
  readonly value: string;
  readonly note: string | null;
}

function Figure({ name, value, note }: FigureProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {value}
        {note === null ? null : <span className="m-figure-note m-dim m-small">{note}</span>}
      </dd>
    </div>
  );
}
