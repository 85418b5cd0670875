import type { Random } from "../base/index.ts";
import type { Tx } from "../store/index.ts";
import type { Decision, NewRun, RunEnd, StepPatch, TaskPatch } from "./decision.ts";
import { priorityOf } from "./deadline.ts";
import { appendEvents, type NewEvent } from "./events.ts";
import { isFinal } from "./machine/task-machine.ts";
import type { TaskAggregate } from "./model.ts";
import type { RunQueue } from "./run-queue.ts";

interface ApplyParams {
  readonly aggregate: TaskAggregate;
  readonly decision: Decision;
  readonly queue: RunQueue;
  readonly random: Pick<Random, "uuid">;
}

/** Id of the run that a decision queued, or null. */
type Applied = { readonly newRunId: string | null };

/** Writes one decision: task, steps, run, job and events, all in the caller's transaction. */
export async function applyDecision(tx: Tx, params: Readonly<ApplyParams>): Promise<Applied> {
  const { aggregate, decision } = params;
  const taskId = aggregate.task.id;
  const previous = aggregate.activeRun;
  if (decision.steps.size > 0) await updateSteps(tx, taskId, decision.steps);
  if (decision.endRun !== null) await endRun(tx, decision.endRun);
  if (decision.endRun !== null && previous?.state === "queued")
    await params.queue.remove(tx, previous.queue, previous.jobId);
  const newRunId = decision.newRun === null ? null : await insertRun(tx, params, decision.newRun);
  await updateTask(tx, taskId, decision.task, newRunId !== null);
  const events: NewEvent[] = decision.events.map((event) => ({
    type: event.type,
    taskId,
    runId: event.type.startsWith("run.") ? (previous?.id ?? null) : null,
    slot: event.type.startsWith("run.") ? (previous?.slot ?? null) : null,
    data: event.data,
  }));
  if (newRunId !== null && decision.newRun !== null)
    events.push({
      type: "run.queued",
      taskId,
      runId: newRunId,
      data: {
        step: aggregate.steps[decision.newRun.stepPosition]?.name,
        cause: decision.newRun.cause.reason,
      },
    });
  await appendEvents(tx, events);
  return { newRunId };
}

const TASK_COLUMNS: Readonly<Record<keyof TaskPatch, string>> = {
  state: "state",
  waitsFor: "waits_for",
  reason: "reason",
  wakeAt: "wake_at",
  currentStep: "current_step",
  round: "round",
  headCommit: "head_commit",
  headTree: "head_tree",
  baseCommit: "base_commit",
  mergeCommit: "merge_commit",
  takenOver: "taken_over",
};

async function updateTask(tx: Tx, taskId: string, patch: TaskPatch, countsAttempt: boolean): Promise<void> {
  if (Object.keys(patch).length === 0 && !countsAttempt) return;
  const sets = ["updated_at = now()"];
  const values: unknown[] = [taskId];
  for (const [key, column] of Object.entries(TASK_COLUMNS) as [keyof TaskPatch, string][]) {
    const value = patch[key];
    if (value === undefined) continue;
    values.push(key === "reason" && value !== null ? JSON.stringify(value) : value);
    sets.push(`${column} = $${values.length}`);
  }
  if (countsAttempt) sets.push("attempt = attempt + 1");
  if (patch.state === "running") sets.push("started_at = coalesce(started_at, now())");
  if (patch.state !== undefined)
    sets.push(...(isFinal(patch.state) ? ["finished_at = now()"] : ["finished_at = null", "report = null"]));
  await tx.query(`update miyabi.tasks set ${sets.join(", ")} where id = $1`, values);
}

async function updateSteps(tx: Tx, taskId: string, steps: ReadonlyMap<number, StepPatch>): Promise<void> {
  const rows = [...steps].map(([position, patch]) => ({ position, ...patch }));
  await tx.query(
    `update miyabi.steps s set
       state = coalesce(p.state, s.state),
       reason = case when p.patch ? 'reason' then nullif(p.patch -> 'reason', 'null') else s.reason end,
       returns = coalesce(p.returns, s.returns), failures = coalesce(p.failures, s.failures), losses = coalesce(p.losses, s.losses),
       data = coalesce(p.data, s.data),
       started_at = case when p.state in ('running', 'waiting') and s.state not in ('running', 'waiting') then now() when p.state = 'pending' then null else s.started_at end,
       finished_at = case when p.state in ('passed', 'returned', 'failed', 'cancelled') then now() when p.state is null then s.finished_at else null end
     from (select x.*, e.patch from jsonb_array_elements($2::jsonb) as e(patch),
       jsonb_to_record(e.patch) as x(position int, state text, returns int, failures int, losses int, data jsonb)) p
     where s.task_id = $1 and s.position = p.position`,
    [taskId, JSON.stringify(rows)],
  );
}

async function endRun(tx: Tx, end: RunEnd): Promise<void> {
  const result = end.result;
  await tx.query(
    `update miyabi.runs set state = $2, error = $3, verdict = coalesce($4, verdict), notes = coalesce($5, notes), log = $6, cached = $7,
       result_commit = $8, tokens_in = coalesce($9, tokens_in), tokens_out = coalesce($10, tokens_out),
       finished_at = now(), token_hash = null, lease_expires_at = null
     where id = $1`,
    [
      end.id,
      end.state,
      end.error === null ? null : JSON.stringify(end.error),
      result?.verdict ?? null,
      result?.notes ?? null,
      result === null || result.log === "" ? null : result.log,
      result?.cached ?? false,
      result?.commit ?? null,
      result?.tokensIn ?? null,
      result?.tokensOut ?? null,
    ],
  );
}

async function insertRun(tx: Tx, params: Readonly<ApplyParams>, run: NewRun): Promise<string> {
  const { task, steps } = params.aggregate;
  const step = steps[run.stepPosition];
  const jobId = params.random.uuid();
  const { rows } = await tx.query<{ id: string }>(
    `insert into miyabi.runs (task_id, step_position, step, kind, role, queue, attempt, round, cause, commit, job_id, profile)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning id`,
    [
      task.id,
      run.stepPosition,
      step?.name,
      step?.kind,
      step?.role ?? null,
      run.queue,
      task.attempt + 1,
      params.decision.task.round ?? task.round,
      JSON.stringify(run.cause),
      run.commit,
      jobId,
      task.profile,
    ],
  );
  const runId = rows[0]?.id as string;
  await params.queue.add(tx, run.queue, {
    id: jobId,
    runId,
    priority: priorityOf(task.deadlineAt),
    delayMs: run.delayMs,
  });
  return runId;
}
