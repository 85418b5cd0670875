import { Tooltip } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { formatDuration, formatExact } from "./format.ts";
import { useNow } from "./use-now.ts";

const SOON_MS = 2 * 3_600_000;

export interface DeadlineProps {
  /** ISO instant. */
  readonly at: string;
  /** True once the task ended: the deadline then no longer presses. */
  readonly over: boolean;
}

/** Time left until a deadline; amber in its last two hours, red when missed. */
export function Deadline({ at, over }: DeadlineProps) {
  const { t, i18n } = useTranslation();
  const now = useNow();
  const left = Date.parse(at) - now;
  const tone = over ? "" : left < 0 ? "m-tone-failed" : left < SOON_MS ? "m-tone-waiting" : "";
  const text = over
    ? t("common.none")
    : left < 0
      ? t("common.overdue", { duration: formatDuration(-left) })
      : t("common.left", { duration: formatDuration(left) });
  return (
    <Tooltip label={formatExact(Date.parse(at), i18n.language)}>
      <time dateTime={at} className={tone}>
        {text}
      </time>
    </Tooltip>
  );
}
