import type { Queryable } from "../../store/index.ts";
import type { CacheBackend } from "./cache-backend.ts";

/** Answers in PostgreSQL. */
export function createDatabaseCache(database: Queryable): CacheBackend {
  return {
    get: async (hash) => {
      const { rows } = await database.query<{ content_type: string; body: Buffer; created_at: Date }>(
        "select content_type, body, created_at from miyabi.gateway_cache where hash = $1 and expires_at > now()",
        [hash],
      );
      const row = rows[0];
      return row === undefined
        ? null
        : { contentType: row.content_type, body: row.body, createdAt: row.created_at };
    },
    put: async (entry) => {
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
    },
    remove: async (hash) => {
      await database.query("delete from miyabi.gateway_cache where hash = $1", [hash]);
    },
    invalidate: async (which) => {
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
