import {
  AppError,
  backoffMs,
  createLoop,
  messageOf,
  toAppError,
  type Clock,
  type Log,
  type Loop,
  type Random,
} from "../../base/index.ts";
import type { Database, Notifier, Tx } from "../../store/index.ts";
import {
  buryEntry,
  claimEntry,
  completeEntry,
  OUTBOX_CHANNEL,
  postponeEntry,
  type OutboxEntry,
} from "./outbox-store.ts";

/** How one kind of effect is brought about. */
export interface OutboxHandler<Result> {
  /**
   * Looks for the effect by its marker; asked before every try but the first. Null: it has not happened.
   * Absent: sending twice leaves the same as sending once.
   */
  find?(entry: OutboxEntry, signal: AbortSignal): Promise<Result | null>;
  /** Brings the effect about. A retryable error is tried again; any other one ends the entry. */
  send(entry: OutboxEntry, signal: AbortSignal): Promise<Result>;
  /** What follows in our own state, in the transaction that records the effect. Must not throw where the state has moved on. */
  settle(tx: Tx, entry: OutboxEntry, result: Result): Promise<void>;
  /** What follows when no try will bring it about, in the transaction that ends the entry. */
  giveUp(tx: Tx, entry: OutboxEntry, error: AppError): Promise<void>;
  /** Whether one may begin now; while not, its entries wait untouched, and further changes join them. Absent: always. */
  mayBegin?(): Promise<boolean>;
}

/** Handlers by kind, the most urgent one first. Each has its own type of result, which only it reads. */
export type OutboxHandlers = ReadonlyMap<string, OutboxHandler<unknown>>;

export interface OutboxWorkerParams {
  readonly database: Database;
  readonly notifier: Notifier;
  readonly handlers: OutboxHandlers;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Effects under way at once. Default 4. */
  readonly concurrency?: number;
}

// A push of a large branch takes long; nobody else may begin with the same target meanwhile.
const LEASE_MS = 5 * 60_000;
const LOOK_MS = 5_000;
const RETRY_BASE_MS = 1_000;
const RETRY_MAX_MS = 5 * 60_000;
const MAX_ATTEMPTS = 30;
// What we do not understand may pass; it must not go on for hours.
const BUG_ATTEMPTS = 5;

/**
 * Brings about what is in the outbox: lease, look for the effect where an earlier try may have had it, send, record.
 * A process that dies in between leaves a lease that expires; the next holder finds the effect by its marker.
 */
export function createOutboxWorker(params: Readonly<OutboxWorkerParams>): Loop {
  const { database, random } = params;
  let unsubscribe: (() => void) | null = null;
  const loop = createLoop({
    name: "outbox",
    intervalMs: LOOK_MS,
    clock: params.clock,
    random,
    log: params.log,
    tick: async (signal) => {
      const claim = async (): Promise<OutboxEntry | null> => {
        const kinds = await kindsToBegin(params.handlers);
        return claimEntry(database, { token: random.uuid(), leaseMs: LEASE_MS, kinds });
      };
      const lane = async (first: OutboxEntry | null): Promise<void> => {
        for (let entry = first; entry !== null; entry = signal.aborted ? null : await claim())
          await deliver(params, entry, signal);
      };
      const first = await claim();
      // An empty outbox is asked once, not once for each lane.
      if (first === null) return;
      const others = Array.from({ length: (params.concurrency ?? 4) - 1 }, async () => lane(await claim()));
      await Promise.all([lane(first), ...others]);
    },
  });
  return {
    ...loop,
    start: () => {
      unsubscribe ??= params.notifier.subscribe(OUTBOX_CHANNEL, () => loop.wake());
      return loop.start();
    },
    stop: () => {
      unsubscribe?.();
      unsubscribe = null;
      return loop.stop();
    },
  };
}

async function kindsToBegin(handlers: OutboxHandlers): Promise<readonly string[]> {
  const kinds: string[] = [];
  for (const [kind, handler] of handlers)
    if (handler.mayBegin === undefined || (await handler.mayBegin())) kinds.push(kind);
  return kinds;
}

async function deliver(
  params: Readonly<OutboxWorkerParams>,
  entry: OutboxEntry,
  signal: AbortSignal,
): Promise<void> {
  const handler = params.handlers.get(entry.kind);
  if (handler === undefined) return;
  try {
    const found = entry.earlierAttempts > 0 ? ((await handler.find?.(entry, signal)) ?? null) : null;
    const result = found ?? (await handler.send(entry, signal));
    await params.database.transaction(async (tx) => {
      if (await completeEntry(tx, entry, result)) await handler.settle(tx, entry, result);
    });
  } catch (error) {
    await failed(params, handler, entry, toAppError(error), signal);
  }
}

async function failed(
  params: Readonly<OutboxWorkerParams>,
  handler: OutboxHandler<unknown>,
  entry: OutboxEntry,
  error: AppError,
  signal: AbortSignal,
): Promise<void> {
  const attempt = entry.earlierAttempts + 1;
  const { number, kind, target, taskId } = entry;
  const limit = error.retryable ? MAX_ATTEMPTS : error.code === "internal.bug" ? BUG_ATTEMPTS : 1;
  if (signal.aborted || attempt < limit) {
    const delayMs = signal.aborted ? 0 : retryDelay(error, attempt, params.random);
    params.log.warn(
      { outbox: number, kind, target, taskId, attempt, error: error.message, delayMs },
      "effect postponed",
    );
    return postponeEntry(params.database, entry, { error: error.message, delayMs });
  }
  params.log.error(
    { outbox: number, kind, target, taskId, attempt, error: messageOf(error) },
    "effect given up",
  );
  await params.database.transaction(async (tx) => {
    if (await buryEntry(tx, entry, error.message)) await handler.giveUp(tx, entry, error);
  });
}

/** A server that says when to come back is believed. */
function retryDelay(error: AppError, attempt: number, random: Random): number {
  const stated = error.details["retryAfterMs"];
  const own = backoffMs({ attempt, baseMs: RETRY_BASE_MS, maxMs: RETRY_MAX_MS, random });
  return typeof stated === "number" ? Math.max(stated, own) : own;
}
