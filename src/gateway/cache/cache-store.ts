import { LRUCache } from "lru-cache";
import type { Clock } from "../../base/index.ts";
import type { Queryable } from "../../store/index.ts";

/** A kept answer. */
export interface CachedAnswer {
  readonly contentType: string;
  readonly body: Buffer;
  readonly createdAt: Date;
}

export interface NewEntry {
  readonly hash: string;
  readonly scope: string;
  readonly keyId: string | null;
  readonly model: string | null;
  readonly tags: readonly string[];
  readonly contentType: string;
  readonly body: Buffer;
  readonly ttlSeconds: number;
}

/** Which entries are to go. */
export type Invalidation =
  { readonly tag: string } | { readonly model: string } | { readonly keyId: string } | { readonly all: true };

export interface CacheStats {
  readonly entries: number;
  readonly bytes: number;
  readonly oldestAt: Date | null;
}

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

/** Entries in the database, the latest also in memory. */
export function createCacheStore(
  params: Readonly<{ database: Queryable; clock: Clock; memoryBytes: number }>,
): CacheStore {
  const { database, clock } = params;
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
      const { rows } = await database.query<{ content_type: string; body: Buffer; created_at: Date }>(
        "select content_type, body, created_at from miyabi.gateway_cache where hash = $1 and expires_at > now()",
        [hash],
      );
      const row = rows[0];
      if (row === undefined) {
        memory.delete(hash);
        return null;
      }
      const answer = { contentType: row.content_type, body: row.body, createdAt: row.created_at };
      if (before === epoch) remember(hash, answer);
      return answer;
    },
    put: async (entry) => {
      const before = epoch;
      // At once, because the same question may come before the database has it; an invalidation meanwhile clears it.
      remember(entry.hash, { contentType: entry.contentType, body: entry.body, createdAt: clock.now() });
      await database.query(
        `insert into miyabi.gateway_cache (hash, scope, key_id, model, tags, content_type, body, size_bytes, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, now() + $9::float8 * interval '1 second')
         on conflict (hash) do update set body = excluded.body, content_type = excluded.content_type, tags = excluded.tags,
           size_bytes = excluded.size_bytes, created_at = now(), expires_at = excluded.expires_at`,
        [
          entry.hash,
          entry.scope,
          entry.keyId,
          entry.model,
          entry.tags,
          entry.contentType,
          entry.body,
          entry.body.length,
          entry.ttlSeconds,
        ],
      );
      if (before !== epoch)
        await database.query("delete from miyabi.gateway_cache where hash = $1", [entry.hash]);
    },
    invalidate: async (which) => {
      epoch += 1;
      memory.clear();
      const [condition, value] =
        "tag" in which
          ? ["$1 = any(tags)", which.tag]
          : "model" in which
            ? ["model = $1", which.model]
            : "keyId" in which
              ? ["key_id = $1", which.keyId]
              : ["$1", true];
      const { rowCount } = await database.query(`delete from miyabi.gateway_cache where ${condition}`, [
        value,
      ]);
      return rowCount;
    },
    sweep: async (maxBytes) => {
      await database.query("delete from miyabi.gateway_cache where expires_at <= now()", []);
      await database.query(
        `delete from miyabi.gateway_cache where hash in (
           select hash from (
             select hash, sum(size_bytes) over (order by created_at desc, hash) as total from miyabi.gateway_cache) as kept
           where total > $1)`,
        [maxBytes],
      );
    },
    stats: async () => {
      const { rows } = await database.query<{ entries: number; bytes: number; oldest: Date | null }>(
        `select count(*)::int as entries, coalesce(sum(size_bytes), 0)::float8 as bytes, min(created_at) as oldest
         from miyabi.gateway_cache where expires_at > now()`,
      );
      const row = rows[0];
      return { entries: row?.entries ?? 0, bytes: row?.bytes ?? 0, oldestAt: row?.oldest ?? null };
    },
  };
}
