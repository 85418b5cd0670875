import { Link } from "@tanstack/react-router";
import { memo } from "react";
import { useTranslation } from "react-i18next";
import { formatClock } from "../../ui/format.ts";
import { RowContent } from "./row-content.tsx";
import type { TranscriptRow } from "./transcript-rows.ts";

export interface TranscriptRowViewProps {
  readonly row: TranscriptRow;
  readonly runId: string;
  readonly marked: boolean;
}

/** One row with its time, which is the link to it. */
export const TranscriptRowView = memo(function TranscriptRowView({
  row,
  runId,
  marked,
}: TranscriptRowViewProps) {
  const { t } = useTranslation();
  return (
    <div className={`m-line m-line-${row.body.kind}${marked ? " m-line-marked" : ""}`}>
      <Link
        from="/tasks/$taskId"
        to="."
        search={{ tab: "transcript", run: runId, line: row.seq }}
        replace
        resetScroll={false}
        className="m-line-time"
        aria-label={t("transcript.linkTo", { line: row.seq })}
      >
        {formatClock(Date.parse(row.at))}
      </Link>
      <div className="m-line-body">
        <RowContent body={row.body} turn={row.turn} />
      </div>
    </div>
  );
});
