import { AsyncLocalStorage } from "node:async_hooks";
import { AppError, toAppError, type Clock } from "../../base/index.ts";
import type { Database } from "../../store/index.ts";
import type { Budget } from "./budget.ts";
import {
  grantWrite,
  noteAccepted,
  notePause,
  readWrites,
  roomInMs,
  type WriteLimits,
} from "./write-pace-store.ts";

/** What waits for what: a pull request and its merge, then people who asked, then labels, then comments that show progress. */
export const URGENCIES = ["urgent", "answer", "label", "comment"] as const;
export type Urgency = (typeof URGENCIES)[number];

/** Share of an hour's writes that may be used up before; the rest is kept for what is more urgent. */
const SHARES: Readonly<Record<Urgency, number>> = { urgent: 1, answer: 0.9, label: 0.75, comment: 0.5 };

/** Urgency of a request by its route; null for one that only reads. Pure. */
export function urgencyOf(route: string): Urgency | null {
  if (route.startsWith("GET ") || route.startsWith("HEAD ")) return null;
  if (/\/pulls(\/\{pull_number\}(\/merge)?)?$/.test(route)) return "urgent";
  if (/\/labels(\/\{name\})?$/.test(route)) return "label";
  return /\/comments(\/\{comment_id\})?$/.test(route) ? "comment" : "answer";
}

/** GraphQL writes only with mutations. Pure. */
export const isMutation = (query: string): boolean => /^\s*mutation\b/.test(query);

export interface WriteState {
  readonly limits: WriteLimits;
  readonly minute: number;
  readonly hour: number;
  /** GitHub refused a write and asked us to wait until then; null: it did not. */
  readonly pausedUntil: Date | null;
}

/** GitHub's limits for writing, planned with: it is never asked to refuse. */
export interface WritePace {
  /**
   * Does one write when its turn has come: one after the other, the most urgent one first.
   * @throws github.rate_limited (`retryAfterMs`) where that would be long; nothing was done then.
   */
  write<T>(urgency: Urgency, work: () => Promise<T>): Promise<T>;
  /** Does work whose writes all have this urgency, whatever their routes: an answer to a person is a comment too. */
  as<T>(urgency: Urgency, work: () => Promise<T>): Promise<T>;
  /** Whether a write of this urgency would find room soon; what has none is better not begun. */
  hasRoom(urgency: Urgency): Promise<boolean>;
  /** Null: the server has no such limits. */
  state(): Promise<WriteState | null>;
}

interface PaceParams {
  /** Null: the server has none; writes are neither counted nor put in order. */
  readonly limits: WriteLimits | null;
  /** Whose limits they are. */
  readonly connection: string;
  readonly database: Database;
  readonly budget: Pick<Budget, "isShort" | "pauseMs">;
  readonly clock: Clock;
}

// Longer than this nobody stands in line: the outbox comes again.
const PATIENCE_MS = 10_000;
// Those in line hold what the outbox has for work at once.
const LINE = 2;

interface Waiter {
  readonly urgency: Urgency;
  readonly enter: () => void;
}

export function createWritePace(params: Readonly<PaceParams>): WritePace {
  const { limits, connection, database, budget, clock } = params;
  const line: Waiter[] = [];
  const meant = new AsyncLocalStorage<Urgency>();
  let isBusy = false;

  const enter = (urgency: Urgency): Promise<void> => {
    if (!isBusy) {
      isBusy = true;
      return Promise.resolve();
    }
    return new Promise((resolve) => line.push({ urgency, enter: resolve }));
  };
  const leave = (): void => {
    const next = URGENCIES.flatMap((urgency) => line.filter((one) => one.urgency === urgency))[0];
    if (next === undefined) isBusy = false;
    else {
      line.splice(line.indexOf(next), 1);
      next.enter();
    }
  };

  const question = (urgency: Urgency, known: WriteLimits) => ({
    connection,
    limits: known,
    hourShare: Math.max(1, Math.floor(known.perHour * SHARES[urgency])),
    now: clock.now(),
  });
  const granted = async (urgency: Urgency, known: WriteLimits): Promise<void> => {
    for (;;) {
      const pauseMs = Math.max(budget.pauseMs(), 0) || (await grantWrite(database, question(urgency, known)));
      if (pauseMs === 0) return;
      if (pauseMs > PATIENCE_MS)
        throw new AppError({
          code: "github.rate_limited",
          message: `GitHub's limit for writing is used up for ${Math.ceil(pauseMs / 1_000)} s more.`,
          details: { retryAfterMs: pauseMs },
        });
      await clock.sleep(pauseMs);
    }
  };

  return {
    as: (urgency, work) => meant.run(urgency, work),
    write: async (ofRoute, work) => {
      if (limits === null) return work();
      const urgency = meant.getStore() ?? ofRoute;
      await enter(urgency);
      try {
        await granted(urgency, limits);
        const done = await work();
        await noteAccepted(database, connection);
        return done;
      } catch (error) {
        const { code, details } = toAppError(error);
        const pauseMs = details["retryAfterMs"];
        // A refusal has a status; a wait that we planned ourselves has none.
        if (code === "github.rate_limited" && details["status"] !== undefined && typeof pauseMs === "number")
          await notePause(database, { connection, pauseMs, now: clock.now() });
        throw error;
      } finally {
        leave();
      }
    },
    hasRoom: async (urgency) => {
      if (budget.pauseMs() > 0) return false;
      if (urgency !== "urgent" && urgency !== "answer" && budget.isShort()) return false;
      if (limits === null) return true;
      if (urgency !== "urgent" && line.length >= LINE) return false;
      return (await roomInMs(database, question(urgency, limits))) === 0;
    },
    state: async () =>
      limits === null ? null : { limits, ...(await readWrites(database, connection, clock.now())) },
  };
}
