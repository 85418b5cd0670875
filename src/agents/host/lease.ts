import type { Clock } from "../../base/index.ts";

interface LeaseParams {
  readonly leaseMs: number;
  /** Others may be given the run when the lease ends, whatever becomes of the control plane. */
  readonly isShared: boolean;
  /** False where the control plane is away. */
  readonly sendRenew: () => boolean;
  readonly clock: Clock;
}

/**
 * The host's right to work on its run. A control plane that is away takes nothing from it: without one, nobody else can be given
 * the run, unless other machines share the database. But a host that did not run for a while (SIGSTOP, suspended machine) may have been replaced, and knows
 * nothing until its next renewal is answered.
 */
export interface Lease {
  /** Renews at a third of the lease until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** The control plane's answer to a renewal. */
  confirm(): void;
  /** To be awaited before everything that reaches out of this process. Resolves at once unless this process was asleep, or a shared lease nears its end; then when the next renewal is answered. Rejects with the signal's reason. */
  hold(signal: AbortSignal): Promise<void>;
}

const TICK_MS = 500;
/** A busy machine delays a tick by some hundred ms; a process that missed this much was stopped. */
export const ASLEEP_MS = 2500;

/** Of a lease; the rest is for what is under way. */
const SAFE_PART = 0.8;

export function createLease(params: Readonly<LeaseParams>): Lease {
  const { clock } = params;
  let tickedMs = clock.monotonicMs();
  let askedMs = clock.monotonicMs();
  let confirmedMs = clock.monotonicMs();
  let doubtful = false;
  let waiting = Promise.withResolvers<void>();

  /** Sees whether this process slept since it last looked. */
  const look = (): void => {
    const nowMs = clock.monotonicMs();
    const isEnding = params.isShared && nowMs - confirmedMs > params.leaseMs * SAFE_PART;
    if ((nowMs - tickedMs > ASLEEP_MS || isEnding) && !doubtful) {
      doubtful = true;
      waiting = Promise.withResolvers<void>();
      // Due at once: the next tick asks.
      askedMs = Number.NEGATIVE_INFINITY;
    }
    tickedMs = nowMs;
  };

  const tick = (): void => {
    look();
    const nowMs = clock.monotonicMs();
    const everyMs = doubtful ? TICK_MS : params.leaseMs / 3;
    if (nowMs - askedMs >= everyMs && params.sendRenew()) askedMs = nowMs;
  };

  return {
    run: async (signal) => {
      tickedMs = clock.monotonicMs();
      while (!signal.aborted) {
        tick();
        await clock.sleep(Math.min(TICK_MS, params.leaseMs / 3), signal).catch(() => {});
      }
    },
    confirm: () => {
      doubtful = false;
      confirmedMs = clock.monotonicMs();
      waiting.resolve();
    },
    hold: async (signal) => {
      signal.throwIfAborted();
      look();
      if (!doubtful) return;
      tick();
      const aborted = Promise.withResolvers<never>();
      const onAbort = (): void => aborted.reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      await Promise.race([waiting.promise, aborted.promise]).finally(() =>
        signal.removeEventListener("abort", onAbort),
      );
    },
  };
}
