import type { RunView, StepView, TaskDetail } from "../../../../src/contract/index.ts";
import { createTimeScale, type Span } from "./time-scale.ts";

/** A run on its lane; places are shares of the axis, 0 to 1. */
export interface TimelineBar {
  readonly run: RunView;
  /** Where it was queued; equals `start` when it started at once. */
  readonly queuedAt: number;
  readonly start: number;
  readonly end: number;
  readonly running: boolean;
}

export interface TimelineLane {
  readonly step: StepView;
  readonly bars: readonly TimelineBar[];
  /** Stretch in which the step waits for something outside, or null. */
  readonly wait: { readonly start: number; readonly end: number } | null;
}

export interface TimelineTick {
  readonly at: number;
  readonly ms: number;
}

export interface Timeline {
  readonly lanes: readonly TimelineLane[];
  readonly ticks: readonly TimelineTick[];
  readonly folds: readonly { readonly start: number; readonly end: number; readonly durationMs: number }[];
}

/** Places every run of a task on an axis of time, one lane per step in the order of the workflow. */
export function layoutTimeline(task: Pick<TaskDetail, "steps" | "runs">, nowMs: number): Timeline {
  const runSpans = task.runs.map((run) => spanOf(run, nowMs));
  const activity = runSpans.filter((span) => span !== null);
  if (activity.length === 0) return { lanes: task.steps.map(emptyLane), ticks: [], folds: [] };
  const waiting = task.steps.some(({ state }) => state === "waiting");
  // While something waits, the axis reaches to now, as a point: the pause before it can then be folded.
  const { segments, place } = createTimeScale(waiting ? [...activity, { from: nowMs, to: nowMs }] : activity);
  const lanes = task.steps
    .toSorted((a, b) => a.position - b.position)
    .map((step) => {
      const bars = task.runs
        .filter((run) => run.step === step.name)
        .toSorted((a, b) => a.attempt - b.attempt)
        .flatMap((run) => {
          const span = spanOf(run, nowMs);
          if (span === null) return [];
          return [
            {
              run,
              queuedAt: place(Math.min(Date.parse(run.queuedAt), span.from)),
              start: place(span.from),
              end: place(span.to),
              running: run.finishedAt === null,
            },
          ];
        });
      const since = bars.at(-1)?.end ?? (step.startedAt === null ? null : place(Date.parse(step.startedAt)));
      const wait = step.state === "waiting" && since !== null ? { start: since, end: 1 } : null;
      return { step, bars, wait };
    });
  const ticks = segments
    .filter(({ folded }) => !folded)
    .flatMap(({ from, to, start, end }) => [
      { at: start, ms: from },
      { at: end, ms: to },
    ]);
  return {
    lanes,
    ticks: thinOut(ticks),
    folds: segments
      .filter(({ folded }) => folded)
      .map(({ start, end, from, to }) => ({ start, end, durationMs: to - from })),
  };
}

function emptyLane(step: StepView): TimelineLane {
  return { step, bars: [], wait: null };
}

function spanOf(run: RunView, nowMs: number): Span | null {
  if (run.startedAt === null) return null;
  const from = Date.parse(run.startedAt);
  return { from, to: Math.max(from, run.finishedAt === null ? nowMs : Date.parse(run.finishedAt)) };
}

/** Leaves out ticks whose labels would lie on one another; the first and the last stay. */
function thinOut(ticks: readonly TimelineTick[]): readonly TimelineTick[] {
  const out: TimelineTick[] = [];
  const last = ticks.at(-1);
  for (const tick of ticks) {
    const before = out.at(-1);
    const nearEnd = last !== undefined && tick !== last && last.at - tick.at < 0.1;
    if (before === undefined || tick === last || (tick.at - before.at >= 0.1 && !nearEnd)) out.push(tick);
  }
  return out;
}
