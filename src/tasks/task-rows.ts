import type { RunState, StepKind, StepState, TaskState } from "../contract/index.ts";
import type { Tx } from "../store/index.ts";
import type { TaskClass } from "./deadline.ts";
import type { Cause, Reason, Run, Step, Task, TaskAggregate, WaitsFor } from "./model.ts";
import type { Workflow } from "./workflow.ts";

interface TaskRow {
  readonly id: string;
  readonly repository_id: string;
  readonly source: string;
  readonly title: string;
  readonly state: TaskState;
  readonly waits_for: WaitsFor | null;
  readonly reason: Reason | null;
  readonly wake_at: Date | null;
  readonly class: TaskClass;
  readonly deadline_at: Date;
  readonly workflow: Workflow;
  readonly profile: string | null;
  readonly current_step: string | null;
  readonly round: number;
  readonly attempt: number;
  readonly branch: string | null;
  readonly base_commit: string | null;
  readonly head_commit: string | null;
  readonly head_tree: string | null;
  readonly merge_commit: string | null;
  readonly taken_over: boolean;
  readonly steps: readonly StepRow[];
  readonly run: RunRow | null;
  readonly last_cause: Cause | null;
  readonly open_dependencies: readonly { readonly id: string; readonly state: TaskState }[];
}

interface StepRow {
  readonly position: number;
  readonly name: string;
  readonly kind: StepKind;
  readonly role: string | null;
  readonly state: StepState;
  readonly returns: number;
  readonly failures: number;
  readonly losses: number;
  readonly data: Record<string, unknown>;
}

interface RunRow {
  readonly id: string;
  readonly step_position: number;
  readonly kind: StepKind;
  readonly attempt: number;
  readonly state: RunState;
  readonly cause: Cause;
  readonly commit: string | null;
  readonly queue: string;
  readonly job_id: string;
  readonly slot: string | null;
  readonly verdict: string | null;
  readonly notes: string | null;
}

const LOAD = `
select t.id, t.repository_id, t.source, t.title, t.state, t.waits_for, t.reason, t.wake_at, t.class, t.deadline_at, t.workflow, t.profile,
  t.current_step, t.round, t.attempt, t.branch, t.base_commit, t.head_commit, t.head_tree, t.merge_commit, t.taken_over,
  (select coalesce(jsonb_agg(jsonb_build_object('position', s.position, 'name', s.name, 'kind', s.kind, 'role', s.role,
      'state', s.state, 'returns', s.returns, 'failures', s.failures, 'losses', s.losses, 'data', s.data) order by s.position), '[]')
    from miyabi.steps s where s.task_id = t.id) as steps,
  (select jsonb_build_object('id', r.id, 'step_position', r.step_position, 'kind', r.kind, 'attempt', r.attempt, 'state', r.state,
      'cause', r.cause, 'commit', r.commit, 'queue', r.queue, 'job_id', r.job_id, 'slot', r.slot, 'verdict', r.verdict, 'notes', r.notes)
    from miyabi.runs r where r.task_id = t.id and r.state in ('queued', 'leased', 'running')) as run,
  (select r.cause from miyabi.runs r where r.task_id = t.id and r.step = t.current_step order by r.attempt desc limit 1) as last_cause,
  (select coalesce(jsonb_agg(jsonb_build_object('id', d.id, 'state', d.state) order by d.number), '[]')
    from miyabi.task_dependencies td join miyabi.tasks d on d.id = td.depends_on
    where td.task_id = t.id and d.state <> 'done') as open_dependencies
from miyabi.tasks t where t.id = $1`;

/**
 * Locks a task's row and reads all that a decision needs; null where there is no such task.
 * The row lock is what makes decisions about one task follow one another.
 */
export async function lockAggregate(tx: Tx, taskId: string): Promise<TaskAggregate | null> {
  // A statement sees the data as of its start: after waiting for the lock, all is read by a new one.
  const locked = await tx.query("select 1 from miyabi.tasks where id = $1 for update", [taskId]);
  if (locked.rowCount === 0) return null;
  const { rows } = await tx.query<TaskRow>(LOAD, [taskId]);
  const row = rows[0];
  return row === undefined ? null : toAggregate(row);
}

function toAggregate(row: TaskRow): TaskAggregate {
  const task: Task = {
    id: row.id,
    repositoryId: row.repository_id,
    source: row.source,
    title: row.title,
    state: row.state,
    waitsFor: row.waits_for,
    reason: row.reason,
    wakeAt: row.wake_at,
    class: row.class,
    deadlineAt: row.deadline_at,
    workflow: row.workflow,
    profile: row.profile,
    currentStep: row.current_step,
    round: row.round,
    attempt: row.attempt,
    branch: row.branch,
    baseCommit: row.base_commit,
    headCommit: row.head_commit,
    headTree: row.head_tree,
    mergeCommit: row.merge_commit,
    takenOver: row.taken_over,
  };
  return {
    task,
    steps: row.steps.map((step): Step => step),
    activeRun: row.run === null ? null : toRun(row.run),
    lastCause: row.last_cause,
    openDependencies: row.open_dependencies,
  };
}

function toRun(row: RunRow): Run {
  return {
    id: row.id,
    stepPosition: row.step_position,
    kind: row.kind,
    attempt: row.attempt,
    state: row.state,
    cause: row.cause,
    commit: row.commit,
    queue: row.queue,
    jobId: row.job_id,
    slot: row.slot,
    verdict: row.verdict,
    notes: row.notes,
  };
}
