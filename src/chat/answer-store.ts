import { notify, type Database, type Queryable, type Tx } from "../store/index.ts";
import type { ChatMessageState, Reason } from "../contract/index.ts";
import { CHAT_CHANNEL } from "./news.ts";

/** An answer that is to be written by this process; its fence is the attempt. */
export interface ClaimedAnswer {
  readonly messageId: string;
  readonly threadId: string;
  readonly owner: string;
  readonly persona: string | null;
  /** Choice of the thread; null: none. */
  readonly model: string | null;
  /** Null: the request is not trimmed. */
  readonly trimTokens: number | null;
  /** Whether the thread's answers are reflected; its persona may want it too. */
  readonly reflect: boolean;
  readonly attempt: number;
  /** Text that an earlier attempt has stored. */
  readonly text: string;
}

const LEASE_MS = 15_000;

// Taken is what nobody writes: never begun, released, or left alone for the length of a lease.
const CLAIM = `
with next as (
  select id from miyabi.chat_messages where state = 'streaming' and (lease_until is null or lease_until < now())
  order by number limit 1 for update skip locked)
update miyabi.chat_messages m set attempt = m.attempt + 1, holder = $1, lease_until = now() + $2 * interval '1 millisecond'
from next, miyabi.chat_threads t where m.id = next.id and t.id = m.thread_id
returning m.id, m.thread_id, t.owner, m.persona, t.model, t.trim_tokens, t.reflect, m.attempt,
  coalesce((select string_agg(c.text, '' order by c.start) from miyabi.chat_chunks c where c.message_id = m.id), '') as text`;

/** The next answer to write; null where there is none. */
export async function claimAnswer(db: Queryable, holder: string): Promise<ClaimedAnswer | null> {
  const { rows } = await db.query<{
    id: string;
    thread_id: string;
    owner: string;
    persona: string | null;
    model: string | null;
    trim_tokens: number | null;
    reflect: boolean;
    attempt: number;
    text: string;
  }>(CLAIM, [holder, LEASE_MS]);
  const row = rows[0];
  if (row === undefined) return null;
  return {
    messageId: row.id,
    threadId: row.thread_id,
    owner: row.owner,
    persona: row.persona,
    model: row.model,
    trimTokens: row.trim_tokens,
    reflect: row.reflect,
    attempt: row.attempt,
    text: row.text,
  };
}

/** Gives up what an installation's last control plane was writing: it is dead, or ending, when the next one starts. */
export async function releaseAnswers(db: Queryable, holder: string): Promise<void> {
  await db.query(
    "update miyabi.chat_messages set lease_until = null where state = 'streaming' and holder = $1",
    [holder],
  );
}

type Fence = Pick<ClaimedAnswer, "messageId" | "attempt">;

/** Stores the next piece and renews the lease; false where the answer is no longer ours. */
export async function appendText(db: Queryable, answer: Fence, text: string): Promise<boolean> {
  const clean = text.replaceAll("\0", "");
  const { rowCount } = await db.query(
    `with ours as (
       update miyabi.chat_messages set length = length + $3, lease_until = now() + ${LEASE_MS} * interval '1 millisecond'
       where id = $1 and attempt = $2 and state = 'streaming' returning thread_id, length - $3 as start),
     added as (
       insert into miyabi.chat_chunks (message_id, start, text) select $1, start, $4 from ours where $3 > 0 returning 1)
     select case when $3 > 0 then pg_notify('${CHAT_CHANNEL}', thread_id || ' ' || $1 || ' text') end from ours, (select count(*) from added) a`,
    [answer.messageId, answer.attempt, clean.length, clean],
  );
  return rowCount > 0;
}

/** Says which model is asked, where the answer is still ours. */
export async function noteModel(db: Queryable, answer: Fence, model: string): Promise<void> {
  await note(db, answer, "model = $3", model);
}

/** Says under which id the ledger knows a call, where the answer is still ours. */
export async function noteCall(db: Queryable, answer: Fence, callId: string): Promise<void> {
  await note(db, answer, "call_ids = call_ids || $3::uuid", callId);
}

async function note(db: Queryable, answer: Fence, set: string, value: string): Promise<void> {
  await db.query(
    `update miyabi.chat_messages set ${set} where id = $1 and attempt = $2 and state = 'streaming'`,
    [answer.messageId, answer.attempt, value],
  );
}

/** Ends an answer with the text stored so far; false where it is no longer ours. */
export async function endAnswer(
  db: Database,
  answer: Fence,
  end: { readonly state: Exclude<ChatMessageState, "streaming">; readonly reason: Reason | null },
): Promise<boolean> {
  return db.transaction(async (tx) => {
    const ended = await update(tx, answer, SET_ENDED, [
      end.state,
      end.reason === null ? null : JSON.stringify(end.reason),
    ]);
    if (ended) await removeChunks(tx, answer.messageId);
    return ended;
  });
}

/** Ends an answer whoever writes it, because a person wants that. Again, or after its end, changes nothing. */
export async function stopAnswer(db: Database, messageId: string): Promise<void> {
  await db.transaction(async (tx) => {
    const stopped = await update(tx, { messageId, attempt: null }, SET_ENDED, ["stopped", null]);
    if (stopped) await removeChunks(tx, messageId);
  });
}

/** Whether the answer is still ours to write. */
export async function isOurs(db: Queryable, answer: Fence): Promise<boolean> {
  const { rowCount } = await db.query(
    "select 1 from miyabi.chat_messages where id = $1 and attempt = $2 and state = 'streaming'",
    [answer.messageId, answer.attempt],
  );
  return rowCount > 0;
}

/** Tells everybody who watches that the ledger knows more of the message. */
export async function announceChange(
  db: Database,
  of: { readonly threadId: string; readonly messageId: string },
): Promise<void> {
  await notify(db, CHAT_CHANNEL, `${of.threadId} ${of.messageId} changed`);
}

const SET_ENDED = `state = $3, reason = $4, finished_at = now(), holder = null, lease_until = null,
  content = coalesce((select string_agg(c.text, '' order by c.start) from miyabi.chat_chunks c where c.message_id = m.id), '')`;

/** Changes an answer that is being written; a null attempt means any. */
async function update(
  tx: Tx,
  answer: { readonly messageId: string; readonly attempt: number | null },
  set: string,
  values: readonly unknown[],
): Promise<boolean> {
  // The row is locked first: a piece that is being added at this moment is in the text or refused, never between.
  const { rows } = await tx.query<{ thread_id: string }>(
    `select thread_id from miyabi.chat_messages
     where id = $1 and ($2::int is null or attempt = $2) and state = 'streaming' for update`,
    [answer.messageId, answer.attempt],
  );
  const threadId = rows[0]?.thread_id;
  if (threadId === undefined) return false;
  await tx.query(
    `update miyabi.chat_messages m set ${set} where m.id = $1 and ($2::int is null or m.attempt = $2)`,
    [answer.messageId, answer.attempt, ...values],
  );
  await notify(tx, CHAT_CHANNEL, `${threadId} ${answer.messageId} changed`);
  return true;
}

async function removeChunks(tx: Tx, messageId: string): Promise<void> {
  await tx.query("delete from miyabi.chat_chunks where message_id = $1", [messageId]);
}
