import { Tooltip } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { formatExact, formatRelative } from "./format.ts";
import { useNow } from "./use-now.ts";

export interface RelativeTimeProps {
  /** ISO instant. */
  readonly at: string;
}

/** An instant as `3 min. ago`, the exact time in the viewer's zone on hover. */
export function RelativeTime({ at }: RelativeTimeProps) {
  const { i18n } = useTranslation();
  const now = useNow();
  const atMs = Date.parse(at);
  return (
    <Tooltip label={formatExact(atMs, i18n.language)}>
      <time dateTime={at}>{formatRelative(atMs, now, i18n.language)}</time>
    </Tooltip>
  );
}
