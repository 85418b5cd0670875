import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../src/store/testing.ts";
import { ask, RUN_KEY, seedRun, startGateway, type Answer } from "../support/gateway-under-test.ts";
import { startModelServer } from "../support/model-server.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  await seedRun(db.database);
});
afterEach(() => db.database.query("delete from miyabi.gateway_prompts"));
afterAll(() => db.drop());

const SECRET = "sk-ant-api03-verysecretverysecret";
const PLAIN = "the password of the safe is nowhere";

async function setup(prompts: Record<string, unknown> = {}, more: Record<string, unknown> = {}) {
  const upstream = await startModelServer();
  const subject = await startGateway({
    database: db.database,
    settings: {
      providers: {
        openai: { baseUrl: `${upstream.origin}/v1` },
        anthropic: { baseUrl: upstream.origin },
        google: { baseUrl: upstream.origin },
      },
      prompts,
      ...more,
    },
  });
  onTestFinished(async () => {
    await subject.close();
    await upstream.close();
  });
  const keptOf = async (answer: Answer) => {
    const id = String(answer.headers["x-miyabi-call"]);
    await vi.waitUntil(async () => (await subject.gateway.readPrompt(id, "test")) !== null, {
      timeout: 3_000,
    });
    const prompt = await subject.gateway.readPrompt(id, "test");
    if (prompt === null) throw new Error("no prompt");
    return prompt;
  };
  return { upstream, subject, keptOf };
}

const chat = (content: string, more: object = {}) => ({
  model: "gpt-5",
  messages: [{ role: "user", content }],
  ...more,
});
const CHAT = "/v1/chat/completions";

describe("without gateway.prompts.store", () => {
  test("nothing of a prompt or an answer is anywhere in the database or the log", async () => {
    const { subject } = await setup();
    const marker = "an-unmistakable-marker-5913";
    const answer = await ask(subject.url, CHAT, chat(marker));
    expect(answer.status).toBe(200);
    await ask(subject.url, "/v1/messages", {
      model: "claude-x",
      max_tokens: 5,
      stream: true,
      system: marker,
      messages: [],
    });
    await subject.gateway.costSince(new Date());
    await subject.gateway.stop();
    const { rows } = await db.database.query<{ name: string }>(
      "select quote_ident(table_name) as name from information_schema.tables where table_schema = 'miyabi' and table_type = 'BASE TABLE'",
    );
    expect(rows.length).toBeGreaterThan(20);
    for (const { name } of rows) {
      const found = await db.database.query(
        `select 1 from miyabi.${name} as t where t::text like $1 limit 1`,
        [`%${marker}%`],
      );
      expect(found.rows, name).toEqual([]);
    }
    expect(JSON.stringify(subject.lines)).not.toContain(marker);
    expect((await db.database.query("select 1 from miyabi.gateway_prompts")).rows).toEqual([]);
    // The search would have found it.
    await db.database.query("insert into miyabi.gateway_summaries (hash, summary) values ('h', $1)", [
      marker,
    ]);
    const control = await db.database.query(
      "select 1 from miyabi.gateway_summaries as t where t::text like $1",
      [`%${marker}%`],
    );
    expect(control.rows).toHaveLength(1);
    await db.database.query("delete from miyabi.gateway_summaries");
  });
});

describe("with gateway.prompts.store", () => {
  test.each([
    [CHAT, chat(`use ${SECRET}; ${PLAIN}`), "hi"],
    [CHAT, chat(`use ${SECRET}; ${PLAIN}`, { stream: true }), "Hello"],
    ["/v1/messages", { model: "claude-x", max_tokens: 5, system: `${SECRET} ${PLAIN}`, messages: [] }, "hi"],
    [
      "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
      { contents: [{ role: "user", parts: [{ text: `${SECRET} ${PLAIN}` }] }] },
      "Hello",
    ],
  ])("request and answer are kept without secrets (%s, %#)", async (path, body, text) => {
    const { subject, keptOf } = await setup({ store: true });
    const { request, answer, isCut, requestBytes } = await keptOf(await ask(subject.url, path, body));
    expect(request).toContain(PLAIN);
    expect(request).toContain("[redacted]");
    expect(request).not.toContain("verysecret");
    expect(JSON.parse(request)).toHaveProperty(path.includes("v1beta") ? "contents" : "messages");
    expect(JSON.parse(answer ?? "null")).toMatchObject({ parts: [{ type: "text", text }], stop: "end" });
    expect(isCut).toBe(false);
    expect(requestBytes).toBe(JSON.stringify(body).length);
  });

  test("the caller's own key, and what the installation says, is redacted; data is left out", async () => {
    const { subject, keptOf } = await setup({ store: true, redact: ["Projekt \\w+"] });
    const picture = `data:image/png;base64,${"A".repeat(5_000)}`;
    const { request } = await keptOf(
      await ask(subject.url, CHAT, chat(`${RUN_KEY} in Projekt Morgenrot ${picture}`)),
    );
    expect(request).not.toContain(RUN_KEY);
    expect(request).not.toContain("Morgenrot");
    expect(request).toContain("[5000 characters of data]");
  });

  test("a secret that a stream spreads over its events is redacted", async () => {
    const { keptAnswer } = await import("../../src/gateway/prompts/prompt-text.ts");
    const { createRedaction } = await import("../../src/security/index.ts");
    const events = ["my key is sk-", "ant-api03-", "very", "secret"].map(
      (content) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`,
    );
    const end = `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}\n\ndata: [DONE]\n\n`;
    const kept = (text: string) =>
      keptAnswer(
        "chat_completions",
        { contentType: "text/event-stream", body: Buffer.from(text) },
        createRedaction([]),
        10_000,
      );
    expect(kept(events.join("") + end)?.text).toBe(
      '{"parts":[{"type":"text","text":"my key is [redacted]"}],"stop":"end"}',
    );
    // One that broke off is kept as far as it came.
    expect(kept(events.join(""))?.text).toBe(
      '{"parts":[{"type":"text","text":"my key is [redacted]"}],"stop":null}',
    );
    expect(kept("nonsense")).toBeNull();
  });

  test("long texts keep their beginning and their end", async () => {
    const { subject, keptOf } = await setup({ store: true, maxTextBytes: 1_024 });
    const { request, isCut } = await keptOf(
      await ask(subject.url, CHAT, chat(`first ${"日本語 ".repeat(5_000)} last`)),
    );
    expect(isCut).toBe(true);
    expect(Buffer.byteLength(request)).toBeLessThan(1_200);
    expect(request).toMatch(/^\{"model":"gpt-5".*bytes are left out\].* last"\}\]\}$/);
  });

  test("only of the keys that are named", async () => {
    const { subject } = await setup({ store: true, keys: ["somebody"] });
    await ask(subject.url, CHAT, chat("x"));
    await subject.gateway.stop();
    expect((await db.database.query("select 1 from miyabi.gateway_prompts")).rows).toEqual([]);
  });

  test("of an answer from the cache too, and the cache is as it was", async () => {
    const { subject, upstream, keptOf } = await setup(
      { store: true, keys: ["runs"] },
      { cache: { runs: true } },
    );
    await keptOf(await ask(subject.url, CHAT, chat("the same", { stream: true })));
    const again = await ask(subject.url, CHAT, chat("the same", { stream: true }));
    expect(again.headers["x-miyabi-cache"]).toBe("hit");
    expect((await keptOf(again)).answer).toContain("Hello");
    expect(upstream.calls).toHaveLength(1);
  });

  test("an answer that cannot be had leaves the request alone; calls that are refused leave nothing", async () => {
    const { subject, upstream, keptOf } = await setup({ store: true }, { retry: { attempts: 0 } });
    upstream.fault = { kind: "status", status: 400 };
    const answer = await ask(subject.url, CHAT, chat("x"));
    const { rows } = await db.database.query<{ id: string }>(
      "select call_id as id from miyabi.gateway_prompts",
    );
    expect(rows.length).toBeLessThanOrEqual(1);
    expect(await keptOf(answer)).toMatchObject({ answer: null });
    await ask(subject.url, CHAT, chat("x"), { "x-api-key": RUN_KEY, "x-miyabi-trim": "wrong" });
    await ask(subject.url, CHAT, chat("x"), { "x-api-key": "nobody's" });
    await subject.gateway.stop();
    expect((await db.database.query("select 1 from miyabi.gateway_prompts")).rows).toHaveLength(1);
  });

  test("goes with its days, and the oldest beyond the room there is", async () => {
    const { createPromptStore } = await import("../../src/gateway/prompts/prompt-store.ts");
    const { silentLog } = await import("../../src/base/index.ts");
    let now = new Date();
    const store = createPromptStore({ database: db.database, clock: { now: () => now }, log: silentLog });
    const id = (number: number): string => `00000000-0000-4000-8000-00000000000${number}`;
    for (const days of [8, 2, 1, 0]) {
      now = new Date(Date.now() - days * 24 * 3_600_000);
      store.add({
        callId: id(days),
        request: "r".repeat(1_000),
        answer: "with \0 in it",
        requestBytes: 1_000,
        answerBytes: 9,
        isCut: false,
      });
    }
    await store.settled();
    const kept = async (): Promise<readonly unknown[]> =>
      (
        await db.database.query("select call_id as id from miyabi.gateway_prompts order by created_at")
      ).rows.map((row) => row["id"]);
    expect(await kept()).toHaveLength(4);
    await store.sweep({ retentionDays: 7, maxBytes: 1e9 });
    expect(await kept()).toEqual([id(2), id(1), id(0)]);
    await store.sweep({ retentionDays: 7, maxBytes: 2_600 });
    expect(await kept()).toEqual([id(1), id(0)]);
    expect((await store.get(id(1)))?.answer).toBe("with \uFFFD in it");
  });

  test("who reads one is in the log, what is read is not", async () => {
    const { subject, keptOf } = await setup({ store: true });
    await keptOf(await ask(subject.url, CHAT, chat(PLAIN)));
    expect(subject.lines).toContainEqual(
      expect.objectContaining({ msg: "a kept prompt was read", by: "test" }),
    );
    expect(JSON.stringify(subject.lines)).not.toContain(PLAIN);
  });
});
