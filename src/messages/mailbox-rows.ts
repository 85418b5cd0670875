import type { MessageView } from "../contract/index.ts";
import type { Queryable, Tx } from "../store/index.ts";

export interface MessageRow {
  readonly number: string;
  readonly id: string;
  readonly recipient: string;
  readonly seq: number;
  readonly sender: string;
  readonly task_id: string | null;
  readonly body: string;
  readonly state: MessageView["state"];
  readonly attempts: number;
  readonly leased_by: string | null;
  /** Whether the message has to wait before it may be delivered again, by the database's clock. */
  readonly waits: boolean;
  readonly created_at: Date;
  readonly acknowledged_at: Date | null;
}

const COLUMNS = `number::text, id, recipient, seq::float8 as seq, sender, task_id, body, state, attempts, leased_by,
  coalesce(retry_at > now(), false) as waits, created_at, acknowledged_at`;

export function toMessageView(row: MessageRow): MessageView {
  return {
    id: row.id,
    seq: row.seq,
    sender: row.sender,
    recipient: row.recipient,
    taskId: row.task_id,
    body: row.body,
    state: row.state,
    attempts: row.attempts,
    createdAt: row.created_at.toISOString(),
    acknowledgedAt: row.acknowledged_at?.toISOString() ?? null,
  };
}

interface InsertMessage {
  readonly sender: string;
  readonly recipient: string;
  readonly taskId: string | null;
  readonly body: string;
  readonly dedupeKey: string | null;
}

/** Puts a message at the end of its mailbox. The mailbox stays locked until the transaction ends. */
export async function insertMessage(
  tx: Tx,
  message: InsertMessage,
): Promise<{ row: MessageRow; created: boolean }> {
  const box = await tx.query<{ seq: number }>(
    `insert into miyabi.mailboxes (recipient, last_seq) values ($1, 0)
     on conflict (recipient) do update set recipient = excluded.recipient returning last_seq::float8 + 1 as seq`,
    [message.recipient],
  );
  if (message.dedupeKey !== null) {
    const known = await tx.query<MessageRow>(`select ${COLUMNS} from miyabi.messages where dedupe_key = $1`, [
      message.dedupeKey,
    ]);
    if (known.rows[0] !== undefined) return { row: known.rows[0], created: false };
  }
  const seq = box.rows[0]?.seq;
  await tx.query("update miyabi.mailboxes set last_seq = $2 where recipient = $1", [message.recipient, seq]);
  const { rows } = await tx.query<MessageRow>(
    `insert into miyabi.messages (recipient, seq, sender, task_id, body, dedupe_key)
     values ($1, $2, $3, $4, $5, $6) returning ${COLUMNS}`,
    [message.recipient, seq, message.sender, message.taskId, message.body, message.dedupeKey],
  );
  const row = rows[0];
  if (row === undefined) throw new Error("insert returned no row");
  return { row, created: true };
}

/** Locks mailboxes in one order, so that two transactions never wait for each other. */
export async function lockMailboxes(tx: Tx, recipients: readonly string[]): Promise<void> {
  await tx.query(
    "select 1 from miyabi.mailboxes where recipient = any($1::text[]) order by recipient for update",
    [recipients],
  );
}

/** Messages that are neither acknowledged nor dead, in order, at most `limit` of each mailbox. */
export async function openMessages(
  db: Queryable,
  recipients: readonly string[],
  limit: number,
): Promise<readonly MessageRow[]> {
  const { rows } = await db.query<MessageRow>(
    `select m.* from unnest($1::text[]) as box (name) cross join lateral (
       select ${COLUMNS} from miyabi.messages where recipient = box.name and state in ('queued', 'delivered')
       order by seq limit $2) m
     order by m.recipient, m.seq`,
    [recipients, limit],
  );
  return rows;
}

export async function markDelivered(
  tx: Tx,
  ids: readonly string[],
  session: string,
  leaseMs: number,
): Promise<void> {
  await tx.query(
    `update miyabi.messages set state = 'delivered', attempts = attempts + 1, leased_by = $2, retry_at = null,
       leased_until = now() + $3 * interval '1 millisecond', delivered_at = now()
     where id = any($1::text[])`,
    [ids, session, leaseMs],
  );
}

export interface ListFilter {
  readonly recipient?: string | undefined;
  readonly state?: string | undefined;
  readonly taskId?: string | undefined;
}

/** Newest first, before a number. */
export async function selectMessages(
  db: Queryable,
  filter: ListFilter,
  before: string | null,
  limit: number,
): Promise<readonly MessageRow[]> {
  const { rows } = await db.query<MessageRow>(
    `select ${COLUMNS} from miyabi.messages
     where ($1::text is null or recipient = $1) and ($2::text is null or state = $2)
       and ($3::text is null or task_id = $3) and ($4::bigint is null or number < $4)
     order by miyabi.messages.number desc limit $5`,
    [filter.recipient ?? null, filter.state ?? null, filter.taskId ?? null, before, limit],
  );
  return rows;
}
