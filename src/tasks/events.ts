import type { EventType, EventView } from "../contract/index.ts";
import type { Queryable, Tx } from "../store/index.ts";

/** LISTEN channel that is signalled by every transaction that wrote events. */
export const EVENTS_CHANNEL = "miyabi_events";

export interface NewEvent {
  readonly type: EventType;
  readonly taskId?: string | null;
  readonly runId?: string | null;
  readonly slot?: string | null;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** Appends to the history, in the transaction of the change that it tells of, and wakes the readers at commit. */
export async function appendEvents(tx: Tx, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  const rows = events.map((event) => ({
    type: event.type,
    task_id: event.taskId ?? null,
    run_id: event.runId ?? null,
    slot: event.slot ?? null,
    data: event.data ?? {},
  }));
  // NOTIFY with one constant payload: PostgreSQL folds repetitions within a transaction into one signal.
  await tx.query(
    `with inserted as (
       insert into miyabi.events (type, task_id, run_id, slot, data)
       select * from jsonb_to_recordset($1) as e(type text, task_id text, run_id text, slot text, data jsonb))
     select pg_notify('${EVENTS_CHANNEL}', '')`,
    [JSON.stringify(rows)],
  );
}

interface EventRow {
  readonly xid: string;
  readonly id: string;
  readonly at: Date;
  readonly type: EventType;
  readonly task_id: string | null;
  readonly run_id: string | null;
  readonly slot: string | null;
  readonly data: Record<string, unknown>;
}

// An unqualified name in ORDER BY means the output column, which is text here: 1000 would come before 999.
const COLUMNS = "xid::text, id::text, at, type, task_id, run_id, slot, data";

function toView(row: EventRow): EventView {
  return {
    id: `${row.xid}-${row.id}`,
    at: row.at.toISOString(),
    type: row.type,
    taskId: row.task_id,
    runId: row.run_id,
    slot: row.slot,
    data: row.data,
  };
}

/** Parts of an event id; null for text that is none. */
export function parseEventId(id: string): { readonly xid: string; readonly number: string } | null {
  const match = /^(\d{1,20})-(\d{1,19})$/.exec(id);
  return match?.[1] !== undefined && match[2] !== undefined ? { xid: match[1], number: match[2] } : null;
}

/**
 * Events after a cursor, oldest first, at most `limit`. Stops before the oldest transaction that is still open, so a
 * reader that continues after the last id it got sees every event exactly once, whatever order transactions commit in.
 */
export async function eventsAfter(
  db: Queryable,
  after: string | null,
  limit: number,
): Promise<readonly EventView[]> {
  const cursor = after === null ? null : parseEventId(after);
  const { rows } = await db.query<EventRow>(
    `select ${COLUMNS} from miyabi.events
     where (xid, id) > ($1::xid8, $2::bigint) and xid < pg_snapshot_xmin(pg_current_snapshot())
     order by events.xid, events.id limit $3`,
    [cursor?.xid ?? "0", cursor?.number ?? "0", limit],
  );
  return rows.map(toView);
}

/** Id of the newest event that `eventsAfter` could give now; null in an empty history. */
export async function lastEventId(db: Queryable): Promise<string | null> {
  const { rows } = await db.query<{ xid: string; id: string }>(
    `select xid::text, id::text from miyabi.events
     where xid < pg_snapshot_xmin(pg_current_snapshot()) order by events.xid desc, events.id desc limit 1`,
  );
  const row = rows[0];
  return row === undefined ? null : `${row.xid}-${row.id}`;
}

/** History of one task, newest first. `before` is the number part of the last id of the page before. */
export async function eventsOfTask(
  db: Queryable,
  taskId: string,
  before: string | null,
  limit: number,
): Promise<readonly EventView[]> {
  const { rows } = await db.query<EventRow>(
    `select ${COLUMNS} from miyabi.events where task_id = $1 and ($2::bigint is null or id < $2) order by events.id desc limit $3`,
    [taskId, before, limit],
  );
  return rows.map(toView);
}
