import { TASK_STATES, type Reason, type StatusView, type TaskState } from "../contract/index.ts";
import type { Queryable } from "../store/index.ts";
import { because } from "./reasons.ts";
import { SUMMARY_COLUMNS, SUMMARY_JOINS, withCosts, type Costs, type SummaryRow } from "./view-rows.ts";

const HOUR_MS = 3_600_000;
const SHOWN = 50;
const SHOWN_NEXT = 20;
/** Enough to see whether the present pace will do; the work behind is due later. */
const LOOKED_AHEAD = 500;

export type Overview = Pick<StatusView, "counts" | "today" | "running" | "next" | "breach" | "throughput"> & {
  /** Failed tasks and those that wait for a person or an approval, oldest first. */
  readonly needsYou: StatusView["needsYou"]["tasks"];
};

export interface OverviewParams {
  readonly range: "24h" | "7d";
  readonly now: Date;
}

/** What the overview page says about tasks. Seven short statements, each on an index. */
export async function readOverview(
  db: Queryable,
  costs: Costs,
  params: Readonly<OverviewParams>,
): Promise<Overview> {
  const { now } = params;
  const counts = await countTasks(db);
  const throughput = await readThroughput(db, costs, params);
  const today = await readToday(db, costs, now);
  const needsYou = await summaries(
    db,
    `select id from miyabi.tasks where state in ('failed', 'waiting', 'delivered')
       and (state = 'failed' or waits_for in ('person', 'approval')) order by updated_at limit ${SHOWN}`,
    "t.updated_at",
  );
  const running = await summaries(
    db,
    `select id from miyabi.tasks where state = 'running' order by deadline_at, number limit ${SHOWN}`,
    "t.deadline_at, t.number",
  );
  const next = await readNext(db);
  return {
    counts,
    today,
    throughput,
    needsYou: await withCosts(needsYou, costs),
    running: await withCosts(running, costs),
    next: (await withCosts(next, costs)).map((task, index) => ({
      ...task,
      orderReason: orderReason(index + 1, next[index] as NextRow),
    })),
    breach: await findBreach(db, now),
  };
}

/** Number of tasks in each state, all states named. */
export async function countTasks(db: Queryable): Promise<Record<TaskState, number>> {
  const { rows } = await db.query<{ state: TaskState; count: number }>(
    "select state, count(*)::int as count from miyabi.tasks group by state",
  );
  const counts = Object.fromEntries(TASK_STATES.map((state) => [state, 0])) as Record<TaskState, number>;
  for (const row of rows) counts[row.state] = row.count;
  return counts;
}

async function summaries(db: Queryable, ids: string, orderBy: string): Promise<readonly SummaryRow[]> {
  const { rows } = await db.query<SummaryRow>(
    `select ${SUMMARY_COLUMNS} from miyabi.tasks t ${SUMMARY_JOINS} where t.id in (${ids}) order by ${orderBy}`,
  );
  return rows;
}

interface NextRow extends SummaryRow {
  readonly queue: string;
  readonly due_at: Date | null;
  readonly deadline_from: string | null;
}

async function readNext(db: Queryable): Promise<readonly NextRow[]> {
  const { rows } = await db.query<NextRow>(
    `with due as (
       select t.id, r.queue from miyabi.tasks t
         join miyabi.runs r on r.task_id = t.id and r.state = 'queued'
       where t.state = 'ready' order by t.deadline_at, t.number limit ${SHOWN_NEXT})
     select ${SUMMARY_COLUMNS}, due.queue, t.due_at, t.deadline_from
     from due join miyabi.tasks t on t.id = due.id ${SUMMARY_JOINS} order by t.deadline_at, t.number`,
  );
  return rows;
}

function orderReason(position: number, row: NextRow): Reason {
  const params = { position, queue: row.queue, deadlineAt: row.deadline_at.toISOString(), class: row.class };
  if (row.deadline_from !== null)
    return because("order.inherited", `${row.deadline_from}, which waits for it, is due first.`, {
      ...params,
      from: row.deadline_from,
    });
  if (row.due_at !== null) return because("order.due_date", "Its due date comes first.", params);
  return because("order.class", `Its deadline as ${row.class} comes first.`, params);
}

async function readToday(db: Queryable, costs: Costs, now: Date): Promise<StatusView["today"]> {
  const from = new Date(now.getFullYear(), now.getMonth(), now.getDate());
  const { rows } = await db.query<{ merged: number; failed: number }>(
    `select (count(*) filter (where state = 'done'))::int as merged,
       (count(*) filter (where state = 'failed'))::int as failed
     from miyabi.tasks where finished_at >= $1`,
    [from],
  );
  const [costMicros] = await costs.perSpan({ from, stepMs: 25 * HOUR_MS, count: 1 });
  return { merged: rows[0]?.merged ?? 0, failed: rows[0]?.failed ?? 0, costMicros: costMicros ?? null };
}

async function readThroughput(
  db: Queryable,
  costs: Costs,
  { range, now }: Readonly<OverviewParams>,
): Promise<StatusView["throughput"]> {
  const count = range === "24h" ? 24 : 7;
  const stepMs = range === "24h" ? HOUR_MS : 24 * HOUR_MS;
  // The last bucket is the running hour or day, so that a merge shows at once.
  const end =
    range === "24h"
      ? new Date(now.getFullYear(), now.getMonth(), now.getDate(), now.getHours() + 1)
      : new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1);
  const from = new Date(end.getTime() - count * stepMs);
  const { rows } = await db.query<{ bucket: number; merged: number; failed: number }>(
    `select floor(extract(epoch from finished_at - $1) * 1000 / $2)::int as bucket,
       (count(*) filter (where state = 'done'))::int as merged,
       (count(*) filter (where state = 'failed'))::int as failed
     from miyabi.tasks where finished_at >= $1 and finished_at < $3 group by 1`,
    [from, stepMs, end],
  );
  const spent = await costs.perSpan({ from, stepMs, count });
  const byBucket = new Map(rows.map((row) => [row.bucket, row]));
  return Array.from({ length: count }, (_, index) => ({
    from: new Date(from.getTime() + index * stepMs).toISOString(),
    merged: byBucket.get(index)?.merged ?? 0,
    failed: byBucket.get(index)?.failed ?? 0,
    costMicros: spent[index] ?? null,
  }));
}

const OPEN_STATES = TASK_STATES.filter((state) => !["done", "failed", "cancelled"].includes(state));

/** At the pace of the last 24 hours; with nothing done in them, only what is late already counts. */
async function findBreach(db: Queryable, now: Date): Promise<StatusView["breach"]> {
  const open = OPEN_STATES.map(
    (state) =>
      `(select id, number, deadline_at from miyabi.tasks where state = '${state}' order by deadline_at limit ${LOOKED_AHEAD})`,
  );
  const { rows } = await db.query<{ id: string; deadline_at: Date }>(
    `select id, deadline_at from (${open.join(" union all ")}) open order by deadline_at, number limit ${LOOKED_AHEAD}`,
  );
  const done = await db.query<{ count: number }>(
    "select count(*)::int as count from miyabi.tasks where finished_at >= $1 and state = 'done'",
    [new Date(now.getTime() - 24 * HOUR_MS)],
  );
  const perTaskMs = (24 * HOUR_MS) / Math.max(1, done.rows[0]?.count ?? 0);
  const hasPace = (done.rows[0]?.count ?? 0) > 0;
  const late = rows.find(
    (row, index) => row.deadline_at.getTime() < now.getTime() + (hasPace ? (index + 1) * perTaskMs : 0),
  );
  return late === undefined ? null : { taskId: late.id, deadlineAt: late.deadline_at.toISOString() };
}
