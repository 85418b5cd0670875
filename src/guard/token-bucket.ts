import type { Clock } from "../base/index.ts";

/** A rate with a burst of one minute's worth, in this process. */
export interface TokenBucket {
  /** Takes `amount` where something is left; else says how long until something is. */
  take(
    amount: number,
  ): { readonly state: "taken" } | { readonly state: "empty"; readonly retryAfterMs: number };
  /** Corrects an estimate: positive takes more (also below zero), negative gives back. */
  correct(amount: number): void;
  /** What may be taken now. */
  left(): number;
}

interface BucketParams {
  readonly perMinute: number;
  readonly clock: Pick<Clock, "monotonicMs">;
}

/**
 * Refills evenly. An amount larger than what is left is still taken as long as something is left, so that no call is
 * too large to be made ever; what follows then waits until the debt is paid.
 */
export function createTokenBucket({ perMinute, clock }: Readonly<BucketParams>): TokenBucket {
  let level = perMinute;
  let filledAtMs = clock.monotonicMs();
  const fill = (): void => {
    const nowMs = clock.monotonicMs();
    level = Math.min(perMinute, level + ((nowMs - filledAtMs) * perMinute) / 60_000);
    filledAtMs = nowMs;
  };
  return {
    take: (amount) => {
      fill();
      const least = Math.min(amount, 1);
      if (level >= least) {
        level -= amount;
        return { state: "taken" };
      }
      return { state: "empty", retryAfterMs: Math.ceil(((least - level) * 60_000) / perMinute) };
    },
    correct: (amount) => {
      level -= amount;
    },
    left: () => {
      fill();
      return level;
    },
  };
}
