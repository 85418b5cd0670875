import { LRUCache } from "lru-cache";

/** What was measured lately, for routes by latency. */
export interface Latencies {
  add(target: string, firstByteMs: number): void;
  /** Null: never called. */
  of(target: string): number | null;
  /** What 95 % of the latest calls did not exceed; null: too few to say. */
  p95Of(target: string): number | null;
}

export function latencyKey(of: {
  readonly provider: { readonly name: string };
  readonly model: string | null;
}): string {
  return `${of.provider.name}/${of.model ?? ""}`;
}

const MOST_REMEMBERED = 5_000;
const WEIGHT_OF_NEWEST = 0.2;
/** Latest calls of a target that are remembered one by one, and how many a percentile needs. */
const LATEST = 100;
const LEAST = 20;

interface Measured {
  average: number;
  readonly latest: Float32Array;
  count: number;
}

/** Moving average and percentile of the time to the first byte, per provider and model, in this process. */
export function createLatencies(): Latencies {
  // Callers name the models, so their number has no bound of its own.
  const measured = new LRUCache<string, Measured>({ max: MOST_REMEMBERED });
  return {
    add: (target, firstByteMs) => {
      const known = measured.get(target) ?? {
        average: firstByteMs,
        latest: new Float32Array(LATEST),
        count: 0,
      };
      known.average += WEIGHT_OF_NEWEST * (firstByteMs - known.average);
      known.latest[known.count % LATEST] = firstByteMs;
      if (known.count === 0) measured.set(target, known);
      known.count += 1;
    },
    of: (target) => measured.get(target)?.average ?? null,
    p95Of: (target) => {
      const known = measured.get(target);
      if (known === undefined || known.count < LEAST) return null;
      const sorted = known.latest.slice(0, known.count).sort();
      return sorted[Math.ceil(sorted.length * 0.95) - 1] ?? null;
    },
  };
}
