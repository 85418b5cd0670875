import { createLoop, type Clock, type Log, type Random, type Service } from "../base/index.ts";
import type { EventView } from "../contract/index.ts";
import type { Database, Notifier } from "../store/index.ts";
import { EVENTS_CHANNEL, eventsAfter, lastEventId, parseEventId } from "../tasks/index.ts";

export interface EventFeedParams {
  readonly database: Database;
  readonly notifier: Pick<Notifier, "subscribe">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** The newest part of the history in memory, read once for all clients. */
export interface EventFeed extends Service {
  /** Events after a cursor, oldest first: from memory where that reaches back far enough, else from the database. */
  after(cursor: string | null): Promise<readonly EventView[]>;
  /** Calls `wake` when there are new events. Returns the function that ends it. */
  onNews(wake: () => void): () => void;
}

const PAGE = 500;
const KEPT = 2_000;
const SAFETY_MS = 60_000;
const FIRST_RECHECK_MS = 20;
const LONGEST_RECHECK_MS = 250;

/**
 * Reads new events when a transaction announces some. Events become readable only when every older transaction has
 * ended, and the end of one that wrote no event is not announced; so while such events exist, it looks again soon.
 */
export function createEventFeed(params: Readonly<EventFeedParams>): EventFeed {
  const { database, clock } = params;
  const listeners = new Set<() => void>();
  let recent: EventView[] = [];
  /** Cursor before the first of `recent`; undefined until the first round. */
  let from: string | null | undefined;
  let unsubscribe: (() => void) | null = null;

  const last = (): string | null => recent.at(-1)?.id ?? from ?? null;

  const readAll = async (): Promise<void> => {
    for (;;) {
      const events = await eventsAfter(database, last(), PAGE);
      if (events.length === 0) return;
      recent.push(...events);
      const surplus = recent.length - KEPT;
      if (surplus > 0) {
        from = recent[surplus - 1]?.id ?? null;
        recent = recent.slice(surplus);
      }
      for (const wake of listeners) wake();
      if (events.length < PAGE) return;
    }
  };

  const isMoreComing = async (): Promise<boolean> => {
    const cursor = parseEventId(last() ?? "0-0");
    const { rows } = await database.query<{ more: boolean }>(
      "select exists (select 1 from miyabi.events where (xid, id) > ($1::xid8, $2::bigint)) as more",
      [cursor?.xid ?? "0", cursor?.number ?? "0"],
    );
    return rows[0]?.more ?? false;
  };

  const loop = createLoop({
    name: "event-feed",
    intervalMs: SAFETY_MS,
    maxBackoffMs: 2_000,
    clock,
    random: params.random,
    log: params.log,
    tick: async (signal) => {
      if (from === undefined) from = await lastEventId(database);
      for (
        let pauseMs = FIRST_RECHECK_MS;
        !signal.aborted;
        pauseMs = Math.min(pauseMs * 2, LONGEST_RECHECK_MS)
      ) {
        await readAll();
        if (!(await isMoreComing())) return;
        await clock.sleep(pauseMs, signal).catch(() => {});
      }
    },
  });

  return {
    name: "event-feed",
    start: async () => {
      unsubscribe ??= params.notifier.subscribe(EVENTS_CHANNEL, () => loop.wake());
      await loop.start();
    },
    stop: async () => {
      unsubscribe?.();
      unsubscribe = null;
      await loop.stop();
      recent = [];
      from = undefined;
    },
    after: async (cursor) => {
      if (from === undefined || compare(cursor, from) < 0) return eventsAfter(database, cursor, PAGE);
      // Nearly every client stands at the end.
      const start = recent.findLastIndex((event) => compare(event.id, cursor) <= 0) + 1;
      return recent.slice(start, start + PAGE);
    },
    onNews: (wake) => {
      listeners.add(wake);
      return () => void listeners.delete(wake);
    },
  };
}

/** Orders event ids; null stands before all. */
export function compare(a: string | null, b: string | null): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  const [first, second] = [parseEventId(a), parseEventId(b)];
  if (first === null || second === null) return 0;
  const difference = BigInt(first.xid) - BigInt(second.xid) || BigInt(first.number) - BigInt(second.number);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
