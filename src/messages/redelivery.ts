import type { Tx } from "../store/index.ts";
import { lockMailboxes } from "./mailbox-rows.ts";

export interface RedeliveryRules {
  /** Deliveries after which a message that nobody acknowledged is dead. */
  readonly maxAttempts: number;
  /** Pause after the first delivery that was not acknowledged; doubles with each further one. */
  readonly retryBaseMs: number;
  readonly retryMaxMs: number;
}

/** A message whose delivery came to nothing. */
export interface Undelivered {
  readonly id: string;
  readonly recipient: string;
  readonly taskId: string | null;
  readonly state: "queued" | "dead";
}

interface UndeliveredRow {
  readonly id: string;
  readonly recipient: string;
  readonly task_id: string | null;
  readonly state: "queued" | "dead";
}

const RETURNING = "returning id, recipient, task_id, state";

/**
 * Takes back messages that were not acknowledged in time: dead after `maxAttempts` deliveries, else queued again after a
 * pause. What was delivered behind them in the same mailbox is queued too, uncounted, so that the order holds when the
 * mailbox is delivered again. `recipients` null means all mailboxes.
 */
export async function takeBackExpired(
  tx: Tx,
  recipients: readonly string[] | null,
  rules: RedeliveryRules,
): Promise<readonly Undelivered[]> {
  const found = await tx.query<{ recipient: string }>(
    `select distinct recipient from miyabi.messages
     where state = 'delivered' and leased_until <= now() and ($1::text[] is null or recipient = any($1))`,
    [recipients],
  );
  if (found.rows.length === 0) return [];
  const boxes = found.rows.map(({ recipient }) => recipient);
  await lockMailboxes(tx, boxes);
  const dead = await tx.query<UndeliveredRow>(
    `update miyabi.messages set state = 'dead', leased_by = null, leased_until = null,
       dead_reason = format('Not acknowledged after %s deliveries.', attempts)
     where recipient = any($1::text[]) and state = 'delivered' and leased_until <= now() and attempts >= $2 ${RETURNING}`,
    [boxes, rules.maxAttempts],
  );
  const behind = await tx.query<UndeliveredRow>(
    `update miyabi.messages m set state = 'queued', leased_by = null, leased_until = null,
       attempts = greatest(attempts - 1, 0)
     where recipient = any($1::text[]) and state = 'delivered' and leased_until > now()
       and seq > (select min(first.seq) from miyabi.messages first
         where first.recipient = m.recipient and first.state = 'delivered' and first.leased_until <= now()) ${RETURNING}`,
    [boxes],
  );
  const again = await tx.query<UndeliveredRow>(
    `update miyabi.messages set state = 'queued', leased_by = null, leased_until = null,
       retry_at = now() + least($3::float8, $2::float8 * power(2, attempts - 1)) * interval '1 millisecond'
     where recipient = any($1::text[]) and state = 'delivered' and leased_until <= now() ${RETURNING}`,
    [boxes, rules.retryBaseMs, rules.retryMaxMs],
  );
  return [...dead.rows, ...again.rows, ...behind.rows].map(({ task_id: taskId, ...row }) => ({
    ...row,
    taskId,
  }));
}

/** Gives back at once, uncounted, what a session had and did not acknowledge. */
export async function takeBackFrom(tx: Tx, session: string): Promise<readonly Undelivered[]> {
  const { rows } = await tx.query<UndeliveredRow>(
    `update miyabi.messages set state = 'queued', leased_by = null, leased_until = null,
       attempts = greatest(attempts - 1, 0)
     where state = 'delivered' and leased_by = $1 ${RETURNING}`,
    [session],
  );
  return rows.map(({ task_id: taskId, ...row }) => ({ ...row, taskId }));
}
