import { LRUCache } from "lru-cache";
import type { Clock } from "../../base/index.ts";
import type { CacheBackend, CachedAnswer, CacheStats, Invalidation, NewEntry } from "./cache-backend.ts";

export interface CacheStore {
  get(hash: string): Promise<CachedAnswer | null>;
  put(entry: NewEntry): Promise<void>;
  /** Number of entries that are gone. What is asked at this moment is not kept either. */
  invalidate(which: Invalidation): Promise<number>;
  /** Grows with each invalidation in this process. */
  readonly epoch: number;
  /** Removes what has expired, then the oldest beyond `maxBytes`. */
  sweep(maxBytes: number): Promise<void>;
  stats(): Promise<CacheStats>;
}

/** How long the memory is believed, because another process may have invalidated an entry. */
const BELIEVED_MS = 5_000;

/** Entries in the backend, which is asked for anew each time because the configuration may change; the latest also in memory. */
export function createCacheStore(
  params: Readonly<{ backend: () => CacheBackend; clock: Clock; memoryBytes: number }>,
): CacheStore {
  const { backend, clock } = params;
  const memory = new LRUCache<string, { readonly answer: CachedAnswer; readonly untilMs: number }>({
    maxSize: params.memoryBytes,
    sizeCalculation: ({ answer }) => answer.body.length + 500,
  });
  let epoch = 0;

  const remember = (hash: string, answer: CachedAnswer): void =>
    void memory.set(hash, { answer, untilMs: clock.monotonicMs() + BELIEVED_MS });

  return {
    get epoch() {
      return epoch;
    },
    get: async (hash) => {
      const known = memory.get(hash);
      if (known !== undefined && known.untilMs > clock.monotonicMs()) return known.answer;
      const before = epoch;
      const answer = await backend().get(hash);
      if (answer === null) memory.delete(hash);
      else if (before === epoch) remember(hash, answer);
      return answer;
    },
    put: async (entry) => {
      const before = epoch;
      // At once, because the same question may come before the backend has it; an invalidation meanwhile clears it.
      remember(entry.hash, { contentType: entry.contentType, body: entry.body, createdAt: clock.now() });
      await backend().put(entry);
      if (before !== epoch) await backend().remove(entry.hash);
    },
    invalidate: async (which) => {
      epoch += 1;
      memory.clear();
      return backend().invalidate(which);
    },
    sweep: (maxBytes) => backend().sweep(maxBytes),
    stats: () => backend().stats(),
  };
}
