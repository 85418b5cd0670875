import "./transcript.css";
import { Button, Select } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { RunView, TaskDetail } from "../../../../src/contract/index.ts";
import { useWord } from "../../i18n/use-word.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { IconPlayerPause, IconPlayerPlay } from "../../ui/icons.ts";
import { QueryError } from "../../ui/query-error.tsx";
import { RowSkeletons } from "../../ui/row-skeletons.tsx";
import { TranscriptList } from "./transcript-list.tsx";
import { useTranscript } from "./use-transcript.ts";

export interface TranscriptTabProps {
  readonly task: TaskDetail;
  readonly runId: string | undefined;
  /** Line (sequence number) to stand at. */
  readonly line: number | undefined;
}

/** What an agent said and did, live. */
export function TranscriptTab({ task, runId, line }: TranscriptTabProps) {
  const { t } = useTranslation();
  const runs = task.runs.toSorted((a, b) => b.attempt - a.attempt);
  const run = runs.find(({ id }) => id === runId) ?? defaultRun(runs);
  if (run === undefined)
    return <EmptyState text={t("transcript.none")} command={`miyabi task explain ${task.id}`} />;
  return <RunTranscript key={run.id} runs={runs} run={run} line={runId === run.id ? line : undefined} />;
}

/** The newest run of an agent; of a check where no agent has worked yet. */
function defaultRun(runs: readonly RunView[]): RunView | undefined {
  return runs.find(({ kind, startedAt }) => kind === "agent" && startedAt !== null) ?? runs[0];
}

interface RunTranscriptProps {
  readonly runs: readonly RunView[];
  readonly run: RunView;
  readonly line: number | undefined;
}

function RunTranscript({ runs, run, line }: RunTranscriptProps) {
  const { t } = useTranslation();
  const word = useWord();
  const navigate = useNavigate({ from: "/tasks/$taskId" });
  const transcript = useTranscript(run.id);
  // What is shown while paused: the rows as they were then.
  const [held, setHeld] = useState<typeof transcript.rows | null>(null);
  const rows = held ?? transcript.rows;
  const behind = transcript.rows.length - rows.length;
  const isOver = transcript.ended || run.finishedAt !== null;
  return (
    <>
      <div className="m-panel-head m-transcript-head">
        <Select
          aria-label={t("transcript.which")}
          data={runs.map(({ id, step, round, attempt }) => ({
            value: id,
            label: t("transcript.ofRun", { id, round, attempt, step: word(`step.${step}`, step) }),
          }))}
          value={run.id}
          allowDeselect={false}
          onChange={(id) => {
            if (id !== null) void navigate({ search: { tab: "transcript", run: id }, replace: true });
          }}
          w={280}
        />
        <span className="m-grow" />
        {isOver && held === null ? null : (
          <Button
            variant="default"
            size="compact-sm"
            aria-pressed={held !== null}
            leftSection={held === null ? <IconPlayerPause size={14} /> : <IconPlayerPlay size={14} />}
            onClick={() => setHeld(held === null ? transcript.rows : null)}
          >
            {held === null ? t("transcript.pause") : t("transcript.resume", { count: behind })}
          </Button>
        )}
      </div>
      {transcript.error !== null && rows.length === 0 ? (
        <QueryError error={transcript.error} onRetry={transcript.retry} />
      ) : transcript.loading ? (
        <RowSkeletons rows={8} height={28} />
      ) : rows.length === 0 ? (
        <EmptyState text={t(run.startedAt === null ? "transcript.notStarted" : "transcript.empty")} />
      ) : (
        <TranscriptList
          rows={rows}
          runId={run.id}
          follow={!isOver && held === null}
          line={line}
          indexOf={transcript.indexOf}
        />
      )}
    </>
  );
}
