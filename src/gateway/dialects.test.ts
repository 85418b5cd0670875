import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { ask, keyTerms, RUN_KEY, seedRun, startGateway } from "../../test/support/gateway-under-test.ts";
import { createTestDatabase, type TestDatabase } from "../store/testing.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  await seedRun(db.database);
});
afterAll(() => db.drop());

interface Reply {
  readonly type?: string;
  readonly status?: number;
  readonly body: string;
}
interface Seen {
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** A provider that answers by path. */
async function setup(replies: (url: string) => Reply, settings: (origin: string) => Record<string, unknown>) {
  const seen: Seen[] = [];
  const server = createServer((incoming, outgoing) => {
    let body = "";
    incoming.on("data", (part) => (body += String(part)));
    incoming.on("end", () => {
      const url = incoming.url ?? "";
      seen.push({ url, headers: incoming.headers, body });
      const reply = replies(url);
      outgoing
        .writeHead(reply.status ?? 200, { "content-type": reply.type ?? "application/json" })
        .end(reply.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const subject = await startGateway({ database: db.database, settings: settings(origin) });
  onTestFinished(async () => {
    await subject.close();
    server.closeAllConnections();
    server.close();
  });
  const since = (await db.database.query<{ now: Date }>("select clock_timestamp() as now")).rows[0]?.now;
  /** Written after the caller has its answer. */
  const lastRow = () =>
    vi.waitUntil(
      async () => {
        const { rows } = await db.database.query(
          `select endpoint, provider, model, tokens_in::int as input, tokens_out::int as output, tokens_cache_read::int as cached,
             tokens_reasoning::int as reasoning, cost_micros::int as cost, usage_complete as complete, outcome
           from miyabi.model_calls where recorded_at >= $1 order by recorded_at desc limit 1`,
          [since],
        );
        return rows[0];
      },
      { timeout: 5_000 },
    );
  return { seen, subject, lastRow };
}

describe("Gemini", () => {
  const usage = {
    promptTokenCount: 100,
    cachedContentTokenCount: 40,
    candidatesTokenCount: 7,
    thoughtsTokenCount: 3,
    totalTokenCount: 110,
  };
  const part = (text: string, last: boolean) => ({
    candidates: [{ content: { parts: [{ text }] }, ...(last ? { finishReason: "STOP" } : {}) }],
    modelVersion: "gemini-2.5-pro",
    usageMetadata: last ? usage : { promptTokenCount: 100, totalTokenCount: 100 },
  });
  const parts = [part("a", false), part("b", true)];
  const events = parts.map((one) => `data: ${JSON.stringify(one)}\r\n\r\n`).join("");
  const reply = (url: string): Reply =>
    url.includes("alt=sse")
      ? { type: "text/event-stream", body: events }
      : { body: JSON.stringify(url.includes(":stream") ? parts : part("ab", true)) };
  const google = (origin: string) => ({ providers: { google: { baseUrl: origin } } });
  const expected = {
    endpoint: "generate_content",
    provider: "google",
    model: "gemini-2.5-pro",
    input: 100,
    output: 10,
    cached: 40,
    reasoning: 3,
    complete: true,
    outcome: "ok",
    // 60 × 1.25 + 40 × 0.125 (or 0.31 before the price was cut) + 10 × 10 USD per million tokens
    cost: expect.any(Number),
  };

  test.each([
    ["generateContent", ""],
    ["streamGenerateContent", "?alt=sse"],
    ["streamGenerateContent", ""],
  ])("%s%s passes byte for byte, with exact usage", async (operation, query) => {
    const { seen, subject, lastRow } = await setup(reply, google);
    const path = `/v1beta/models/gemini-2.5-pro:${operation}${query}`;
    const answer = await ask(subject.url, path, '{"contents":[ ]}', { "x-goog-api-key": RUN_KEY });
    expect(answer).toMatchObject({ status: 200, clean: true, text: reply(path).body });
    expect(seen[0]).toMatchObject({ url: path, body: '{"contents":[ ]}' });
    expect(seen[0]?.headers["x-goog-api-key"]).toBe("sk-provider-secret");
    expect(await lastRow()).toMatchObject(expected);
  });

  test("a key in the URL is ours and is not passed on; a stream without its end is cut", async () => {
    const { seen, subject, lastRow } = await setup(
      () => ({ type: "text/event-stream", body: events.slice(0, events.indexOf("\r\n\r\n") + 4) }),
      google,
    );
    const answer = await ask(
      subject.url,
      `/v1beta/models/gemini-2.5-pro:streamGenerateContent?key=${RUN_KEY}&alt=sse`,
      "{}",
      {},
    );
    expect(seen[0]?.url).toBe("/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse");
    expect(answer.clean).toBe(false);
    expect(answer.text).toMatch(/data: \{"error":\{"code":502,.*"status":"UNAVAILABLE"\}\}\n\n$/);
    expect(await lastRow()).toMatchObject({ outcome: "cut", complete: false, input: 100 });
  });

  test("counting costs nothing; a model can be renamed by an alias", async () => {
    const { seen, subject, lastRow } = await setup(
      () => ({ body: '{"totalTokens":5}' }),
      (origin) => ({ ...google(origin), aliases: { pro: "gemini-2.5-pro" } }),
    );
    await ask(subject.url, "/v1beta/models/pro:countTokens", "{}", { "x-goog-api-key": RUN_KEY });
    expect(seen[0]?.url).toBe("/v1beta/models/gemini-2.5-pro:countTokens");
    expect(await lastRow()).toMatchObject({ endpoint: "gemini_count_tokens", cost: 0 });
  });
});

test("embeddings have exact input and no output", async () => {
  const { subject, lastRow } = await setup(
    () => ({
      body: '{"object":"list","model":"text-embedding-3-small","data":[],"usage":{"prompt_tokens":1000,"total_tokens":1000}}',
    }),
    (origin) => ({ providers: { openai: { baseUrl: origin } } }),
  );
  await ask(subject.url, "/v1/embeddings", { model: "text-embedding-3-small", input: "x" });
  expect(await lastRow()).toMatchObject({
    endpoint: "embeddings",
    input: 1_000,
    output: 0,
    cost: 20,
    complete: true,
  });
});

test("Azure gets its key in its own header, at its own path", async () => {
  const { seen, subject } = await setup(
    () => ({ body: '{"choices":[]}' }),
    (origin) => ({
      providers: { azure: { kind: "azure-openai", baseUrl: origin, models: ["my-deployment"] } },
    }),
  );
  await ask(subject.url, "/v1/chat/completions", { model: "my-deployment" });
  expect(seen[0]).toMatchObject({ url: "/openai/v1/chat/completions" });
  expect(seen[0]?.headers["api-key"]).toBe("sk-provider-secret");
  expect(seen[0]?.headers.authorization).toBeUndefined();
});

test("Bedrock takes Claude's Messages: signed, the model in the path", async () => {
  const { seen, subject, lastRow } = await setup(
    () => ({
      body: '{"type":"message","model":"claude-sonnet-4-5","content":[],"usage":{"input_tokens":10,"output_tokens":2}}',
    }),
    (origin) => ({ providers: { bedrock: { baseUrl: origin } } }),
  );
  await ask(subject.url, "/v1/messages?beta=true", {
    model: "bedrock/anthropic.claude-sonnet-4-5-v1:0",
    max_tokens: 5,
  });
  expect(seen[0]?.url).toBe("/model/anthropic.claude-sonnet-4-5-v1:0/invoke");
  expect(seen[0]?.headers.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=/);
  expect(seen[0]?.headers["x-api-key"]).toBeUndefined();
  expect(JSON.parse(seen[0]?.body ?? "")).toEqual({ anthropic_version: "bedrock-2023-05-31", max_tokens: 5 });
  expect(await lastRow()).toMatchObject({ provider: "bedrock", input: 10, output: 2, complete: true });
});

test("models of all providers, aliases and routes are listed in the caller's dialect, as far as the key allows", async () => {
  const { subject, seen } = await setup(
    (url) =>
      url.startsWith("/v1beta")
        ? {
            body: '{"models":[{"name":"models/gemini-2.5-pro","supportedGenerationMethods":["generateContent"]}]}',
          }
        : url.startsWith("/down")
          ? { status: 500, body: "" }
          : {
              body: '{"object":"list","data":[{"id":"gpt-5","object":"model","created":7,"owned_by":"openai","extra":1}]}',
            },
    (origin) => ({
      providers: {
        openai: { baseUrl: origin },
        google: { baseUrl: origin },
        anthropic: { baseUrl: `${origin}/down` },
      },
      aliases: { fast: "gpt-5" },
    }),
  );
  const list = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await request(subject.url + path, {
      headers: { authorization: `Bearer ${RUN_KEY}`, ...headers },
    });
    return { status: answer.statusCode, body: await answer.body.json() };
  };
  const { body } = await list("/v1/models");
  expect(body).toMatchObject({
    object: "list",
    data: [
      { id: "fast", object: "model", owned_by: "miyabi" },
      { id: "gpt-5", created: 7, extra: 1 },
      { id: "gemini-2.5-pro", object: "model", owned_by: "google" },
    ],
  });
  const asked = seen.length;
  expect((await list("/v1/models", { "anthropic-version": "2023-06-01" })).body).toMatchObject({
    data: [{ type: "model", id: "fast" }, { id: "gpt-5" }, { id: "gemini-2.5-pro" }],
    has_more: false,
  });
  expect((await list("/v1beta/models")).body).toMatchObject({
    models: [{ name: "models/fast" }, {}, { name: "models/gemini-2.5-pro" }],
  });
  expect((await list("/v1/models/gpt-5")).body).toMatchObject({ id: "gpt-5", object: "model" });
  expect(await list("/v1/models/nobody")).toMatchObject({ status: 404 });
  expect(seen).toHaveLength(asked);
  const { key } = await subject.gateway.keys.create(keyTerms({ name: "g", models: ["gemini-*"] }), "test");
  expect((await list("/v1/models", { authorization: `Bearer ${key}` })).body).toMatchObject({
    data: [{ id: "gemini-2.5-pro" }],
  });
});
