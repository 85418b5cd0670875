import { Tooltip } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { RunView } from "../../../../src/contract/index.ts";
import { useReason } from "../../i18n/use-reason.ts";
import { useWord } from "../../i18n/use-word.ts";
import { formatDuration } from "../../ui/format.ts";
import { LOOKS } from "../../ui/state-look.ts";
import type { TimelineBar } from "./timeline-layout.ts";

export interface TimelineRunProps {
  readonly bar: TimelineBar;
  readonly onRun: (run: RunView) => void;
}

/** One run on its lane: the wait in the queue as a line, the run as a bar that leads to its transcript. */
export function TimelineRun({ bar, onRun }: TimelineRunProps) {
  const { t } = useTranslation();
  const say = useReason();
  const word = useWord();
  const { run, queuedAt, start, end, running } = bar;
  const percent = (share: number) => `${share * 100}%`;
  const look = LOOKS.run[run.state];
  const length =
    run.startedAt === null || run.finishedAt === null
      ? null
      : formatDuration(Date.parse(run.finishedAt) - Date.parse(run.startedAt));
  const words = [
    run.id,
    t(`state.run.${run.state}`),
    t("timeline.attempt", { attempt: run.attempt, round: run.round }),
    length,
    run.cached ? t("checks.cached") : null,
    run.error !== null
      ? say(run.error)
      : run.verdict === null
        ? null
        : word(`verdict.${run.verdict}`, run.verdict),
  ].filter((word) => word !== null);
  return (
    <>
      {start - queuedAt > 0.002 ? (
        <div
          className="m-gantt-queue"
          style={{ left: percent(queuedAt), width: percent(start - queuedAt) }}
        />
      ) : null}
      <Tooltip label={words.join(" · ")} multiline maw={360}>
        <button
          type="button"
          className={`m-gantt-bar m-tone-${look.tone}${running ? " m-running-bar" : ""}`}
          style={{ left: percent(start), width: percent(Math.max(0, end - start)) }}
          aria-label={words.join(t("common.comma"))}
          onClick={() => onRun(run)}
        >
          {end - start > 0.05 ? (length ?? t("state.run.running")) : null}
        </button>
      </Tooltip>
    </>
  );
}
