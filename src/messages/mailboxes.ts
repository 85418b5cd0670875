import { AppError } from "../base/index.ts";
import type { MessageView } from "../contract/index.ts";
import { notify, type Database, type Tx } from "../store/index.ts";
import { appendEvents } from "../tasks/index.ts";
import {
  insertMessage,
  lockMailboxes,
  markDelivered,
  openMessages,
  selectMessages,
  toMessageView,
  type ListFilter,
  type MessageRow,
} from "./mailbox-rows.ts";
import { takeBackExpired, takeBackFrom, type RedeliveryRules, type Undelivered } from "./redelivery.ts";

/** Channel on which a mailbox's name is announced when something new may be taken from it. */
export const MESSAGES_CHANNEL = "miyabi_messages";
/** Mailbox of the people who watch. */
export const PERSON = "person";
export const LONGEST_MESSAGE = 20_000;

export interface SendParams {
  readonly sender: string;
  /** A role, a slot, or `person`; whether it exists is for the caller to know. */
  readonly recipient: string;
  readonly taskId: string | null;
  readonly body: string;
  /** Sending again with the same key gives the first message again; null: every call is a message. */
  readonly dedupeKey?: string | null;
}

export interface TakeParams {
  /** Mailboxes that the session reads, e.g. its slot and its role. */
  readonly recipients: readonly string[];
  /** Who takes them: the slot. */
  readonly session: string;
  /** Whether to give also what this session has already and did not acknowledge yet. */
  readonly again: boolean;
  readonly limit?: number;
}

export interface Page<T> {
  readonly items: T[];
  readonly nextCursor: string | null;
}

export interface Mailboxes {
  send(params: Readonly<SendParams>): Promise<MessageView>;
  /** The same within a transaction of the caller. */
  sendIn(tx: Tx, params: Readonly<SendParams>): Promise<MessageView>;
  /**
   * Takes what comes next, each mailbox in order; a message is the session's until its lease ends. Nothing overtakes a
   * message that another session has or that pauses before its next delivery.
   */
  take(params: Readonly<TakeParams>): Promise<readonly MessageView[]>;
  /** Idempotent, also after the lease has ended. Returns the ids that are acknowledged now; others are not in `recipients` or dead. */
  acknowledge(params: {
    readonly ids: readonly string[];
    readonly recipients: readonly string[];
  }): Promise<readonly string[]>;
  /** Extends the leases of a session that lives and has not got round to its messages yet. */
  renew(session: string): Promise<void>;
  /** A session has ended: what it did not acknowledge is free for the next one. */
  release(session: string): Promise<void>;
  /** Takes back what was not acknowledged in time. To be called every few seconds; safe from several processes. */
  tick(): Promise<void>;
  /** Newest first. @throws input.invalid for a cursor that is none. */
  list(
    params: ListFilter & { readonly cursor?: string | undefined; readonly limit: number },
  ): Promise<Page<MessageView>>;
}

export interface MailboxesParams {
  readonly database: Database;
  /** How long a session may have a message before it counts as not delivered. Default 5 min. */
  readonly leaseMs?: number;
  /** Default: dead after 5 deliveries; pauses from 5 s to 5 min. */
  readonly rules?: RedeliveryRules;
}

const DEFAULT_RULES: RedeliveryRules = { maxAttempts: 5, retryBaseMs: 5_000, retryMaxMs: 300_000 };

/** Mailboxes in PostgreSQL: per recipient numbered without gaps, delivered in order, nothing lost by a kill. */
export function createMailboxes(params: Readonly<MailboxesParams>): Mailboxes {
  const { database } = params;
  const leaseMs = params.leaseMs ?? 300_000;
  const rules = params.rules ?? DEFAULT_RULES;

  const sendIn: Mailboxes["sendIn"] = async (tx, message) => {
    const { row, created } = await insertMessage(tx, { ...message, dedupeKey: message.dedupeKey ?? null });
    if (created) await announce(tx, [changeOf(row, "queued")]);
    return toMessageView(row);
  };

  return {
    sendIn,
    send: (message) => database.transaction((tx) => sendIn(tx, message)),
    take: ({ recipients, session, again, limit = 50 }) =>
      database.transaction(async (tx) => {
        const boxes = [...new Set(recipients)];
        await lockMailboxes(tx, boxes);
        await announce(tx, await takeBackExpired(tx, boxes, rules));
        const rows = inOrder(deliverable(await openMessages(tx, boxes, limit), session, again)).slice(
          0,
          limit,
        );
        const fresh = rows.filter(({ state }) => state === "queued");
        if (fresh.length > 0) {
          await markDelivered(
            tx,
            fresh.map(({ id }) => id),
            session,
            leaseMs,
          );
          await appendChanges(
            tx,
            fresh.map((row) => changeOf(row, "delivered")),
          );
        }
        return rows.map((row) => ({
          ...toMessageView(row),
          state: "delivered" as const,
          attempts: row.attempts + (row.state === "queued" ? 1 : 0),
        }));
      }),
    acknowledge: ({ ids, recipients }) =>
      database.transaction(async (tx) => {
        const { rows } = await tx.query<{ id: string; recipient: string; task_id: string | null }>(
          `update miyabi.messages set state = 'acknowledged', acknowledged_at = now(), leased_by = null, leased_until = null
           where id = any($1::text[]) and recipient = any($2::text[]) and state in ('queued', 'delivered')
           returning id, recipient, task_id`,
          [ids, recipients],
        );
        await appendChanges(
          tx,
          rows.map(({ id, recipient, task_id: taskId }) => ({
            id,
            recipient,
            taskId,
            state: "acknowledged",
          })),
        );
        const done = await tx.query<{ id: string }>(
          `select id from miyabi.messages where id = any($1::text[]) and recipient = any($2::text[])
             and state = 'acknowledged' order by number`,
          [ids, recipients],
        );
        return done.rows.map(({ id }) => id);
      }),
    renew: async (session) => {
      await database.query(
        `update miyabi.messages set leased_until = now() + $2 * interval '1 millisecond'
         where leased_by = $1 and state = 'delivered' and leased_until > now()`,
        [session, leaseMs],
      );
    },
    release: (session) => database.transaction(async (tx) => announce(tx, await takeBackFrom(tx, session))),
    tick: () => database.transaction(async (tx) => announce(tx, await takeBackExpired(tx, null, rules))),
    list: async ({ cursor, limit, ...filter }) => {
      const rows = await selectMessages(database, filter, parseCursor(cursor), limit + 1);
      return pageOfRows(rows, limit, toMessageView);
    },
  };
}

/** What a session may get now: each mailbox from its head, up to the first message that must be waited for. */
export function deliverable(
  rows: readonly MessageRow[],
  session: string,
  again: boolean,
): readonly MessageRow[] {
  const blocked = new Set<string>();
  return rows.filter((row) => {
    if (blocked.has(row.recipient)) return false;
    if (row.state === "delivered" && row.leased_by === session) return again;
    if (row.state === "queued" && !row.waits) return true;
    blocked.add(row.recipient);
    return false;
  });
}

/** Across mailboxes in the order of sending. */
function inOrder(rows: readonly MessageRow[]): MessageRow[] {
  return rows.toSorted((a, b) => Number(BigInt(a.number) - BigInt(b.number)));
}

interface Change {
  readonly id: string;
  readonly recipient: string;
  readonly taskId: string | null;
  readonly state: MessageView["state"];
}

function changeOf(row: MessageRow, state: MessageView["state"]): Change {
  return { id: row.id, recipient: row.recipient, taskId: row.task_id, state };
}

function appendChanges(tx: Tx, changes: readonly Change[]): Promise<void> {
  return appendEvents(
    tx,
    changes.map(({ id, recipient, taskId, state }) => ({
      type: "message.changed" as const,
      taskId,
      data: { messageId: id, recipient, state },
    })),
  );
}

/** Records changes and wakes those who may take something now. */
async function announce(tx: Tx, changes: readonly (Change | Undelivered)[]): Promise<void> {
  await appendChanges(tx, changes);
  const waiting = changes.filter(({ state }) => state !== "acknowledged");
  for (const recipient of new Set(waiting.map((change) => change.recipient)))
    await notify(tx, MESSAGES_CHANNEL, recipient);
}

/** Number that a page begins before; null for the first page. @throws input.invalid */
export function parseCursor(cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  if (/^\d{1,18}$/.test(cursor)) return cursor;
  throw new AppError({ code: "input.invalid", message: "The cursor is not one that a list gave." });
}

/** A page of rows of which one more than `limit` was asked for. */
export function pageOfRows<Row extends { readonly number: string }, View>(
  rows: readonly Row[],
  limit: number,
  toView: (row: Row) => View,
): Page<View> {
  const items = rows.slice(0, limit);
  return {
    items: items.map(toView),
    nextCursor: rows.length > limit ? (items.at(-1)?.number ?? null) : null,
  };
}
