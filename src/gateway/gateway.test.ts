import http from "node:http";
import { Readable, Writable } from "node:stream";
import websocket from "@fastify/websocket";
import { fastify } from "fastify";
import { Client, request } from "undici";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { createLog, systemClock, systemRandom } from "../base/index.ts";
import { createTestDatabase, type TestDatabase } from "../store/testing.ts";
import {
  ANTHROPIC_USAGE,
  CHAT_USAGE,
  RESPONSES_USAGE,
  startModelServer,
  streamText,
} from "../../test/support/model-server.ts";
import { createGateway, gatewaySettings, REQUEST_LOGGER } from "./index.ts";

const RUN_KEY = "run-key-of-R1";
const PROVIDER_KEY = "sk-provider-secret";
const MODEL = "claude-sonnet-4-5";

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  await db.database.query(`
    insert into miyabi.repositories (id, name, path, target_branch) values ('r', 'r', '/r', 'main');
    insert into miyabi.tasks (repository_id, source, title, body, class, own_deadline_at, deadline_at, workflow)
      values ('r', 'api', 't', '', 'P2', now(), now(), '{}');
    insert into miyabi.runs (task_id, step_position, step, kind, queue, attempt, round, cause, job_id)
      values ('T1', 0, 'implement', 'agent', 'code', 1, 1, '{}', gen_random_uuid())`);
});
afterAll(() => db.drop());

type Settings = Record<string, unknown>;

async function setup(
  over: {
    readonly secrets?: Record<string, string>;
    readonly settings?: Settings;
    readonly upstream?: string;
  } = {},
) {
  const model = await startModelServer();
  const origin = over.upstream ?? model.origin;
  const lines: string[] = [];
  const destination = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString());
      done();
    },
  });
  const secrets = over.secrets ?? { ANTHROPIC_API_KEY: PROVIDER_KEY, OPENAI_API_KEY: PROVIDER_KEY };
  const settings = gatewaySettings.parse({
    providers: {
      anthropic: { baseUrl: origin, headers: { "X-Team": "miyabi" } },
      openai: { baseUrl: `${origin}/v1` },
    },
    ...over.settings,
  });
  const gateway = createGateway({
    settings: () => settings,
    readSecret: (name) => secrets[name],
    identifyRun: async (token) =>
      token === RUN_KEY ? { runId: "R1", taskId: "T1", budgetMicros: null } : null,
    identityFile: "/nonexistent/identity",
    database: db.database,
    clock: systemClock,
    random: systemRandom,
    log: createLog({ name: "test", level: "debug", destination }),
    requestLog: createLog({ name: REQUEST_LOGGER, level: "info", destination }),
  });
  const server = fastify();
  await server.register(websocket);
  await server.register(gateway.plugin);
  const url = await server.listen({ port: 0, host: "127.0.0.1" });
  const since = (await db.database.query<{ now: Date }>("select clock_timestamp() as now")).rows[0]?.now;
  onTestFinished(async () => {
    await gateway.stop();
    server.server.closeAllConnections();
    await server.close();
    await model.close();
  });
  const rows = async () => {
    await gateway.costOf({ runId: "R1" });
    const found = await db.database.query<Record<string, unknown>>(
      `select *, tokens_in::int, tokens_out::int, tokens_cache_read::int, tokens_cache_write::int,
         tokens_reasoning::int, cost_micros::int from miyabi.model_calls where recorded_at >= $1 order by recorded_at`,
      [since],
    );
    return found.rows;
  };
  /** The ledger row is written after the caller has its answer. */
  const row = () => vi.waitUntil(async () => (await rows())[0], { timeout: 5_000 });
  return { model, gateway, server, url, lines, row, rows };
}

const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
  request(url, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": RUN_KEY, ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

describe("pass-through", () => {
  test("body, query and foreign headers reach the provider byte for byte, keys do not", async () => {
    const { url, model } = await setup();
    const body =
      '{ "model":"claude-sonnet-4-5",\n "unknown": {"x":[1.0, "日本"]}, "tools":[{"type":"custom"}] }';
    const response = await post(`${url}/v1/messages?beta=true`, body, {
      authorization: `Bearer ${RUN_KEY}`,
      "anthropic-beta": "new-thing-2027",
      "anthropic-version": "2023-06-01",
      cookie: "session=1",
      "x-team": "other",
    });
    expect(response.statusCode).toBe(200);
    expect(response.headers["x-request-id"]).toBe("req_upstream");
    await response.body.dump();
    const [call] = model.calls;
    expect(call?.url).toBe("/v1/messages?beta=true");
    expect(call?.body.toString()).toBe(body);
    expect(call?.headers).toMatchObject({
      "anthropic-beta": "new-thing-2027",
      "anthropic-version": "2023-06-01",
      "x-api-key": PROVIDER_KEY,
      "x-team": "miyabi",
    });
    expect(JSON.stringify(call?.rawHeaders)).not.toMatch(/run-key-of-R1|cookie/i);
    expect(call?.headers.authorization).toBeUndefined();
  });

  test.each([
    ["/v1/messages", "anthropic"],
    ["/v1/chat/completions", "openai"],
    ["/v1/responses", "openai"],
  ])("a stream of %s arrives unchanged", async (path) => {
    const { url } = await setup();
    const response = await post(`${url}${path}`, { model: MODEL, stream: true });
    expect(await response.body.text()).toBe(streamText(path, MODEL));
  });

  test("chunks are not held back", async () => {
    const { url, model } = await setup();
    model.fault = { kind: "stall" };
    const response = await post(`${url}/v1/messages`, { model: MODEL, stream: true });
    let text = "";
    for await (const chunk of response.body) {
      text += String(chunk);
      if (text.includes("Grüße")) break;
    }
    expect(text).toContain("Grüße");
  });

  test("a provider's error passes through with its status, headers and bytes", async () => {
    const { url, model, row } = await setup();
    model.fault = { kind: "status", status: 429 };
    const response = await post(`${url}/v1/messages`, { model: MODEL });
    expect(response.statusCode).toBe(429);
    expect(response.headers["retry-after"]).toBe("7");
    expect(await response.body.text()).toBe('{"error":  {"message":"upstream says no"}}');
    expect(await row()).toMatchObject({ status: 429, outcome: "rejected", cost_micros: 0, tokens_in: null });
  });

  test("lists models, counts tokens without cost, answers Claude's probe", async () => {
    const { url, row } = await setup();
    const models = await request(`${url}/v1/models`, { headers: { authorization: `Bearer ${RUN_KEY}` } });
    expect(await models.body.json()).toMatchObject({ object: "list" });
    for (const method of ["GET", "HEAD"] as const)
      expect((await request(`${url}/api/hello`, { method })).statusCode).toBe(200);
    const count = await post(`${url}/v1/messages/count_tokens`, { model: MODEL });
    expect(await count.body.json()).toEqual({ input_tokens: 42 });
    expect(await row()).toMatchObject({ endpoint: "count_tokens", cost_micros: 0, usage_complete: true });
  });

  test("a WebSocket for responses is answered with 426, also beside a WebSocket plugin", async () => {
    const { url } = await setup();
    expect((await request(`${url}/v1/responses`)).statusCode).toBe(426);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const upgrade = http.get(`${url}/v1/responses`, {
        headers: {
          connection: "upgrade",
          upgrade: "websocket",
          "sec-websocket-version": "13",
          "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        },
      });
      upgrade.on("response", (response) => resolve(response.resume().statusCode));
      upgrade.on("upgrade", () => reject(new Error("upgraded")));
      upgrade.on("error", reject);
    });
    expect(status).toBe(426);
  });
});

describe("refusals in the caller's dialect", () => {
  test("an unknown key", async () => {
    const { url, model } = await setup();
    const anthropic = await post(`${url}/v1/messages`, {}, { "x-api-key": "wrong" });
    expect(anthropic.statusCode).toBe(401);
    expect(await anthropic.body.json()).toMatchObject({
      type: "error",
      error: { type: "authentication_error" },
    });
    const openai = await post(`${url}/v1/chat/completions`, {}, { "x-api-key": "wrong" });
    expect(await openai.body.json()).toMatchObject({ error: { code: "unauthenticated" } });
    expect(model.calls).toHaveLength(0);
  });

  test("a missing provider key names the setting and tells SDKs not to retry", async () => {
    const { url } = await setup({ secrets: {} });
    const response = await post(`${url}/v1/responses`, {});
    expect(response.statusCode).toBe(503);
    expect(response.headers["x-should-retry"]).toBe("false");
    expect(await response.body.text()).toMatch(/OPENAI_API_KEY.*gateway\.providers\.openai/);
  });

  test("a body over the limit, declared or not", async () => {
    const { url, model } = await setup({ settings: { maxBodyBytes: 1_000 } });
    const declared = await post(`${url}/v1/messages`, "x".repeat(5_000));
    expect(declared.statusCode).toBe(413);
    const chunked = await request(`${url}/v1/messages`, {
      method: "POST",
      headers: { "x-api-key": RUN_KEY },
      body: Readable.from(Array.from({ length: 50 }, () => "x".repeat(100))),
    });
    expect(chunked.statusCode).toBe(413);
    expect(await chunked.body.json()).toMatchObject({ error: { type: "request_too_large" } });
    expect(model.calls).toHaveLength(0);
  });
});

describe("faults", () => {
  test("an unreachable provider is 502 and free", async () => {
    const { url, row } = await setup({ upstream: "http://127.0.0.1:1" });
    const response = await post(`${url}/v1/messages`, { model: MODEL });
    expect(response.statusCode).toBe(502);
    expect(await response.body.json()).toMatchObject({ type: "error", error: { type: "api_error" } });
    expect(await row()).toMatchObject({ outcome: "failed", status: 502, cost_micros: 0 });
  });

  test("a reset after the request is 502, of unknown cost", async () => {
    const { url, model, row } = await setup();
    model.fault = { kind: "reset" };
    const response = await post(`${url}/v1/chat/completions`, { model: "gpt-5" });
    expect(response.statusCode).toBe(502);
    expect(await response.body.json()).toMatchObject({ error: { code: "upstream_failed" } });
    expect(await row()).toMatchObject({ outcome: "failed", cost_micros: null, usage_complete: false });
  });

  test("silence ends as 504 after the first-byte or the total time", async () => {
    const slow = await setup({ settings: { timeouts: { totalMs: 300 } } });
    slow.model.fault = { kind: "silent" };
    const response = await post(`${slow.url}/v1/messages`, { model: MODEL });
    expect(response.statusCode).toBe(504);
    expect(await response.body.json()).toMatchObject({ error: { type: "timeout_error" } });
    const first = await setup({ settings: { timeouts: { firstByteMs: 500 } } });
    first.model.fault = { kind: "silent" };
    expect((await post(`${first.url}/v1/messages`, { model: MODEL })).statusCode).toBe(504);
  });

  test.each(["cut", "early-end", "stall"] as const)("a stream with %s ends as an error", async (kind) => {
    const { url, model, row } = await setup({ settings: { timeouts: { idleMs: 500 } } });
    model.fault = { kind };
    const response = await post(`${url}/v1/messages`, { model: MODEL, stream: true });
    let text = "";
    const read = (async () => {
      for await (const chunk of response.body) text += String(chunk);
    })();
    await expect(read).rejects.toThrow();
    expect(text).toContain("Grüße");
    expect(text).toContain("event: error\ndata: ");
    expect(await row()).toMatchObject({ outcome: "cut", usage_complete: false, tokens_in: 2_140 });
  });

  test("a caller that goes away ends the provider's call within 50 ms and is recorded", async () => {
    const { url, model, row } = await setup();
    model.fault = { kind: "stall" };
    // Another program may have had the processor; the best of some says what the gateway does.
    let bestMs = Infinity;
    for (let tries = 0; tries < 5 && bestMs >= 50; tries += 1) {
      const client = new Client(url);
      const response = await client.request({
        method: "POST",
        path: "/v1/messages",
        headers: { "x-api-key": RUN_KEY },
        body: JSON.stringify({ model: MODEL, stream: true }),
      });
      response.body.on("error", () => {});
      await vi.waitUntil(() => model.calls[tries] !== undefined);
      const from = systemClock.monotonicMs();
      await client.destroy();
      await model.calls[tries]?.aborted;
      bestMs = Math.min(bestMs, systemClock.monotonicMs() - from);
    }
    expect(bestMs).toBeLessThan(50);
    expect(await row()).toMatchObject({ outcome: "aborted", usage_complete: false });
  });
});

describe("ledger", () => {
  const anthropicIn =
    ANTHROPIC_USAGE.input_tokens +
    ANTHROPIC_USAGE.cache_creation_input_tokens +
    ANTHROPIC_USAGE.cache_read_input_tokens;
  // 100 × 3 + 40 × 3.75 + 2000 × 0.3 + 25 × 15 USD per million tokens
  const anthropicCost = 300 + 150 + 600 + 375;

  test.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])("messages: exact tokens and cost (stream %s, gzip %s)", async (stream, gzip) => {
    const { url, model, row, lines } = await setup();
    model.gzip = gzip;
    const response = await post(`${url}/v1/messages`, { stream, model: MODEL, messages: ["prompt text"] });
    await response.body.dump();
    expect(await row()).toMatchObject({
      run_id: "R1",
      task_id: "T1",
      provider: "anthropic",
      endpoint: "messages",
      model: MODEL,
      status: 200,
      tokens_in: anthropicIn,
      tokens_out: ANTHROPIC_USAGE.output_tokens,
      tokens_cache_read: ANTHROPIC_USAGE.cache_read_input_tokens,
      tokens_cache_write: ANTHROPIC_USAGE.cache_creation_input_tokens,
      usage_complete: true,
      cost_micros: anthropicCost,
      outcome: "ok",
      price: { provider: "anthropic", model: "claude-sonnet-4-5" },
    });
    const line = lines
      .map((text) => JSON.parse(text) as Record<string, unknown>)
      .find((one) => "req_id" in one);
    expect(line).toMatchObject({
      name: "katamari.request",
      token_in: anthropicIn,
      token_out: 25,
      compress_ratio: 1,
      retryable: false,
      status: 200,
      model: MODEL,
      chain: null,
      error: null,
    });
    expect(line?.["step_latency_ms"]).toEqual(expect.any(Number));
    expect(lines.join("")).not.toMatch(/sk-provider-secret|run-key-of-R1|prompt text/);
  });

  test.each([false, true])("chat and responses: exact tokens (stream %s)", async (stream) => {
    const chat = await setup();
    await (await post(`${chat.url}/v1/chat/completions`, { model: "gpt-5", stream })).body.dump();
    expect(await chat.row()).toMatchObject({
      tokens_in: CHAT_USAGE.prompt_tokens,
      tokens_out: CHAT_USAGE.completion_tokens,
      tokens_cache_read: 128,
      tokens_reasoning: 10,
      // 372 × 1.25 + 128 × 0.125 + 40 × 10
      cost_micros: 881,
    });
    const responses = await setup();
    await (await post(`${responses.url}/v1/responses`, { model: "gpt-5", stream })).body.dump();
    expect(await responses.row()).toMatchObject({
      tokens_in: RESPONSES_USAGE.input_tokens,
      tokens_out: RESPONSES_USAGE.output_tokens,
      tokens_cache_read: 200,
      tokens_reasoning: 20,
    });
  });

  test("a stream without usage has unknown tokens and cost, an unknown model unknown cost", async () => {
    const silent = await setup();
    silent.model.streamUsage = false;
    await (await post(`${silent.url}/v1/chat/completions`, { model: "gpt-5", stream: true })).body.dump();
    expect(await silent.row()).toMatchObject({
      outcome: "ok",
      tokens_in: null,
      tokens_out: null,
      cost_micros: null,
    });
    const unknown = await setup();
    await (await post(`${unknown.url}/v1/messages`, { model: "my-own-model" })).body.dump();
    expect(await unknown.row()).toMatchObject({ tokens_in: anthropicIn, cost_micros: null, price: null });
  });

  test("100 calls at once are all counted, also by a gateway that stops right after", async () => {
    const { url, gateway, rows } = await setup();
    const before = await gateway.costOf({ taskId: "T1" });
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const response = await post(`${url}/v1/messages`, { model: MODEL, stream: index % 2 === 0 });
        await response.body.dump();
      }),
    );
    await gateway.stop();
    expect(await rows()).toHaveLength(100);
    const after = await gateway.costOf({ taskId: "T1" });
    expect(after.calls - before.calls).toBe(100);
    expect(after.knownMicros - before.knownMicros).toBe(100 * anthropicCost);
    expect((await gateway.costSince(new Date(0))).calls).toBe(after.calls);
  });
});
