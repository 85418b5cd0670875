import { Tooltip } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { StatusView } from "../../../../src/contract/index.ts";
import { formatMoney } from "../../ui/format.ts";
import { sumBuckets } from "./sum-buckets.ts";

export interface ThroughputChartProps {
  readonly buckets: StatusView["throughput"];
  readonly range: "24h" | "7d";
}

/** Bars of merged (solid) and failed (hatched) tasks, one per hour or day. */
export function ThroughputChart({ buckets, range }: ThroughputChartProps) {
  const { t, i18n } = useTranslation();
  const top = Math.max(1, ...buckets.map(({ merged, failed }) => merged + failed));
  const total = sumBuckets(buckets);
  const format = new Intl.DateTimeFormat(
    i18n.language,
    range === "24h" ? { hour: "2-digit", minute: "2-digit" } : { month: "short", day: "numeric" },
  );
  const label = (at: string) => format.format(Date.parse(at));
  const first = buckets[0];
  return (
    <figure>
      <div
        className="m-chart"
        role="img"
        aria-label={t("overview.chartLabel", { merged: total.merged, failed: total.failed })}
      >
        {buckets.map(({ from, merged, failed, costMicros }) => (
          <Tooltip
            key={from}
            label={t("overview.bucket", {
              at: label(from),
              merged,
              failed,
              cost: formatMoney(costMicros) ?? "–",
            })}
          >
            <div className="m-bar">
              <span className="m-bar-merged" style={{ height: `${(merged / top) * 100}%` }} />
              <span
                className={failed > 0 ? "m-bar-failed" : ""}
                style={{ height: `${(failed / top) * 100}%` }}
              />
            </div>
          </Tooltip>
        ))}
      </div>
      {first === undefined ? null : (
        <div className="m-axis m-dim m-small" aria-hidden="true">
          <span>{label(first.from)}</span>
          <span>{t("overview.now")}</span>
        </div>
      )}
    </figure>
  );
}
