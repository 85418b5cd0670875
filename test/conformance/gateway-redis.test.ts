import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { systemClock, systemRandom } from "../../src/base/index.ts";
import { createTestDatabase, type TestDatabase } from "../../src/store/testing.ts";
import { startFaultyUpstream } from "../support/faulty-upstream.ts";
import { ask, RUN_KEY, seedRun, startGateway } from "../support/gateway-under-test.ts";
import { redisProgram, startRedis } from "../support/redis.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  await seedRun(db.database);
});
afterAll(() => db.drop());

const PASSWORD = "a-password-of-redis";

async function setup(cache: Record<string, unknown> = {}) {
  const redis = await startRedis(PASSWORD);
  const upstream = await startFaultyUpstream();
  const start = () =>
    startGateway({
      database: db.database,
      settings: {
        providers: { openai: { baseUrl: upstream.origin } },
        retry: { attempts: 0 },
        // What is believed from memory would hide what Redis says.
        cache: { runs: true, redis: redis.url, memoryBytes: 1, ...cache },
      },
      over: { readSecret: (name) => (name === "REDIS_PASSWORD" ? PASSWORD : "sk-provider-secret") },
    });
  const [subject, other] = [await start(), await start()];
  onTestFinished(async () => {
    await subject.close();
    await other.close();
    await upstream.close();
    await redis.close();
  });
  const health = (state: "ok" | "away") =>
    vi.waitUntil(() => subject.gateway.cacheHealth() === state && other.gateway.cacheHealth() === state, {
      timeout: 10_000,
    });
  await health("ok");
  const chat = async (
    content: string,
    more: {
      readonly stream?: boolean;
      readonly tags?: string;
      readonly model?: string;
      readonly at?: string;
    } = {},
  ) => {
    const answer = await ask(
      more.at ?? subject.url,
      "/v1/chat/completions",
      { model: more.model ?? "gpt-5", stream: more.stream ?? false, messages: [{ role: "user", content }] },
      { "x-api-key": RUN_KEY, ...(more.tags === undefined ? {} : { "x-miyabi-cache-tags": more.tags }) },
    );
    return { ...answer, cache: answer.headers["x-miyabi-cache"] };
  };
  const kept = (count: number) =>
    vi.waitUntil(async () => (await subject.gateway.cacheStats()).entries === count, { timeout: 5_000 });
  return { redis, upstream, subject, other, chat, kept, health };
}

describe.skipIf(redisProgram === null)("answers in Redis", () => {
  test.each([false, true])("are found by every process, and are nowhere else (stream %s)", async (stream) => {
    const { upstream, other, chat, kept } = await setup();
    const first = await chat("hello", { stream });
    expect(first.cache).toBe("miss");
    await kept(1);
    const second = await chat("hello", { stream, at: other.url });
    expect(second).toMatchObject({ status: 200, cache: "hit", text: first.text, clean: true });
    expect(second.headers["content-type"]).toBe(first.headers["content-type"]);
    expect(Number(second.headers["age"])).toBeLessThan(60);
    expect(upstream.calls).toHaveLength(1);
    expect((await db.database.query("select 1 from miyabi.gateway_cache")).rows).toEqual([]);
  });

  test("are forgotten by tag, model, all, time and size, in every process", async () => {
    const { subject, other, chat, kept } = await setup({ ttlSeconds: 2 });
    await chat("a", { tags: "docs, web" });
    await chat("b", { model: "gpt-5-mini" });
    await kept(2);
    const stats = await subject.gateway.cacheStats();
    expect(stats.bytes).toBeGreaterThan(400);
    expect(stats.oldestAt?.getTime()).toBeGreaterThan(systemClock.now().getTime() - 60_000);
    expect(await other.gateway.invalidateCache({ tag: "web" })).toBe(1);
    expect(await other.gateway.invalidateCache({ tag: "web" })).toBe(0);
    expect([(await chat("a")).cache, (await chat("b", { model: "gpt-5-mini" })).cache]).toEqual([
      "miss",
      "hit",
    ]);
    await kept(2);
    expect(await subject.gateway.invalidateCache({ model: "gpt-5-mini" })).toBe(1);
    expect(await subject.gateway.invalidateCache({ all: true })).toBe(1);
    await chat("c");
    await kept(1);
    // After their time.
    await kept(0);
    expect((await chat("c")).cache).toBe("miss");
  });

  test("the oldest make room", async () => {
    const { createRedisCache } = await import("../../src/gateway/cache/redis-cache.ts");
    const { silentLog } = await import("../../src/base/index.ts");
    const { redis } = await setup();
    const cache = createRedisCache({
      url: redis.url,
      password: PASSWORD,
      clock: systemClock,
      log: silentLog,
    });
    onTestFinished(() => cache.close());
    await vi.waitUntil(() => cache.state === "ok");
    const body = Buffer.from([0, 255, 10, 13, 128, ...Array.from({ length: 400 }, () => 7)]);
    for (const [index, hash] of ["old", "newer", "newest"].entries())
      await cache.put({
        hash,
        scope: "s",
        keyId: `K${index}`,
        model: null,
        tags: [],
        contentType: "application/octet-stream",
        body,
        ttlSeconds: 60 + index,
      });
    await cache.sweep(1_000);
    expect(await cache.get("old")).toBeNull();
    expect((await cache.get("newest"))?.body).toEqual(body);
    expect(await cache.invalidate({ keyId: "K1" })).toBe(1);
    expect(await cache.get("newer")).toBeNull();
    await cache.remove("newest");
    expect(await cache.stats()).toEqual({ entries: 0, bytes: 0, oldestAt: null });
  });

  test("a Redis that dies: calls go on without, health says so, and it is used again when it is back", async () => {
    const { redis, subject, chat, health, kept } = await setup();
    await chat("x");
    await kept(1);
    await redis.kill();
    await health("away");
    for (let times = 0; times < 3; times += 1) {
      const answer = await chat("x");
      expect(answer).toMatchObject({ status: 200, cache: "miss" });
      expect(answer.ms).toBeLessThan(1_000);
    }
    await expect(subject.gateway.invalidateCache({ all: true })).rejects.toMatchObject({
      code: "gateway.cache_unavailable",
    });
    await expect(subject.gateway.cacheStats()).rejects.toMatchObject({ code: "gateway.cache_unavailable" });
    const said = subject.lines.filter((line) => String(line["msg"]).startsWith("Redis is away"));
    expect(said).toHaveLength(1);
    await redis.start();
    await health("ok");
    expect((await chat("x")).cache).toBe("miss");
    await kept(1);
    expect((await chat("x")).cache).toBe("hit");
  });

  test("a Redis that stands still holds up one call for a moment, and the next ones not at all", async () => {
    const { redis, subject, chat, kept, health } = await setup();
    await chat("x");
    await kept(1);
    redis.freeze();
    const first = await chat("x");
    expect(first).toMatchObject({ status: 200, cache: "miss" });
    expect(first.ms).toBeLessThan(1_500);
    expect(subject.gateway.cacheHealth()).toBe("away");
    expect((await chat("x")).ms).toBeLessThan(240);
    redis.thaw();
    await health("ok");
    await vi.waitUntil(async () => (await chat("x")).cache === "hit", { timeout: 5_000, interval: 100 });
  });

  test("one that is not there at the start is no reason not to start", async () => {
    const upstream = await startFaultyUpstream();
    const subject = await startGateway({
      database: db.database,
      settings: {
        providers: { openai: { baseUrl: upstream.origin } },
        cache: { runs: true, redis: "redis://127.0.0.1:9" },
      },
    });
    onTestFinished(async () => {
      await subject.close();
      await upstream.close();
    });
    await subject.gateway.start();
    const body = { model: "gpt-5", messages: [{ role: "user", content: systemRandom.uuid() }] };
    expect(await ask(subject.url, "/v1/chat/completions", body)).toMatchObject({ status: 200 });
    expect(subject.gateway.cacheHealth()).toBe("away");
  });
});
