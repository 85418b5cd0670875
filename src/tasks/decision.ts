import type { EventType, RunState, TaskState } from "../contract/index.ts";
import type { StepState } from "../contract/index.ts";
import type { Cause, Reason, RunResult, Step, TaskAggregate, WaitsFor } from "./model.ts";
import { nextState } from "./machine/machine.ts";
import { RUN_TABLE, type RunInput } from "./machine/run-machine.ts";
import { STEP_TABLE, type StepInput } from "./machine/step-machine.ts";
import { TASK_TABLE, type TaskInput } from "./machine/task-machine.ts";
import { AppError } from "../base/index.ts";

export interface TaskPatch {
  state?: TaskState;
  waitsFor?: WaitsFor | null;
  reason?: Reason | null;
  wakeAt?: Date | null;
  currentStep?: string | null;
  round?: number;
  headCommit?: string;
  headTree?: string | null;
  baseCommit?: string;
  mergeCommit?: string;
  takenOver?: boolean;
}

export interface StepPatch {
  state?: StepState;
  reason?: Reason | null;
  returns?: number;
  failures?: number;
  losses?: number;
  data?: Readonly<Record<string, unknown>>;
}

export interface NewRun {
  readonly stepPosition: number;
  /** Queue that slots take from: the role, or `check`. */
  readonly queue: string;
  readonly cause: Cause;
  readonly commit: string | null;
  /** Not before this many milliseconds from now; 0 starts at once. */
  readonly delayMs: number;
}

export interface RunEnd {
  readonly id: string;
  readonly state: Extract<RunState, "succeeded" | "failed" | "lost" | "cancelled">;
  readonly error: Reason | null;
  readonly result: RunResult | null;
}

/** What must happen beyond the task's own rows; carried out in the same transaction or, where it is not ours to commit, repeatably after it. */
export type Effect =
  | { readonly type: "ask-approval"; readonly text: string }
  | { readonly type: "close-approval" }
  /** Blocked dependents may start now (or learn that they cannot). */
  | { readonly type: "dependents" }
  /** The task begins or ceases to lend its deadline to what it depends on. */
  | { readonly type: "deadlines" }
  | { readonly type: "merge-queue" }
  /** Work on the place that hosts the repository, through the outbox. */
  | { readonly type: "outbox"; readonly kind: "pull-request" | "merge" | "leave-merge-queue" };

export interface Decision {
  readonly task: TaskPatch;
  readonly steps: ReadonlyMap<number, StepPatch>;
  readonly endRun: RunEnd | null;
  readonly newRun: NewRun | null;
  readonly events: readonly { readonly type: EventType; readonly data: Readonly<Record<string, unknown>> }[];
  readonly effects: readonly Effect[];
}

/** Collects one decision; refuses every transition that the tables do not have. */
export interface Draft {
  readonly aggregate: TaskAggregate;
  task(input: TaskInput, patch?: Omit<TaskPatch, "state">): void;
  patch(patch: Omit<TaskPatch, "state">): void;
  step(position: number, input: StepInput | null, patch?: Omit<StepPatch, "state">): void;
  endRun(end: RunEnd): void;
  newRun(run: NewRun): void;
  effect(effect: Effect): void;
  event(type: EventType, data: Readonly<Record<string, unknown>>): void;
  /** The step as it will be after this decision. */
  stepAt(position: number): Step;
  /** The task's state as it will be after this decision. */
  state(): TaskState;
  /** The task's commit as it will be after this decision. */
  head(): string | null;
  finish(): Decision;
}

const RUN_ENDS: Readonly<Record<RunEnd["state"], RunInput>> = {
  succeeded: "succeed",
  failed: "fail",
  lost: "lose",
  cancelled: "cancel",
};

export function draftDecision(aggregate: TaskAggregate): Draft {
  const task: TaskPatch = {};
  const steps = new Map<number, StepPatch>();
  const effects: Effect[] = [];
  const events: { type: EventType; data: Readonly<Record<string, unknown>> }[] = [];
  let endRun: RunEnd | null = null;
  let newRun: NewRun | null = null;

  const stepAt = (position: number): Step => {
    const step = aggregate.steps[position];
    if (step === undefined)
      throw new AppError({ code: "internal.bug", message: `${aggregate.task.id} has no step ${position}.` });
    const { reason: _reason, ...patch } = steps.get(position) ?? {};
    return { ...step, ...patch };
  };

  const state = (): TaskState => task.state ?? aggregate.task.state;

  /** One event for the whole way, from where the task was to where it is. */
  const changed = (): Decision["events"] => {
    const { state: from, reason } = aggregate.task;
    if (task.state === undefined) return [];
    if (task.state === from && (task.reason?.code ?? null) === (reason?.code ?? null)) return [];
    return [{ type: "task.changed", data: { from, to: task.state, reason: task.reason ?? null } }];
  };

  return {
    aggregate,
    stepAt,
    state,
    head: () => task.headCommit ?? aggregate.task.headCommit,
    task: (input, patch = {}) => {
      const to = nextState(TASK_TABLE, state(), input);
      if (to === null) throw refused("task", aggregate.task.id, state(), input);
      // Each change of state replaces the explanation of the one before.
      Object.assign(task, { waitsFor: null, reason: null, wakeAt: null }, patch, { state: to });
    },
    patch: (patch) => void Object.assign(task, patch),
    step: (position, input, patch = {}) => {
      const step = stepAt(position);
      const merged: StepPatch = { ...steps.get(position), ...patch };
      if (input !== null) {
        const to = nextState(STEP_TABLE, step.state, input);
        if (to === null) throw refused("step", `${aggregate.task.id}/${step.name}`, step.state, input);
        merged.state = to;
        if (patch.reason === undefined) merged.reason = null;
        if (to !== step.state)
          events.push({ type: "step.changed", data: { step: step.name, from: step.state, to } });
      }
      steps.set(position, merged);
    },
    endRun: (end) => {
      const run = aggregate.activeRun;
      if (run?.id !== end.id || nextState(RUN_TABLE, run.state, RUN_ENDS[end.state]) === null)
        throw refused("run", end.id, run?.state ?? "ended", RUN_ENDS[end.state]);
      endRun = end;
      // The terminal that a person had open ends with the run that it belonged to.
      if (aggregate.task.takenOver) task.takenOver = false;
      events.push({
        type: end.state === "lost" ? "run.lost" : "run.finished",
        data: { state: end.state, error: end.error, verdict: end.result?.verdict ?? null },
      });
    },
    newRun: (run) => void (newRun = run),
    effect: (effect) => void effects.push(effect),
    event: (type, data) => void events.push({ type, data }),
    finish: () => ({ task, steps, endRun, newRun, events: [...events, ...changed()], effects }),
  };
}

function refused(what: string, id: string, state: string, input: string): AppError {
  return new AppError({
    code: "conflict.state",
    message: `The ${what} ${id} is ${state}; "${input}" is not possible from there.`,
    details: { id, state, input },
  });
}
