import type { Reason, RunState, StepKind, StepState, TaskState, WAITS } from "../contract/index.ts";
import type { TaskClass } from "./deadline.ts";
import type { Workflow } from "./workflow.ts";

export type WaitsFor = (typeof WAITS)[number];
export type { Reason };

/** Why a run exists; the first words of its prompt. */
export const CAUSES = [
  "implement",
  "review",
  "check",
  "check-failed",
  "changes-requested",
  "conflict",
  "ci-failed",
  "continue",
  "rejected",
] as const;
export interface Cause {
  readonly reason: (typeof CAUSES)[number];
  /** What the agent needs to know: a failing log, review notes, conflicting files. Untrusted text. */
  readonly details: string;
  /** Commit of the target branch that the session must bring in first (conflict), or null. */
  readonly target: string | null;
  /** Why the attempt before this one ended without a result, or null for a first attempt. */
  readonly again: string | null;
}

export interface Task {
  readonly id: string;
  readonly repositoryId: string;
  /** `api`, `sample`, `github`, … */
  readonly source: string;
  readonly title: string;
  readonly state: TaskState;
  readonly waitsFor: WaitsFor | null;
  readonly reason: Reason | null;
  readonly wakeAt: Date | null;
  readonly class: TaskClass;
  readonly deadlineAt: Date;
  readonly workflow: Workflow;
  readonly profile: string | null;
  readonly currentStep: string | null;
  readonly round: number;
  readonly attempt: number;
  readonly branch: string | null;
  readonly baseCommit: string | null;
  readonly headCommit: string | null;
  readonly headTree: string | null;
  readonly mergeCommit: string | null;
  readonly takenOver: boolean;
}

export interface Step {
  readonly position: number;
  readonly name: string;
  readonly kind: StepKind;
  readonly role: string | null;
  readonly state: StepState;
  readonly returns: number;
  readonly failures: number;
  readonly losses: number;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Run {
  readonly id: string;
  readonly stepPosition: number;
  readonly kind: StepKind;
  readonly attempt: number;
  readonly state: RunState;
  readonly cause: Cause;
  readonly commit: string | null;
  readonly queue: string;
  readonly jobId: string;
  readonly slot: string | null;
  /** What the agent reported through MCP while it ran. */
  readonly verdict: string | null;
  readonly notes: string | null;
}

/** Everything a decision about one task depends on, read under the task's row lock. */
export interface TaskAggregate {
  readonly task: Task;
  readonly steps: readonly Step[];
  /** The one run that is not ended, or null. */
  readonly activeRun: Run | null;
  /** Why the newest run of the current step existed; null where it had none. */
  readonly lastCause: Cause | null;
  /** Dependencies that are not merged yet. */
  readonly openDependencies: readonly { readonly id: string; readonly state: TaskState }[];
}

/** How a run ended, as its host reported it (or we concluded). */
export interface RunResult {
  readonly outcome: "succeeded" | "failed" | "cancelled" | "quota";
  readonly code: string | null;
  readonly message: string;
  readonly verdict: string | null;
  readonly notes: string | null;
  readonly commit: string | null;
  readonly tree: string | null;
  readonly tokensIn: number | null;
  readonly tokensOut: number | null;
  readonly quotaResetAt: Date | null;
  readonly log: string;
  readonly cached: boolean;
}
