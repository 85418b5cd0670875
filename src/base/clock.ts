import { setTimeout as delay } from "node:timers/promises";

/** Time as a port. Leases compare against the database's clock, delays use monotonic time, `now` is for people. */
export interface Clock {
  /** Wall time. */
  now(): Date;
  /** Milliseconds that never go back; only differences mean anything. */
  monotonicMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. Keeps the process alive meanwhile. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  },
};

/** A clock that moves only when told: `advance(ms)` wakes the sleepers whose time has come, in order. */
export function createFakeClock(
  startAt = new Date("2026-01-01T00:00:00Z"),
): Clock & { advance(ms: number): void } {
  let nowMs = startAt.getTime();
  let sleepers: { readonly dueMs: number; readonly wake: () => void }[] = [];
  return {
    now: () => new Date(nowMs),
    monotonicMs: () => nowMs - startAt.getTime(),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) return reject(signal.reason);
        const sleeper = { dueMs: nowMs + ms, wake: resolve };
        sleepers.push(sleeper);
        signal?.addEventListener("abort", () => {
          sleepers = sleepers.filter((other) => other !== sleeper);
          reject(signal.reason);
        });
      }),
    advance: (ms) => {
      nowMs += ms;
      const due = sleepers.filter((sleeper) => sleeper.dueMs <= nowMs).sort((a, b) => a.dueMs - b.dueMs);
      sleepers = sleepers.filter((sleeper) => sleeper.dueMs > nowMs);
      for (const sleeper of due) sleeper.wake();
    },
  };
}
