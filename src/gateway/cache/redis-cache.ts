import { AppError, messageOf, type Clock, type Log } from "../../base/index.ts";
import type { CacheBackend, CachedAnswer, Invalidation, NewEntry } from "./cache-backend.ts";
import { connectRedis, type RedisConnection } from "./redis-connection.ts";

/** Whether the cache works; null: it is in the database. */
export type CacheHealth = "ok" | "away" | null;

export interface RedisCache extends CacheBackend {
  readonly state: "ok" | "away";
  close(): Promise<void>;
}

/** All names have one slot of a cluster, so that they can be changed together. */
const PREFIX = "{miyabi:cache}:";
const entryOf = (hash: string): string => `${PREFIX}entry:${hash}`;
/** Sorted set of all hashes by the end of their time, ms. */
const ENDS = `${PREFIX}ends`;
/** Sizes by hash, bytes. */
const SIZES = `${PREFIX}sizes`;
const indexOf = (kind: "tag" | "model" | "key", value: string): string => `${PREFIX}${kind}:${value}`;

const BATCH = 500;

/**
 * Answers in Redis, each under its hash with its time to live, and sorted sets by which they are found for invalidation. A
 * Redis that is away answers as if it were empty and keeps nothing: calls go on without it. What is killed between two
 * statements leaves an entry that no set names, which ends with its time.
 */
export function createRedisCache(
  params: Readonly<{ url: string; password: string | undefined; clock: Clock; log: Log }>,
): RedisCache {
  const { clock } = params;
  const redis: RedisConnection = connectRedis(params);
  const nowMs = (): number => clock.now().getTime();

  const drop = async (hashes: readonly string[]): Promise<number> => {
    let gone = 0;
    for (let from = 0; from < hashes.length; from += BATCH) {
      const some = hashes.slice(from, from + BATCH);
      gone += Number(await redis.send(["UNLINK", ...some.map(entryOf)]));
      await redis.sendAll([
        ["ZREM", ENDS, ...some],
        ["HDEL", SIZES, ...some],
      ]);
    }
    return gone;
  };
  const dropExpired = async (): Promise<void> => {
    await drop(texts(await redis.send(["ZRANGEBYSCORE", ENDS, "-inf", String(nowMs())])));
  };
  const namesOf = (which: Invalidation): string => {
    if ("tag" in which) return indexOf("tag", which.tag);
    if ("model" in which) return indexOf("model", which.model);
    return "keyId" in which ? indexOf("key", which.keyId) : ENDS;
  };
  /** What only a working Redis can do. */
  const required = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw new AppError({
        code: "gateway.cache_unavailable",
        message: "Redis, where answers are kept (gateway.cache.redis), cannot be reached.",
        fix: "miyabi status",
        cause: error,
      });
    }
  };

  return {
    get state() {
      return redis.state;
    },
    get: async (hash) => {
      const kept = await redis.ask(["GET", entryOf(hash)]);
      return kept === null ? null : unpacked(kept);
    },
    put: async (entry) => {
      const { hash, ttlSeconds } = entry;
      const endsMs = nowMs() + ttlSeconds * 1_000;
      const packed = packedEntry(entry, clock.now());
      const indexes = [
        ...entry.tags.map((tag) => indexOf("tag", tag)),
        ...(entry.model === null ? [] : [indexOf("model", entry.model)]),
        ...(entry.keyId === null ? [] : [indexOf("key", entry.keyId)]),
      ];
      await redis.tell([
        ["SET", entryOf(hash), packed, "EX", String(ttlSeconds)],
        ["ZADD", ENDS, String(endsMs), hash],
        ["HSET", SIZES, hash, String(packed.length)],
        ...indexes.flatMap((name) => [
          ["ZADD", name, String(endsMs), hash],
          ["ZREMRANGEBYSCORE", name, "-inf", String(nowMs())],
          ["EXPIRE", name, String(ttlSeconds)],
        ]),
      ]);
    },
    remove: async (hash) => {
      await drop([hash]);
    },
    invalidate: (which) =>
      required(async () => {
        const name = namesOf(which);
        const gone = await drop(texts(await redis.send(["ZRANGE", name, "0", "-1"])));
        if (name !== ENDS) await redis.send(["UNLINK", name]);
        return gone;
      }),
    sweep: async (maxBytes) => {
      if (redis.state === "away") return;
      try {
        await dropExpired();
        const sizes = pairs(await redis.send(["HGETALL", SIZES]));
        let total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
        const oldestFirst = texts(await redis.send(["ZRANGE", ENDS, "0", "-1"]));
        const tooMany: string[] = [];
        for (const hash of oldestFirst) {
          if (total <= maxBytes) break;
          total -= sizes.get(hash) ?? 0;
          tooMany.push(hash);
        }
        await drop(tooMany);
      } catch (error) {
        params.log.warn({ error: messageOf(error) }, "Redis not swept");
      }
    },
    stats: () =>
      required(async () => {
        await dropExpired();
        const sizes = pairs(await redis.send(["HGETALL", SIZES]));
        const [first] = texts(await redis.send(["ZRANGE", ENDS, "0", "0"]));
        const oldest = first === undefined ? null : await redis.ask(["GET", entryOf(first)]);
        return {
          entries: sizes.size,
          bytes: [...sizes.values()].reduce((sum, size) => sum + size, 0),
          oldestAt: oldest === null ? null : (unpacked(oldest)?.createdAt ?? null),
        };
      }),
    close: redis.close,
  };
}

/** One value, so that one command reads it: the head as JSON, a line feed, the body. */
function packedEntry({ contentType, body }: NewEntry, createdAt: Date): Buffer {
  const head = JSON.stringify({ contentType, createdAtMs: createdAt.getTime() });
  return Buffer.concat([Buffer.from(`${head}\n`), body]);
}

/** Null: somebody else wrote it. */
function unpacked(packed: Buffer): CachedAnswer | null {
  const end = packed.indexOf(0x0a);
  try {
    const head = JSON.parse(packed.toString("utf8", 0, end)) as {
      readonly contentType: unknown;
      readonly createdAtMs: unknown;
    };
    return {
      contentType: String(head.contentType),
      body: packed.subarray(end + 1),
      createdAt: new Date(Number(head.createdAtMs)),
    };
  } catch {
    return null;
  }
}

const texts = (reply: unknown): readonly string[] => (Array.isArray(reply) ? reply.map(String) : []);

function pairs(reply: unknown): ReadonlyMap<string, number> {
  const flat = texts(reply);
  return new Map(
    flat.flatMap((name, index) => (index % 2 === 0 ? [[name, Number(flat[index + 1])] as const] : [])),
  );
}
