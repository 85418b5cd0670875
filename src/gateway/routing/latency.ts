import { LRUCache } from "lru-cache";

/** What was measured lately, for routes by latency. */
export interface Latencies {
  add(target: string, firstByteMs: number): void;
  /** Null: never called. */
  of(target: string): number | null;
}

export function latencyKey(of: {
  readonly provider: { readonly name: string };
  readonly model: string | null;
}): string {
  return `${of.provider.name}/${of.model ?? ""}`;
}

const MOST_REMEMBERED = 5_000;
const WEIGHT_OF_NEWEST = 0.2;

/** Moving average of the time to the first byte, per provider and model, in this process. */
export function createLatencies(): Latencies {
  // Callers name the models, so their number has no bound of its own.
  const averages = new LRUCache<string, number>({ max: MOST_REMEMBERED });
  return {
    add: (target, firstByteMs) => {
      const before = averages.get(target);
      averages.set(
        target,
        before === undefined ? firstByteMs : before + WEIGHT_OF_NEWEST * (firstByteMs - before),
      );
    },
    of: (target) => averages.get(target) ?? null,
  };
}
