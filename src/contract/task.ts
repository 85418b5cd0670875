import { z } from "zod";
import { costMicros, instant, reason, runId, slotId, taskClass, taskId } from "./primitives.ts";

export const TASK_STATES = [
  "queued",
  "blocked",
  "ready",
  "running",
  "waiting",
  "delivered",
  "done",
  "failed",
  "cancelled",
] as const;
export const taskState = z.enum(TASK_STATES);
export type TaskState = (typeof TASK_STATES)[number];

/** What a waiting task waits for. */
export const WAITS = ["approval", "ci", "review", "quota", "person", "retry", "merge"] as const;

export const STEP_KINDS = [
  "prepare",
  "agent",
  "check",
  "approval",
  "pull-request",
  "wait-ci",
  "merge",
  "prompt",
  "post",
  "command",
  "plan",
] as const;
export const stepKind = z.enum(STEP_KINDS);
export type StepKind = (typeof STEP_KINDS)[number];

export const STEP_STATES = [
  "pending",
  "running",
  "waiting",
  "passed",
  "returned",
  "failed",
  "skipped",
  "cancelled",
] as const;
export const RUN_STATES = [
  "queued",
  "leased",
  "running",
  "succeeded",
  "failed",
  "lost",
  "cancelled",
] as const;
export type StepState = (typeof STEP_STATES)[number];
export type RunState = (typeof RUN_STATES)[number];

export const runView = z.object({
  id: runId,
  taskId,
  step: z.string(),
  kind: stepKind,
  /** Counts up per task; the fence of every write of the run. */
  attempt: z.number().int().positive(),
  /** Review, check or conflict round of the task that the run belongs to, from 1. */
  round: z.number().int().positive(),
  state: z.enum(RUN_STATES),
  role: z.string().nullable(),
  slot: slotId.nullable(),
  profile: z.string().nullable(),
  /** `approve`, `changes`, `done`, `blocked` …; null until the agent reported. */
  verdict: z.string().nullable(),
  notes: z.string().nullable(),
  error: reason.nullable(),
  /** True where the result was taken from the cache instead of being computed again. */
  cached: z.boolean(),
  commit: z.string().nullable(),
  queuedAt: instant,
  startedAt: instant.nullable(),
  finishedAt: instant.nullable(),
  costMicros,
  tokensIn: z.number().int().nullable(),
  tokensOut: z.number().int().nullable(),
});
export type RunView = z.infer<typeof runView>;

export const stepView = z.object({
  name: z.string(),
  kind: stepKind,
  role: z.string().nullable(),
  /** Order in the workflow, from 0. */
  position: z.number().int().nonnegative(),
  state: z.enum(STEP_STATES),
  reason: reason.nullable(),
  startedAt: instant.nullable(),
  finishedAt: instant.nullable(),
});
export type StepView = z.infer<typeof stepView>;

export const taskSummary = z.object({
  id: taskId,
  title: z.string(),
  state: taskState,
  /** Why it is in this state, where the state alone does not say it. */
  reason: reason.nullable(),
  waitsFor: z.enum(WAITS).nullable(),
  repositoryId: z.string(),
  repositoryName: z.string(),
  source: z.string(),
  labels: z.array(z.string()),
  class: taskClass,
  deadlineAt: instant,
  step: z.string().nullable(),
  slot: slotId.nullable(),
  /** Number of runs that an agent or a check started. */
  attempts: z.number().int().nonnegative(),
  /** Review rounds used, from 0. */
  rounds: z.number().int().nonnegative(),
  branch: z.string().nullable(),
  mergeCommit: z.string().nullable(),
  costMicros,
  createdAt: instant,
  updatedAt: instant,
  startedAt: instant.nullable(),
  finishedAt: instant.nullable(),
});
export type TaskSummary = z.infer<typeof taskSummary>;

export const taskLink = z.object({ id: taskId, title: z.string(), state: taskState });

export const taskDetail = taskSummary.extend({
  body: z.string(),
  targetBranch: z.string(),
  baseCommit: z.string().nullable(),
  headCommit: z.string().nullable(),
  dependsOn: z.array(taskLink),
  dependents: z.array(taskLink),
  steps: z.array(stepView),
  runs: z.array(runView),
  /** Markdown completion report; null until the task ended. */
  report: z.string().nullable(),
  /** A person has the agent's terminal open. */
  takenOver: z.boolean(),
  /** Actions that this state allows. */
  actions: z.array(z.enum(["cancel", "retry", "approve", "takeover", "handback", "prioritise"])),
});
export type TaskDetail = z.infer<typeof taskDetail>;

/** A new task. Unknown fields are refused. */
export const newTask = z.strictObject({
  /** Absolute path of a local git repository. */
  repositoryPath: z.string().min(1),
  /** Target branch; default: the branch that HEAD of the repository names. */
  targetBranch: z.string().min(1).optional(),
  title: z.string().trim().min(1).max(300),
  body: z.string().max(200_000).default(""),
  labels: z.array(z.string().min(1).max(100)).max(50).default([]),
  dependsOn: z.array(taskId).max(100).default([]),
  class: taskClass.optional(),
  /** A due date instead of the class's default SLA. */
  dueAt: instant.optional(),
  /** Name of a workflow; default `default`. */
  workflow: z.string().optional(),
  /** Agent profile for every agent step, e.g. `claude`; default: the team's. */
  profile: z.string().optional(),
});
export type NewTask = z.infer<typeof newTask>;

/** Answer to "why is this not running, and what would move it?" */
export const explanation = z.object({
  taskId,
  state: taskState,
  /** One sentence that answers the question. */
  summary: z.string(),
  /** Everything that holds the task, first the one that decides. */
  reasons: z.array(reason),
  /** What would move it, as sentences or commands. */
  next: z.array(z.string()),
  /** 1 = next to start in its role's queue; null where it is not queued. */
  queuePosition: z.number().int().positive().nullable(),
  deadlineAt: instant,
  /** Task whose deadline this one inherited; null where the deadline is its own. */
  deadlineFrom: taskId.nullable(),
});
export type Explanation = z.infer<typeof explanation>;

export const diffFile = z.object({
  path: z.string(),
  oldPath: z.string().nullable(),
  insertions: z.number().int().nonnegative(),
  deletions: z.number().int().nonnegative(),
  binary: z.boolean(),
});
export const taskDiff = z.object({
  base: z.string(),
  head: z.string(),
  files: z.array(diffFile),
  /** Unified diff; cut at 1 MiB with `truncated` set. */
  patch: z.string(),
  truncated: z.boolean(),
});
export type TaskDiff = z.infer<typeof taskDiff>;
