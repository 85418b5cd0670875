import type {
  Reason,
  RunState,
  RunView,
  StepKind,
  StepState,
  StepView,
  TaskState,
  TaskSummary,
} from "../contract/index.ts";
import type { TaskClass } from "./deadline.ts";
import type { WaitsFor } from "./model.ts";

/** Costs come from the gateway's ledger. USD × 10⁻⁶; null or absent where the cost is not known. */
export interface Costs {
  ofTasks(ids: readonly string[]): Promise<ReadonlyMap<string, number | null>>;
  ofRuns(ids: readonly string[]): Promise<ReadonlyMap<string, number | null>>;
  /** One sum for each span of `stepMs` from `from` on; null where it is not known exactly. */
  perSpan(params: {
    readonly from: Date;
    readonly stepMs: number;
    readonly count: number;
  }): Promise<readonly (number | null)[]>;
}

export interface SummaryRow {
  readonly number: string;
  readonly id: string;
  readonly title: string;
  readonly state: TaskState;
  readonly reason: Reason | null;
  readonly waits_for: WaitsFor | null;
  readonly repository_id: string;
  readonly repository_name: string;
  readonly source: string;
  readonly labels: string[];
  readonly class: TaskClass;
  readonly deadline_at: Date;
  readonly current_step: string | null;
  readonly slot: string | null;
  readonly attempt: number;
  readonly round: number;
  readonly branch: string | null;
  readonly merge_commit: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
}

/** Columns of `SummaryRow` from tasks `t` (joined by `SUMMARY_JOINS`). */
export const SUMMARY_COLUMNS = `t.number::text as number, t.id, t.title, t.state, t.reason, t.waits_for, t.repository_id,
  p.name as repository_name, t.source, t.labels, t.class, t.deadline_at, t.current_step, active.slot, t.attempt, t.round,
  t.branch, t.merge_commit, t.created_at, t.updated_at, t.started_at, t.finished_at`;
export const SUMMARY_JOINS = `join miyabi.repositories p on p.id = t.repository_id
  left join miyabi.runs active on active.task_id = t.id and active.state in ('queued', 'leased', 'running')`;

const iso = (date: Date | null): string | null => date?.toISOString() ?? null;

export function toSummary(row: SummaryRow, costMicros: number | null): TaskSummary {
  return {
    id: row.id,
    title: row.title,
    state: row.state,
    reason: row.reason,
    waitsFor: row.waits_for,
    repositoryId: row.repository_id,
    repositoryName: row.repository_name,
    source: row.source,
    labels: row.labels,
    class: row.class,
    deadlineAt: row.deadline_at.toISOString(),
    step: row.current_step,
    slot: row.slot,
    attempts: row.attempt,
    rounds: row.round - 1,
    branch: row.branch,
    mergeCommit: row.merge_commit,
    costMicros,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    startedAt: iso(row.started_at),
    finishedAt: iso(row.finished_at),
  };
}

/** Summaries with their costs, asked for at once. */
export async function withCosts(rows: readonly SummaryRow[], costs: Costs): Promise<TaskSummary[]> {
  const known = rows.length === 0 ? null : await costs.ofTasks(rows.map((row) => row.id));
  return rows.map((row) => toSummary(row, known?.get(row.id) ?? null));
}

export interface RunViewRow {
  readonly id: string;
  readonly task_id: string;
  readonly step: string;
  readonly kind: StepKind;
  readonly attempt: number;
  readonly round: number;
  readonly state: RunState;
  readonly role: string | null;
  readonly slot: string | null;
  readonly profile: string | null;
  readonly verdict: string | null;
  readonly notes: string | null;
  readonly error: Reason | null;
  readonly cached: boolean;
  readonly commit: string | null;
  readonly queued_at: Date;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
  readonly tokens_in: number | null;
  readonly tokens_out: number | null;
}

// A check looks at a commit, an agent's run ends with one.
export const RUN_COLUMNS = `id, task_id, step, kind, attempt, round, state, role, slot, profile, verdict, notes, error, cached,
  coalesce(result_commit, commit) as commit, queued_at, coalesce(started_at, leased_at) as started_at, finished_at,
  tokens_in::float8 as tokens_in, tokens_out::float8 as tokens_out`;

export function toRunView(row: RunViewRow, costMicros: number | null): RunView {
  return {
    id: row.id,
    taskId: row.task_id,
    step: row.step,
    kind: row.kind,
    attempt: row.attempt,
    round: row.round,
    state: row.state,
    role: row.role,
    slot: row.slot,
    profile: row.profile,
    verdict: row.verdict,
    notes: row.notes,
    error: row.error,
    cached: row.cached,
    commit: row.commit,
    queuedAt: row.queued_at.toISOString(),
    startedAt: iso(row.started_at),
    finishedAt: iso(row.finished_at),
    costMicros,
    tokensIn: row.tokens_in,
    tokensOut: row.tokens_out,
  };
}

export interface StepViewRow {
  readonly name: string;
  readonly kind: StepKind;
  readonly role: string | null;
  readonly position: number;
  readonly state: StepState;
  readonly reason: Reason | null;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
}

export function toStepView(row: StepViewRow): StepView {
  return {
    name: row.name,
    kind: row.kind,
    role: row.role,
    position: row.position,
    state: row.state,
    reason: row.reason,
    startedAt: iso(row.started_at),
    finishedAt: iso(row.finished_at),
  };
}
