import { AppError, type Clock, type Random } from "../base/index.ts";
import type { Database, Tx } from "../store/index.ts";
import { applyDecision } from "./apply-decision.ts";
import { insertTask, type TaskDraft } from "./create-task.ts";
import { ownDeadline, type DEFAULT_SLA_MS, type TaskClass } from "./deadline.ts";
import { inheritDeadlines } from "./deadline-inheritance.ts";
import { decide, type TaskHappening } from "./decide.ts";
import type { Effect } from "./decision.ts";
import { lockGraph, replaceDependencies } from "./dependencies.ts";
import { appendEvents } from "./events.ts";
import type { TaskAggregate } from "./model.ts";
import { addToOutbox, syncThroughOutbox } from "./outbox/index.ts";
import type { RunQueue } from "./run-queue.ts";
import { lockAggregate } from "./task-rows.ts";

/** Asks people; provided by `messages`. All calls are part of the transaction and harmless when repeated. */
export interface Approvals {
  ask(
    tx: Tx,
    params: { readonly taskId: string; readonly text: string; readonly round: number },
  ): Promise<void>;
  /** Withdraws what is still open for the task. */
  close(tx: Tx, taskId: string): Promise<void>;
  /** Withdraws what the run's agent asked: nobody waits for the answers any more. */
  closeOfRun(tx: Tx, runId: string): Promise<void>;
}

export interface TaskServiceParams {
  readonly database: Database;
  readonly queue: RunQueue;
  readonly approvals: Approvals;
  readonly clock: Clock;
  readonly random: Random;
  readonly slaMs?: typeof DEFAULT_SLA_MS;
  /** Called after a commit that gave the merge queue something to do. */
  readonly onMergeQueue?: () => void;
}

export interface TaskService {
  /**
   * Accepts a task and starts it if nothing holds it.
   * @throws not_found (dependency), conflict.state (idempotency key).
   */
  add(draft: Readonly<TaskDraft>): Promise<{ readonly id: string; readonly created: boolean }>;
  /**
   * Applies a happening to a task.
   * @throws not_found; conflict.state where the task's state does not allow it.
   */
  happen(taskId: string, happening: TaskHappening): Promise<void>;
  /** The same inside a transaction of the caller, who has checked what must hold; `guard` sees the locked aggregate first. */
  happenIn(
    tx: Tx,
    taskId: string,
    happening: (aggregate: TaskAggregate) => TaskHappening | null,
  ): Promise<boolean>;
  setClass(taskId: string, taskClass: TaskClass, dueAt: Date | null): Promise<void>;
  /** @throws dependency.cycle, not_found, conflict.state (the task has started). */
  setDependencies(taskId: string, dependsOn: readonly string[]): Promise<void>;
}

// Several changes in a row are shown as one.
const PROGRESS_DELAY_MS = 500;

/** The one door through which tasks change: lock, decide, apply, commit. */
export function createTaskService(params: Readonly<TaskServiceParams>): TaskService {
  const { database, queue } = params;

  const runEffects = async (tx: Tx, aggregate: TaskAggregate, effects: readonly Effect[]): Promise<void> => {
    const taskId = aggregate.task.id;
    for (const effect of effects) {
      if (effect.type === "ask-approval")
        await params.approvals.ask(tx, { taskId, text: effect.text, round: aggregate.task.round });
      if (effect.type === "close-approval") await params.approvals.close(tx, taskId);
      if (effect.type === "deadlines") await inheritDeadlines(tx, queue, taskId);
      if (effect.type === "dependents") await admitDependents(tx, taskId);
      if (effect.type === "outbox")
        await addToOutbox(tx, params.random, { taskId, kind: effect.kind, target: taskId });
    }
  };

  const happenIn: TaskService["happenIn"] = async (tx, taskId, choose) => {
    const aggregate = await lockAggregate(tx, taskId);
    if (aggregate === null)
      throw new AppError({
        code: "not_found",
        message: `There is no task ${taskId}.`,
        fix: "miyabi task list",
      });
    const happening = choose(aggregate);
    if (happening === null) return false;
    const decision = decide(aggregate, happening, { now: params.clock.now(), random: params.random });
    await applyDecision(tx, { aggregate, decision, queue, random: params.random });
    if (decision.endRun !== null) await params.approvals.closeOfRun(tx, decision.endRun.id);
    await runEffects(tx, aggregate, decision.effects);
    if (aggregate.task.source === "github" && decision.events.length > 0)
      await syncThroughOutbox(tx, params.random, {
        taskId,
        kind: "progress",
        target: `progress:${taskId}`,
        delayMs: PROGRESS_DELAY_MS,
      });
    const { onMergeQueue } = params;
    if (onMergeQueue !== undefined && decision.effects.some((effect) => effect.type === "merge-queue"))
      tx.afterCommit(onMergeQueue);
    return true;
  };

  // Dependents come after what they depend on in the graph, so locks are always taken in one direction.
  const admitDependents = async (tx: Tx, taskId: string): Promise<void> => {
    const { rows } = await tx.query<{ id: string }>(
      `select t.id from miyabi.task_dependencies d join miyabi.tasks t on t.id = d.task_id
       where d.depends_on = $1 and t.state in ('queued', 'blocked') order by t.number`,
      [taskId],
    );
    for (const row of rows) await happenIn(tx, row.id, () => ({ type: "admit" }));
  };

  return {
    add: (draft) =>
      database.transaction(async (tx) => {
        const added = await insertTask(tx, draft, {
          queue,
          now: params.clock.now(),
          ...(params.slaMs === undefined ? {} : { slaMs: params.slaMs }),
        });
        if (added.created) await happenIn(tx, added.id, () => ({ type: "admit" }));
        return added;
      }),
    happen: async (taskId, happening) => {
      await database.transaction((tx) => happenIn(tx, taskId, () => happening));
    },
    happenIn,
    setClass: (taskId, taskClass, dueAt) =>
      database.transaction(async (tx) => {
        const { rows } = await tx.query<{ created_at: Date }>(
          "select created_at from miyabi.tasks where id = $1 for update",
          [taskId],
        );
        const row = rows[0];
        if (row === undefined)
          throw new AppError({
            code: "not_found",
            message: `There is no task ${taskId}.`,
            fix: "miyabi task list",
          });
        const deadline = ownDeadline({
          class: taskClass,
          dueAt,
          createdAt: row.created_at,
          ...(params.slaMs === undefined ? {} : { slaMs: params.slaMs }),
        });
        await tx.query(
          "update miyabi.tasks set class = $2, due_at = $3, own_deadline_at = $4, updated_at = now() where id = $1",
          [taskId, taskClass, dueAt, deadline],
        );
        await inheritDeadlines(tx, queue, taskId);
        await appendEvents(tx, [{ type: "task.changed", taskId, data: { class: taskClass, dueAt } }]);
      }),
    setDependencies: (taskId, dependsOn) =>
      database.transaction(async (tx) => {
        await lockGraph(tx);
        const aggregate = await lockAggregate(tx, taskId);
        if (aggregate === null)
          throw new AppError({
            code: "not_found",
            message: `There is no task ${taskId}.`,
            fix: "miyabi task list",
          });
        const { state, attempt } = aggregate.task;
        if (attempt > 0 || (state !== "queued" && state !== "blocked"))
          throw new AppError({
            code: "conflict.state",
            message: `${taskId} has started; what it depends on cannot change any more.`,
            fix: `miyabi task cancel ${taskId}`,
          });
        await replaceDependencies(tx, queue, taskId, dependsOn);
        await appendEvents(tx, [{ type: "task.changed", taskId, data: { dependsOn } }]);
        await happenIn(tx, taskId, () => ({ type: "admit" }));
      }),
  };
}
