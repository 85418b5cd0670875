import type { Random } from "../../base/index.ts";
import { notify, type Queryable, type Tx } from "../../store/index.ts";

/** LISTEN channel that is signalled when an entry was added. */
export const OUTBOX_CHANNEL = "miyabi_outbox";

/** One effect that is to happen outside of our database, exactly once as far as anybody can see. */
export interface OutboxEntry {
  readonly number: string;
  readonly taskId: string | null;
  readonly kind: string;
  readonly target: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly marker: string;
  /** Tries before this one; above 0 the effect may have happened already. */
  readonly earlierAttempts: number;
  readonly leaseToken: string;
}

export interface NewEntry {
  readonly taskId: string | null;
  readonly kind: string;
  readonly target: string;
  readonly payload?: Readonly<Record<string, unknown>>;
  /** Not before this many milliseconds from now. Default 0. */
  readonly delayMs?: number;
}

/** Adds an effect to the transaction of the state that asks for it. */
export async function addToOutbox(
  tx: Tx,
  random: Pick<Random, "uuid">,
  entry: Readonly<NewEntry>,
): Promise<void> {
  await tx.query(
    `insert into miyabi.outbox (task_id, kind, target, payload, marker, due_at)
     values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))`,
    [
      entry.taskId,
      entry.kind,
      entry.target,
      JSON.stringify(entry.payload ?? {}),
      random.uuid(),
      (entry.delayMs ?? 0) / 1_000,
    ],
  );
  await notify(tx, OUTBOX_CHANNEL, "");
}

/**
 * Adds an effect that makes the target agree with the state at the time of sending: one that waits already is enough.
 * An entry in flight may have read the state before this change, so it does not count.
 */
export async function syncThroughOutbox(
  tx: Tx,
  random: Pick<Random, "uuid">,
  entry: Readonly<NewEntry>,
): Promise<void> {
  const { rowCount } = await tx.query(
    "select 1 from miyabi.outbox where target = $1 and kind = $2 and state = 'pending' and lease_token is null and attempts = 0 for update skip locked",
    [entry.target, entry.kind],
  );
  if (rowCount === 0) await addToOutbox(tx, random, entry);
}

interface ClaimedRow {
  readonly number: string;
  readonly task_id: string | null;
  readonly kind: string;
  readonly target: string;
  readonly payload: Record<string, unknown>;
  readonly marker: string;
  readonly attempts: number;
  readonly lease_token: string;
}

/**
 * Leases the oldest due entry whose target nobody works on; null where there is none. `kinds`: those that may begin, the most
 * urgent one first; the others stay as they are, e.g. what a newer version wrote.
 */
export async function claimEntry(
  db: Queryable,
  params: Readonly<{ token: string; leaseMs: number; kinds: readonly string[] }>,
): Promise<OutboxEntry | null> {
  const { rows } = await db.query<ClaimedRow>(
    `update miyabi.outbox set lease_token = $1, lease_expires_at = now() + make_interval(secs => $2), attempts = attempts + 1
     where number = (
       select due.number from unnest($3::text[]) with ordinality as k (kind, rank) cross join lateral (
         select o.number from miyabi.outbox o
         where o.kind = k.kind and o.state = 'pending' and o.due_at <= now() and (o.lease_expires_at is null or o.lease_expires_at < now())
           and not exists (select 1 from miyabi.outbox p where p.target = o.target and p.state = 'pending' and p.number < o.number)
         order by o.due_at, o.number limit 1 for update skip locked) due
       order by k.rank limit 1)
     returning number::text, task_id, kind, target, payload, marker, attempts, lease_token`,
    [params.token, params.leaseMs / 1_000, params.kinds],
  );
  const row = rows[0];
  if (row === undefined) return null;
  return {
    number: row.number,
    taskId: row.task_id,
    kind: row.kind,
    target: row.target,
    payload: row.payload,
    marker: row.marker,
    earlierAttempts: row.attempts - 1,
    leaseToken: row.lease_token,
  };
}

type Held = Pick<OutboxEntry, "number" | "leaseToken">;

/** Records that the effect has happened. False where the lease was lost: another holder says what became of it. */
export async function completeEntry(tx: Tx, entry: Held, result: unknown): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update miyabi.outbox set state = 'done', result = $3, error = null, finished_at = now(), lease_token = null, lease_expires_at = null
     where number = $1 and lease_token = $2 and state = 'pending'`,
    [entry.number, entry.leaseToken, JSON.stringify(result ?? null)],
  );
  return rowCount > 0;
}

/** Gives the entry back for a later try. */
export async function postponeEntry(
  db: Queryable,
  entry: Held,
  params: Readonly<{ error: string; delayMs: number }>,
): Promise<void> {
  await db.query(
    `update miyabi.outbox set error = $3, due_at = now() + make_interval(secs => $4), lease_token = null, lease_expires_at = null
     where number = $1 and lease_token = $2 and state = 'pending'`,
    [entry.number, entry.leaseToken, params.error.slice(0, 2_000), params.delayMs / 1_000],
  );
}

/** Ends an entry that no try will bring about; a person may revive it. False where the lease was lost. */
export async function buryEntry(tx: Tx, entry: Held, error: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update miyabi.outbox set state = 'dead', error = $3, finished_at = now(), lease_token = null, lease_expires_at = null
     where number = $1 and lease_token = $2 and state = 'pending'`,
    [entry.number, entry.leaseToken, error.slice(0, 2_000)],
  );
  return rowCount > 0;
}
