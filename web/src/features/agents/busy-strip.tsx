import { useTranslation } from "react-i18next";
import type { AgentView } from "../../../../src/contract/index.ts";
import { useNow } from "../../ui/use-now.ts";
import { busyShare, busySpans } from "./busy-spans.ts";

export interface BusyStripProps {
  readonly history: AgentView["history"];
  readonly color: string;
}

/** The last 24 h of an agent as a strip. */
export function BusyStrip({ history, color }: BusyStripProps) {
  const { t } = useTranslation();
  // A minute is a fifteenth of a pixel here: moving the strip each second would only cost.
  const now = Math.floor(useNow() / 60_000) * 60_000;
  const percent = Math.round(busyShare(history, now) * 100);
  return (
    <svg
      className="m-strip"
      viewBox="0 0 1000 10"
      preserveAspectRatio="none"
      role="img"
      aria-label={t("agents.busyShare", { percent })}
    >
      {busySpans(history, now).map(({ start, width, taskId }, index) => (
        <rect key={index} x={start * 1000} width={width * 1000} y={0} height={10} fill={color}>
          <title>{taskId}</title>
        </rect>
      ))}
    </svg>
  );
}
