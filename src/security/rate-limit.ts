import type { Clock } from "../base/index.ts";

export interface RateLimit {
  /** Counts one more; false where that is more than the limit allows now. */
  take(): boolean;
}

/** At most `limit` in each window that starts with its first count. One counter for all callers, in this process only. */
export function createRateLimit(
  params: Readonly<{ limit: number; windowMs: number; clock: Pick<Clock, "monotonicMs"> }>,
): RateLimit {
  let startedMs = -Infinity;
  let count = 0;
  return {
    take: () => {
      const now = params.clock.monotonicMs();
      if (now - startedMs >= params.windowMs) {
        startedMs = now;
        count = 0;
      }
      count += 1;
      return count <= params.limit;
    },
  };
}
