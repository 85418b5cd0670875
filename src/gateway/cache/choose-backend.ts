import type { Clock, Log } from "../../base/index.ts";
import type { Queryable } from "../../store/index.ts";
import type { CacheBackend } from "./cache-backend.ts";
import { createDatabaseCache } from "./database-cache.ts";
import { createRedisCache, type CacheHealth, type RedisCache } from "./redis-cache.ts";

interface ChooseParams {
  readonly database: Queryable;
  /** Asked for every time, so that a changed configuration takes effect; null: the database. */
  readonly redisUrl: () => string | null;
  readonly password: () => string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** Where answers are kept now; connects to Redis with the first use, and leaves it when it is configured no more. */
export function chooseCacheBackend(params: Readonly<ChooseParams>) {
  const database = createDatabaseCache(params.database);
  let redis: { readonly url: string; readonly cache: RedisCache } | null = null;

  const current = (): CacheBackend => {
    const url = params.redisUrl();
    if (redis !== null && redis.url !== url) {
      void redis.cache.close();
      redis = null;
    }
    if (url === null) return database;
    const { clock, log } = params;
    redis ??= { url, cache: createRedisCache({ url, password: params.password(), clock, log }) };
    return redis.cache;
  };
  return {
    current,
    health: (): CacheHealth => {
      current();
      return redis?.cache.state ?? null;
    },
    close: async (): Promise<void> => {
      await redis?.cache.close();
    },
  };
}
