import { backoffMs, messageOf, type Clock, type Log, type Random, type Service } from "../base/index.ts";
import type { ModelCall } from "./ledger-store.ts";

export interface LedgerWriter extends Service {
  /** Takes a call; it is written at once, or with the others that come while a write is under way. */
  add(call: ModelCall): void;
  /** Resolves when all calls taken so far are written; rejects never, waits as long as the database is away. */
  flushed(): Promise<void>;
  /** False while so many calls wait for the database that no further one may be made. */
  hasRoom(): boolean;
}

interface LedgerWriterParams {
  readonly insert: (calls: readonly ModelCall[]) => Promise<void>;
  /** Whether a failure lies in the rows themselves, so that the same rows would fail for ever. */
  readonly isRefused: (error: unknown) => boolean;
  /** Keeps a single row that `insert` refuses somewhere else. */
  readonly setAside: (call: ModelCall, reason: string) => Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** How long `stop` goes on trying while the database is away. Default 10 s. */
  readonly stopDeadlineMs?: number;
}

const LARGEST_BATCH = 500;
const MOST_WAITING = 20_000;
const RETRY_BASE_MS = 100;
const RETRY_MAX_MS = 2_000;
/** Pause between two writes: with one for every call, writing took longer than the calls. */
const APART_MS = 5;

/**
 * Groups ledger rows into few statements: a row is written at once, or with those that gather while a write is under way
 * and in the few milliseconds after it. A failed write is repeated with the same rows until it succeeds; where the rows
 * themselves are refused, it is halved until the one that is to blame stands alone, which is then set aside. A SIGKILL loses the
 * calls that are still open (one per agent that waits for its model) and those that ended within the last two writes, a
 * few milliseconds; while the database is away, all that ended since, at most 20,000. `stop` loses nothing while the
 * database answers.
 */
export function createLedgerWriter(params: Readonly<LedgerWriterParams>): LedgerWriter {
  let waiting: ModelCall[] = [];
  let writing: Promise<void> | null = null;
  let stopping: AbortController | null = null;
  let writtenMs = Number.NEGATIVE_INFINITY;

  /** Repeats `work` while the database is away; gives the error that repeating cannot change, or null. */
  const insisting = async (calls: number, work: () => Promise<void>): Promise<unknown> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await work();
        return null;
      } catch (error) {
        if (params.isRefused(error)) return error;
        params.log.error({ calls, attempt, error: messageOf(error) }, "ledger not written");
        const pauseMs = backoffMs({
          attempt,
          baseMs: RETRY_BASE_MS,
          maxMs: RETRY_MAX_MS,
          random: params.random,
        });
        await params.clock.sleep(pauseMs, stopping?.signal);
      }
    }
  };

  const writeBatch = async (batch: readonly ModelCall[]): Promise<void> => {
    const refused = await insisting(batch.length, () => params.insert(batch));
    const [call, ...others] = batch;
    if (refused === null || call === undefined) return;
    if (others.length === 0) return setAside(call);
    const middle = Math.ceil(batch.length / 2);
    await writeBatch(batch.slice(0, middle));
    await writeBatch(batch.slice(middle));
  };

  /** Tried once more by itself: its run or task may have gone in the very moment. */
  const setAside = async (call: ModelCall): Promise<void> => {
    const refused = await insisting(1, () => params.insert([call]));
    if (refused === null) return;
    const reason = messageOf(refused);
    const lost = await insisting(1, () => params.setAside(call, reason));
    if (lost === null)
      params.log.error({ call: call.id, error: reason }, "a call was refused by the ledger and set aside");
    else params.log.error({ lost: call, error: reason }, "a call was refused by the ledger and is lost");
  };

  const writeAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const pauseMs = writtenMs + APART_MS - params.clock.monotonicMs();
      if (pauseMs > 0 && waiting.length < LARGEST_BATCH) await params.clock.sleep(pauseMs);
      const batch = waiting.slice(0, LARGEST_BATCH);
      await writeBatch(batch);
      writtenMs = params.clock.monotonicMs();
      waiting = waiting.slice(batch.length);
    }
  };

  const write = (): Promise<void> => {
    writing ??= writeAll().finally(() => {
      writing = null;
    });
    return writing;
  };

  return {
    name: "ledger",
    add: (call) => {
      waiting.push(call);
      void write().catch(() => {});
    },
    flushed: async () => {
      while (waiting.length > 0) await write().catch(() => {});
    },
    hasRoom: () => waiting.length < MOST_WAITING,
    start: () => Promise.resolve(),
    stop: async () => {
      const deadline = new AbortController();
      const giveUp = new AbortController();
      stopping = giveUp;
      const timer = params.clock.sleep(params.stopDeadlineMs ?? 10_000, deadline.signal).then(
        () => giveUp.abort(),
        () => {},
      );
      while (waiting.length > 0 && !giveUp.signal.aborted) await write().catch(() => {});
      deadline.abort();
      await timer;
      stopping = null;
      if (waiting.length > 0)
        params.log.error({ lost: waiting.map((call) => call.id) }, "ledger rows lost: the database is away");
    },
  };
}
