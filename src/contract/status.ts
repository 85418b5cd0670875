import { z } from "zod";
import { agentView } from "./agent.ts";
import { costMicros, instant, reason, taskId } from "./primitives.ts";
import { questionView } from "./question.ts";
import { taskState, taskSummary } from "./task.ts";

export const componentHealth = z.object({
  name: z.string(),
  state: z.enum(["ok", "degraded", "down"]),
  detail: z.string(),
  fix: z.string().nullable(),
  /** Figures of `detail`, by the name of their placeholder. */
  params: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
});
export type ComponentHealth = z.infer<typeof componentHealth>;

/** Everything that the overview page and `miyabi status` show. */
export const statusView = z.object({
  version: z.string(),
  /** How a person on this machine calls the command line: `miyabi`, or `node …/bin/miyabi.cjs`. */
  command: z.string(),
  /** True while the sample repository is what is being worked on. */
  demo: z.object({ repositoryPath: z.string(), done: z.number().int(), total: z.number().int() }).nullable(),
  startedAt: instant,
  now: instant,
  counts: z.record(taskState, z.number().int().nonnegative()),
  today: z.object({ merged: z.number().int(), failed: z.number().int(), costMicros }),
  /** Oldest first: questions, approvals and failed tasks that wait for a person. */
  needsYou: z.object({ questions: z.array(questionView), tasks: z.array(taskSummary) }),
  running: z.array(taskSummary),
  /** Next to start, with the reason of the order. */
  next: z.array(taskSummary.extend({ orderReason: reason })),
  agents: z.array(agentView),
  /** Nearest deadline that will be missed at the present pace, if any. */
  breach: z.object({ taskId, deadlineAt: instant }).nullable(),
  health: z.array(componentHealth),
  /** One bucket an hour, oldest first, the last 24 h (or a day each for 7 d). */
  throughput: z.array(
    z.object({ from: instant, merged: z.number().int(), failed: z.number().int(), costMicros }),
  ),
});
export type StatusView = z.infer<typeof statusView>;

export const repositoryView = z.object({
  id: z.string(),
  name: z.string(),
  path: z.string(),
  targetBranch: z.string(),
  openTasks: z.number().int().nonnegative(),
  addedAt: instant,
});
export type RepositoryView = z.infer<typeof repositoryView>;

/** RFC 9457 problem with our code; the body of every error answer. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  /** Code of the error registry, e.g. `dependency.cycle`. */
  code: z.string(),
  detail: z.string(),
  fix: z.string().nullable(),
  retryable: z.boolean(),
  details: z.record(z.string(), z.unknown()),
});
export type Problem = z.infer<typeof problem>;
