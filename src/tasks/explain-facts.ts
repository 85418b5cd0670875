import type { Reason, RunState, SLOT_STATES, TaskState } from "../contract/index.ts";
import type { Database, Queryable } from "../store/index.ts";
import { IS_ALIVE } from "./machines/index.ts";
import { isFinal } from "./machine/task-machine.ts";
import type { WaitsFor } from "./model.ts";
import { noTask } from "./task-detail.ts";

/** A slot as far as it matters to what waits for it. */
export interface SlotFact {
  readonly slot: string;
  readonly name: string;
  /** Queues that it takes runs from: roles, `check`. */
  readonly takes: readonly string[];
  readonly state: (typeof SLOT_STATES)[number];
  /** Its agent host: `silent` is connected but says nothing, `gone` is not connected. */
  readonly host: "connected" | "silent" | "gone";
  readonly taskId: string | null;
  readonly reason: Reason | null;
}

/** What the agents' side knows; `main` wires it. */
export interface TeamFacts {
  /** Name of the machine of `slots`; null or absent: it is the only one. */
  readonly machine?: string | null;
  slots(): Promise<readonly SlotFact[]>;
  /** Null where runs of such a task can be started; else why not, e.g. that no sandbox works on this machine. */
  cannotRun(task: { readonly source: string }): Promise<Reason | null>;
}

export interface DependencyFact {
  readonly id: string;
  readonly title: string;
  readonly state: TaskState;
  /** From this dependency to the task at the end of the chain that everything waits for; at least the id itself. */
  readonly path: readonly string[];
  /** State and reason of the task at the end of `path`. */
  readonly root: { readonly state: TaskState; readonly reason: Reason | null };
}

export interface RunFact {
  readonly id: string;
  readonly step: string;
  readonly state: RunState;
  readonly queue: string;
  readonly slot: string | null;
  readonly queuedAt: Date;
  readonly startedAt: Date | null;
  /** Machine that it runs on or is left to; null where there is only one, or any may take it. */
  readonly machine: { readonly name: string; readonly isHere: boolean; readonly isGone: boolean } | null;
}

/** Everything that an explanation is made from. */
export interface ExplainFacts {
  readonly now: Date;
  readonly task: {
    readonly id: string;
    readonly state: TaskState;
    readonly waitsFor: WaitsFor | null;
    readonly reason: Reason | null;
    readonly wakeAt: Date | null;
    readonly deadlineAt: Date;
    readonly deadlineFrom: string | null;
    readonly currentStep: string | null;
    readonly takenOver: boolean;
    readonly mergeCommit: string | null;
    readonly targetBranch: string;
    readonly branch: string | null;
    /** A commit of the task was handed over. */
    readonly hasWork: boolean;
    readonly finishedAt: Date | null;
  };
  readonly dependencies: readonly DependencyFact[];
  readonly activeRun: RunFact | null;
  /** Error of the newest ended run, where that did not succeed. */
  readonly lastError: Reason | null;
  /** 1 = next to start in its queue; null where its run is not queued, or not due yet. */
  readonly queuePosition: number | null;
  /** Tasks that the merge queue of the same repository takes up first. */
  readonly mergesAhead: readonly string[];
  readonly openQuestion: { readonly id: string; readonly text: string } | null;
  readonly slots: readonly SlotFact[];
  readonly cannotRun: Reason | null;
}

interface FactRow {
  readonly id: string;
  readonly state: TaskState;
  readonly waits_for: WaitsFor | null;
  readonly reason: Reason | null;
  readonly wake_at: Date | null;
  readonly deadline_at: Date;
  readonly deadline_from: string | null;
  readonly current_step: string | null;
  readonly taken_over: boolean;
  readonly merge_commit: string | null;
  readonly target_branch: string;
  readonly branch: string | null;
  readonly has_work: boolean;
  readonly finished_at: Date | null;
  readonly repository_id: string;
  readonly source: string;
  readonly number: string;
  readonly run: { id: string; step: string; state: RunState; queue: string; slot: string | null } | null;
  readonly run_queued_at: Date | null;
  readonly run_started_at: Date | null;
  readonly machine: string | null;
  readonly machine_gone: boolean;
  readonly last_error: Reason | null;
  readonly question: { id: string; text: string } | null;
}

const FACTS = `
select t.id, t.state, t.waits_for, t.reason, t.wake_at, t.deadline_at, t.deadline_from, t.current_step, t.taken_over,
  t.merge_commit, p.target_branch, t.branch, t.head_commit is not null as has_work, t.finished_at, t.repository_id, t.source, t.number::text as number,
  case when r.id is not null then
    jsonb_build_object('id', r.id, 'step', r.step, 'state', r.state, 'queue', r.queue, 'slot', r.slot) end as run,
  m.name as machine, not (${IS_ALIVE}) as machine_gone, r.queued_at as run_queued_at, coalesce(r.started_at, r.leased_at) as run_started_at,
  (select e.error from miyabi.runs e where e.task_id = t.id and e.state in ('succeeded', 'failed', 'lost', 'cancelled')
    order by e.attempt desc limit 1) as last_error,
  (select jsonb_build_object('id', q.id, 'text', q.text) from miyabi.questions q
    where q.task_id = t.id and q.answer is null and q.withdrawn_at is null order by q.number limit 1) as question
from miyabi.tasks t join miyabi.repositories p on p.id = t.repository_id
  left join miyabi.runs r on r.task_id = t.id and r.state in ('queued', 'leased', 'running')
  left join miyabi.slots s on s.slot = r.slot left join miyabi.machines m on m.name = coalesce(s.machine, r.reserved_for)
where t.id = $1`;

/** Reads what an explanation needs. @throws not_found */
export async function readExplainFacts(
  db: Database,
  team: TeamFacts,
  { taskId, now }: { readonly taskId: string; readonly now: Date },
): Promise<ExplainFacts> {
  const { rows } = await db.query<FactRow>(FACTS, [taskId]);
  const row = rows[0];
  if (row === undefined) throw noTask(taskId);
  const isOpen = !isFinal(row.state);
  const [slots, cannotRun] = isOpen
    ? await Promise.all([team.slots(), team.cannotRun({ source: row.source })])
    : [[], null];
  const isDue = row.state === "ready" && row.run?.state === "queued";
  return {
    now,
    task: {
      id: row.id,
      state: row.state,
      waitsFor: row.waits_for,
      reason: row.reason,
      wakeAt: row.wake_at,
      deadlineAt: row.deadline_at,
      deadlineFrom: row.deadline_from,
      currentStep: row.current_step,
      takenOver: row.taken_over,
      mergeCommit: row.merge_commit,
      targetBranch: row.target_branch,
      branch: row.branch,
      hasWork: row.has_work,
      finishedAt: row.finished_at,
    },
    dependencies: isOpen ? await readDependencies(db, taskId) : [],
    activeRun:
      row.run === null
        ? null
        : {
            ...row.run,
            queuedAt: row.run_queued_at ?? now,
            startedAt: row.run_started_at,
            machine:
              row.machine === null
                ? null
                : { name: row.machine, isHere: row.machine === team.machine, isGone: row.machine_gone },
          },
    lastError: row.last_error,
    queuePosition: isDue && row.run !== null ? await queuePosition(db, row, row.run.queue) : null,
    mergesAhead: row.reason?.code === "merge.queued" ? await mergesAhead(db, row) : [],
    openQuestion: row.question,
    slots,
    cannotRun,
  };
}

async function queuePosition(db: Queryable, row: FactRow, queue: string): Promise<number> {
  const { rows } = await db.query<{ ahead: number }>(
    `select count(*)::int as ahead from miyabi.tasks t
       join miyabi.runs r on r.task_id = t.id and r.state = 'queued' and r.queue = $1
     where t.state = 'ready' and (t.deadline_at, t.number) < ($2, $3::bigint)`,
    [queue, row.deadline_at, row.number],
  );
  return (rows[0]?.ahead ?? 0) + 1;
}

async function mergesAhead(db: Queryable, row: FactRow): Promise<readonly string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select t.id from miyabi.tasks t
     where t.repository_id = $1 and t.id <> $2 and t.state in ('ready', 'running') and t.reason ->> 'code' like 'merge.%'
       and (t.state = 'running' or (t.deadline_at, t.number) < ($3, $4::bigint))
     order by t.deadline_at, t.number limit 20`,
    [row.repository_id, row.id, row.deadline_at, row.number],
  );
  return rows.map(({ id }) => id);
}

interface EdgeRow {
  readonly task_id: string;
  readonly id: string;
  readonly title: string;
  readonly state: TaskState;
  readonly reason: Reason | null;
}

async function readDependencies(db: Queryable, taskId: string): Promise<readonly DependencyFact[]> {
  const { rows } = await db.query<EdgeRow>(
    `with recursive open(task_id, id) as (
       select d.task_id, d.depends_on from miyabi.task_dependencies d
         join miyabi.tasks t on t.id = d.depends_on and t.state <> 'done' where d.task_id = $1
       union
       select d.task_id, d.depends_on from open join miyabi.task_dependencies d on d.task_id = open.id
         join miyabi.tasks t on t.id = d.depends_on and t.state <> 'done')
     select open.task_id, t.id, t.title, t.state, t.reason
     from (select * from open limit 2000) open join miyabi.tasks t on t.id = open.id order by t.number`,
    [taskId],
  );
  const edges = new Map<string, EdgeRow[]>();
  for (const row of rows) edges.set(row.task_id, [...(edges.get(row.task_id) ?? []), row]);
  return (edges.get(taskId) ?? []).map((direct) => {
    const end = chainFrom(direct, edges);
    return {
      id: direct.id,
      title: direct.title,
      state: direct.state,
      path: end.path,
      root: { state: end.row.state, reason: end.row.reason },
    };
  });
}

/** Follows open dependencies to one that has none; a chain with a task that ended without a merge comes first. */
function chainFrom(
  start: EdgeRow,
  edges: ReadonlyMap<string, readonly EdgeRow[]>,
): { readonly path: readonly string[]; readonly row: EdgeRow } {
  const seen = new Set<string>([start.id]);
  let waiting: { readonly path: readonly string[]; readonly row: EdgeRow }[] = [
    { path: [start.id], row: start },
  ];
  let found: { readonly path: readonly string[]; readonly row: EdgeRow } | null = null;
  while (waiting.length > 0) {
    const following: typeof waiting = [];
    for (const chain of waiting) {
      if (isFinal(chain.row.state)) return chain;
      const ahead = edges.get(chain.row.id) ?? [];
      if (ahead.length === 0) found ??= chain;
      for (const row of ahead) {
        if (seen.has(row.id)) continue;
        seen.add(row.id);
        following.push({ path: [...chain.path, row.id], row });
      }
    }
    waiting = following;
  }
  return found ?? { path: [start.id], row: start };
}
