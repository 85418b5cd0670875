import { SegmentedControl } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { StatusView } from "../../../../src/contract/index.ts";
import { Money } from "../../ui/money.tsx";
import { Panel } from "../../ui/panel.tsx";
import { ThroughputChart } from "./throughput-chart.tsx";
import { sumBuckets } from "./sum-buckets.ts";

export interface ThroughputPanelProps {
  readonly buckets: StatusView["throughput"];
  readonly range: "24h" | "7d";
  readonly onRange: (range: "24h" | "7d") => void;
}

/** Merged and failed tasks and their cost in the chosen range. */
export function ThroughputPanel({ buckets, range, onRange }: ThroughputPanelProps) {
  const { t } = useTranslation();
  const total = sumBuckets(buckets);
  return (
    <Panel
      title={t("overview.throughput")}
      aside={
        <SegmentedControl
          value={range}
          onChange={(value) => onRange(value === "7d" ? "7d" : "24h")}
          data={[
            { value: "24h", label: t("overview.range.24h") },
            { value: "7d", label: t("overview.range.7d") },
          ]}
          aria-label={t("overview.rangeLabel")}
        />
      }
    >
      <dl className="m-figures">
        <div>
          <dt>{t("overview.merged")}</dt>
          <dd>{total.merged}</dd>
        </div>
        <div>
          <dt>{t("overview.failed")}</dt>
          <dd>{total.failed}</dd>
        </div>
        <div>
          <dt>{t("common.cost")}</dt>
          <dd>
            <Money micros={total.costMicros} />
          </dd>
        </div>
      </dl>
      <ThroughputChart buckets={buckets} range={range} />
    </Panel>
  );
}
