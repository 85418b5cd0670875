import { Tooltip } from "@mantine/core";
import { useTranslation } from "react-i18next";

export interface SpanChartProps {
  /** The whole in words, for who does not see the bars. */
  readonly label: string;
  readonly bars: readonly {
    readonly from: string;
    readonly value: number;
    /** Part of `value` that is drawn apart. */
    readonly part: number;
    readonly says: string;
  }[];
  /** What the rest and the part are, in words; left out: bars have no parts. */
  readonly legend?: { readonly rest: string; readonly part: string };
}

/** One bar for each hour or day; a part of it may stand out. */
export function SpanChart({ label, bars, legend }: SpanChartProps) {
  const { t, i18n } = useTranslation();
  const top = Math.max(1, ...bars.map(({ value }) => value));
  const hours = bars.length === 24;
  const format = new Intl.DateTimeFormat(
    i18n.language,
    hours ? { hour: "2-digit", minute: "2-digit" } : { month: "short", day: "numeric" },
  );
  const first = bars[0];
  return (
    <figure>
      <div className="m-chart" role="img" aria-label={label}>
        {bars.map(({ from, value, part, says }) => (
          <Tooltip key={from} label={`${format.format(Date.parse(from))} · ${says}`}>
            <div className="m-bar">
              <span className="m-bar-rest" style={{ height: `${((value - part) / top) * 100}%` }} />
              <span className="m-bar-part" style={{ height: `${(part / top) * 100}%` }} />
            </div>
          </Tooltip>
        ))}
      </div>
      {first === undefined ? null : (
        <div className="m-axis m-dim m-small" aria-hidden="true">
          <span>{format.format(Date.parse(first.from))}</span>
          <span>{t("overview.now")}</span>
        </div>
      )}
      {legend === undefined ? null : (
        <div className="m-chart-legend m-dim m-small" aria-hidden="true">
          <span className="m-bar-rest">{legend.rest}</span>
          <span className="m-bar-part">{legend.part}</span>
        </div>
      )}
    </figure>
  );
}
