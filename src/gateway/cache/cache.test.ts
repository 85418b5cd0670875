import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { startFaultyUpstream } from "../../../test/support/faulty-upstream.ts";
import { ask, keyTerms, startGateway } from "../../../test/support/gateway-under-test.ts";
import { createTestDatabase, type TestDatabase } from "../../store/testing.ts";
import { gatewaySettings } from "../settings.ts";
import { canonicalRequest } from "./canonical-request.ts";

const FIELDS = gatewaySettings.parse({}).cache.volatileFields;
const canonical = (value: unknown): string | null =>
  canonicalRequest(Buffer.from(typeof value === "string" ? value : JSON.stringify(value)), FIELDS);

describe("canonical requests", () => {
  test("ignore what agents change from run to run, and the order of fields", () => {
    const claude = (user: string, id: string) => ({
      metadata: { user_id: user },
      messages: [
        { role: "assistant", content: [{ type: "tool_use", id, name: "read", input: { id: "kept" } }] },
        {
          role: "user",
          content: [{ tool_use_id: id, type: "tool_result", cache_control: { type: "ephemeral" } }],
        },
      ],
    });
    expect(canonical(claude("a", "toolu_1"))).toBe(canonical(claude("b", "toolu_2")));
    const codex = (key: string, id: string) => ({
      input: [
        { id, type: "function_call", call_id: `call_${id}` },
        { type: "function_call_output", call_id: `call_${id}` },
      ],
      prompt_cache_key: key,
      client_metadata: { at: key },
    });
    expect(canonical(codex("a", "1"))).toBe(canonical(codex("b", "2")));
    expect(canonical('{"a":1,"b":[{"d":1,"c":2}]}')).toBe(canonical('{"b":[{"c":2,"d":1}],"a":1}'));
  });

  test("tell apart what may be answered differently", () => {
    const call = (first: string, second: string) => ({
      messages: [{ tool_call_id: first }, { tool_call_id: second }],
    });
    expect(canonical(call("a", "b"))).not.toBe(canonical(call("a", "a")));
    expect(canonical({ temperature: 0 })).not.toBe(canonical({ temperature: 1 }));
    expect(canonical({ input: { id: "x" } })).not.toBe(canonical({ input: { id: "y" } }));
    expect(canonical({ tools: [{ properties: { metadata: { user_id: "x" } } }] })).toContain("user_id");
  });

  test("of what is no object, or absurdly deep, there are none", () => {
    for (const text of ["", "[]", "{", '"x"']) expect(canonical(text)).toBeNull();
    expect(canonical(`${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`)).toBeNull();
  });
});

describe("the cache", () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await createTestDatabase();
  });
  afterAll(() => db.drop());

  async function setup(cache: Record<string, unknown> = {}) {
    const upstream = await startFaultyUpstream();
    const subject = await startGateway({
      database: db.database,
      settings: { providers: { openai: { baseUrl: upstream.origin } }, retry: { attempts: 0 }, cache },
    });
    onTestFinished(async () => {
      await subject.close();
      await upstream.close();
    });
    const key = (over: { readonly team?: string; readonly cache?: boolean } = {}) =>
      subject.gateway.keys.create(
        keyTerms({ name: "c", team: over.team ?? null, cache: over.cache ?? true }),
        "test",
      );
    const { key: mine, view } = await key();
    const chat = (
      content: string,
      over: {
        readonly key?: string;
        readonly stream?: boolean;
        readonly tags?: string;
        readonly model?: string;
      } = {},
    ) =>
      ask(
        subject.url,
        "/v1/chat/completions",
        { model: over.model ?? "gpt-5", stream: over.stream ?? false, messages: [{ role: "user", content }] },
        {
          authorization: `Bearer ${over.key ?? mine}`,
          ...(over.tags === undefined ? {} : { "x-miyabi-cache-tags": over.tags }),
        },
      );
    const kept = async (count: number): Promise<void> => {
      await vi.waitUntil(async () => (await subject.gateway.cacheStats()).entries >= count, {
        timeout: 3_000,
      });
      // A row is seen before its writer knows that it is written; an invalidation in between takes it away again.
      await subject.gateway.cacheStats();
    };
    await subject.gateway.invalidateCache({ all: true });
    return { upstream, subject, key, view, chat, kept };
  }

  test.each([false, true])("answers the same again without asking (stream %s)", async (stream) => {
    const { upstream, chat } = await setup();
    const first = await chat("hello", { stream });
    expect(first.headers["x-miyabi-cache"]).toBe("miss");
    const second = await chat("hello", { stream });
    expect(second).toMatchObject({ status: 200, text: first.text, clean: true });
    expect(second.headers["x-miyabi-cache"]).toBe("hit");
    expect(second.headers["content-type"]).toBe(first.headers["content-type"]);
    expect(upstream.calls).toHaveLength(1);
    // Its row follows the answer.
    await vi.waitFor(async () => {
      const { rows } = await db.database.query(
        "select cache, attempts, cost_micros::int as cost, tokens_in::int as tokens from miyabi.model_calls order by recorded_at desc, started_at desc limit 1",
      );
      expect(rows[0]).toEqual({ cache: "hit", attempts: 0, cost: 0, tokens: 0 });
    }, 5_000);
  });

  test("is for keys that opted in, and kept apart by key and team", async () => {
    const { upstream, chat, key } = await setup();
    const out = await key({ cache: false });
    await chat("x", { key: out.key });
    await chat("x", { key: out.key });
    expect(upstream.calls).toHaveLength(2);
    await chat("x");
    const other = await key();
    await chat("x", { key: other.key });
    expect(upstream.calls).toHaveLength(4);
    const [a, b] = [await key({ team: "web" }), await key({ team: "web" })];
    await chat("x", { key: a.key });
    expect((await chat("x", { key: b.key })).headers["x-miyabi-cache"]).toBe("hit");
  });

  test.each([false, true])("asks once for 20 identical calls at once (stream %s)", async (stream) => {
    const { upstream, chat } = await setup();
    upstream.plan({ do: "slow-first", ms: 100 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => chat("same", { stream })));
    expect(upstream.calls).toHaveLength(1);
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
    expect(
      answers.map((answer) => answer.headers["x-miyabi-cache"]).filter((how) => how === "joined"),
    ).toHaveLength(19);
  });

  test("keeps no error and nothing broken, and others who waited ask for themselves", async () => {
    const { upstream, chat, subject } = await setup();
    for (const fault of [{ do: "status", status: 400 }, { do: "cut" }, { do: "error-event" }] as const) {
      upstream.plan(fault);
      await chat(fault.do, { stream: true });
    }
    expect((await subject.gateway.cacheStats()).entries).toBe(0);
    upstream.plan({ do: "status", status: 400 }, { do: "answer" });
    const statuses = (await Promise.all([chat("y"), chat("y")])).map((answer) => answer.status);
    expect(statuses.sort()).toEqual([200, 400]);
  });

  test("forgets by tag, model, key, all, time and size", async () => {
    const { upstream, chat, subject, view, kept } = await setup({ maxBytes: 100_000 });
    const asked = async (...args: Parameters<typeof chat>) => (await chat(...args)).headers["x-miyabi-cache"];
    await asked("a", { tags: "docs, web" });
    await asked("b", { model: "gpt-5-mini" });
    await kept(2);
    expect(await subject.gateway.invalidateCache({ tag: "web" })).toBe(1);
    expect([await asked("a"), await asked("b", { model: "gpt-5-mini" })]).toEqual(["miss", "hit"]);
    // What is still on its way into the database goes with the next invalidation.
    await kept(2);
    expect(await subject.gateway.invalidateCache({ model: "gpt-5-mini" })).toBe(1);
    await kept(1);
    expect(await subject.gateway.invalidateCache({ keyId: view.id })).toBe(1);
    await asked("a");
    await kept(1);
    expect(await subject.gateway.invalidateCache({ all: true })).toBe(1);
    expect(upstream.calls).toHaveLength(4);
    await asked("a");
    await kept(1);
    await db.database.query("update miyabi.gateway_cache set expires_at = now() - interval '1 second'");
    expect((await subject.gateway.cacheStats()).entries).toBe(0);
  });

  test("the oldest make room", async () => {
    const { createCacheStore } = await import("./cache-store.ts");
    const { systemClock } = await import("../../base/index.ts");
    await db.database.query("delete from miyabi.gateway_cache");
    const { createDatabaseCache } = await import("./database-cache.ts");
    const backend = createDatabaseCache(db.database);
    const store = createCacheStore({ backend: () => backend, clock: systemClock, memoryBytes: 1_000 });
    for (const hash of ["old", "newer", "newest"])
      await store.put({
        hash,
        scope: "s",
        keyId: null,
        model: null,
        tags: [],
        contentType: "application/json",
        body: Buffer.alloc(400),
        ttlSeconds: 60,
      });
    await store.sweep(900);
    const { rows } = await db.database.query("select hash from miyabi.gateway_cache order by hash");
    expect(rows.map((row) => row["hash"])).toEqual(["newer", "newest"]);
  });
});
