import os from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { AS_CLI, createApiFixture } from "../api/api-fixture.ts";
import { silentLog, systemClock, systemRandom } from "../base/index.ts";
import { createGateway, gatewaySettings } from "../gateway/index.ts";
import { createTestDatabase } from "../store/testing.ts";
import { createGatewayHandlers } from "./gateway-handlers.ts";

async function setup() {
  const { database } = await createTestDatabase();
  const settings = gatewaySettings.parse({ providers: { local: { kind: "ollama" } } });
  const gateway = createGateway({
    settings: () => settings,
    readSecret: () => undefined,
    identifyRun: async () => null,
    identityFile: path.join(os.tmpdir(), `miyabi-identity-${systemRandom.uuid()}`),
    database,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    requestLog: silentLog,
  });
  const { server } = await createApiFixture({
    handlers: createGatewayHandlers({ gateway, database, clock: systemClock }),
  });
  onTestFinished(() => gateway.stop());
  const call = async (method: "GET" | "POST", url: string, payload?: object) => {
    const answer = await server.inject({
      method,
      url,
      headers: AS_CLI,
      ...(payload === undefined ? {} : { payload }),
    });
    return { status: answer.statusCode, body: answer.json<Record<string, never>>() };
  };
  return { call, database };
}

test("keys are made, listed without the key, and revoked; wrong ones are refused by field", async () => {
  const { call } = await setup();
  const made = await call("POST", "/api/gateway/keys", {
    name: "aider",
    kind: "tool",
    budgetDayMicros: 5_000_000,
    models: ["gpt-*"],
  });
  expect(made).toMatchObject({
    status: 201,
    body: { id: "K1", key: expect.stringMatching(/^mk-/), budgetDayMicros: 5_000_000 },
  });
  const list = await call("GET", "/api/gateway/keys");
  expect(list.body).toMatchObject({
    items: [{ id: "K1", name: "aider", models: ["gpt-*"], revokedAt: null }],
  });
  expect(JSON.stringify(list.body)).not.toContain(String(made.body["key"]));
  expect((await call("POST", "/api/gateway/keys/K1/revoke", {})).body).toMatchObject({
    revokedAt: expect.any(String),
  });
  expect((await call("POST", "/api/gateway/keys/K9/revoke", {})).status).toBe(404);
  expect((await call("POST", "/api/gateway/keys", { name: "", kind: "robot" })).status).toBe(422);
  expect((await call("POST", "/api/gateway/keys", { name: "x", taskId: "T99" })).body).toMatchObject({
    code: "input.invalid",
  });
});

test("the matrix says who serves what; a key makes a provider ready", async () => {
  const { call } = await setup();
  const { items } = (await call("GET", "/api/gateway/providers")).body as unknown as {
    items: { name: string; state: string; endpoints: Record<string, string> }[];
  };
  const row = (name: string) => items.find((one) => one.name === name);
  expect(row("anthropic")).toMatchObject({
    state: "no-key",
    endpoints: { messages: "native", embeddings: "none" },
  });
  expect(row("local")).toMatchObject({
    state: "ready",
    free: true,
    endpoints: { chat_completions: "native" },
  });
  expect(row("bedrock")).toMatchObject({ state: "available" });
  const set = await call("POST", "/api/gateway/providers/anthropic/key", { key: "sk-secret" });
  expect(set.body).toMatchObject({ state: "ready", key: "sealed" });
  expect(JSON.stringify(set.body)).not.toContain("sk-secret");
  expect((await call("POST", "/api/gateway/providers/anthropic/key/remove", {})).body).toMatchObject({
    state: "no-key",
  });
  expect((await call("POST", "/api/gateway/providers/nobody/key", { key: "x" })).status).toBe(404);
  expect((await call("POST", "/api/gateway/providers/anthropic/key", { key: "a\nb" })).status).toBe(422);
});

test("calls are listed page by page and filtered; the cache is looked at and cleared", async () => {
  const { call, database } = await setup();
  await database.query(`
    insert into miyabi.model_calls (id, provider, endpoint, model, asked_model, status, usage_complete, cost_micros, total_ms, outcome, started_at, caller)
    select gen_random_uuid(), case n % 2 when 0 then 'openai' else 'anthropic' end, 'messages', 'm', 'alias', 200, true, n, 5, 'ok',
      timestamptz '2026-01-01' + n * interval '1 microsecond', 'run R1' from generate_series(1, 25) n`);
  const seen: unknown[] = [];
  let cursor = "";
  do {
    const { body } = await call("GET", `/api/gateway/calls?limit=10&model=alias${cursor}`);
    const page = body as unknown as { items: { costMicros: number }[]; nextCursor: string | null };
    seen.push(...page.items.map((one) => one.costMicros));
    cursor = page.nextCursor === null ? "" : `&cursor=${encodeURIComponent(page.nextCursor)}`;
  } while (cursor !== "");
  expect(seen).toEqual(Array.from({ length: 25 }, (_, index) => 25 - index));
  expect((await call("GET", "/api/gateway/calls?provider=openai")).body["items"]).toHaveLength(12);
  expect((await call("GET", "/api/gateway/calls?cursor=x")).status).toBe(422);
  expect((await call("GET", "/api/gateway/cache")).body).toEqual({ entries: 0, bytes: 0, oldestAt: null });
  expect((await call("POST", "/api/gateway/cache/invalidate", { all: true })).body).toEqual({ removed: 0 });
  expect((await call("POST", "/api/gateway/cache/invalidate", {})).status).toBe(422);
});

test("calls are summed up by span, with costs that are not known counted apart", async () => {
  const { call, database } = await setup();
  await database.query(`
    insert into miyabi.model_calls (id, provider, endpoint, model, usage_complete, cost_micros, first_byte_ms, total_ms, outcome,
      tokens_in, tokens_out, tokens_cache_read, cache, started_at)
    select gen_random_uuid(), 'openai', 'messages', case when n <= 3 then 'small' else 'large' end, true, nullif(n, 4) * 1000, n * 10, 90,
      case n when 2 then 'cut' else 'ok' end, 100, 10, 50, case n when 5 then 'hit' end, now() - (n % 2) * interval '3 hours'
    from generate_series(1, 5) n union all
    select gen_random_uuid(), 'anthropic', 'messages', 'old', true, 1, 1, 1, 'ok', 1, 1, 0, null, now() - interval '26 hours'`);
  const { body } = await call("GET", "/api/gateway/summary");
  expect(body).toMatchObject({
    total: {
      calls: 5,
      failed: 1,
      cacheHits: 1,
      costMicros: 11_000,
      costUnknown: 1,
      tokensIn: 500,
      tokensOut: 50,
      tokensCacheRead: 250,
      firstByteP50Ms: 20,
      firstByteP95Ms: 40,
    },
    models: ["small", "large"],
    providers: ["openai"],
  });
  const spans = body["spans"] as unknown as { calls: number; from: string }[];
  expect(spans).toHaveLength(24);
  expect(spans.map(({ calls }) => calls)).toEqual([...Array<number>(20).fill(0), 3, 0, 0, 2]);
  const week = (await call("GET", "/api/gateway/summary?range=7d&model=small")).body;
  expect(week).toMatchObject({ total: { calls: 3 }, models: ["small", "large", "old"] });
  expect((await call("GET", "/api/gateway/summary?range=1y")).status).toBe(422);
});

test("a call that is not there, and one of which nothing is kept, are said to be that", async () => {
  const { call, database } = await setup();
  const id = systemRandom.uuid();
  expect((await call("GET", `/api/gateway/calls/${id}`)).status).toBe(404);
  await database.query(
    `insert into miyabi.model_calls (id, provider, endpoint, usage_complete, total_ms, outcome, started_at)
     values ($1, 'openai', 'messages', true, 5, 'ok', now())`,
    [id],
  );
  expect(await call("GET", `/api/gateway/calls/${id}`)).toMatchObject({
    status: 200,
    body: { id, provider: "openai" },
  });
  expect(await call("GET", `/api/gateway/calls/${id}/prompt`)).toMatchObject({
    status: 404,
    body: { detail: expect.stringContaining("Nothing is kept") },
  });
  await database.query(
    `insert into miyabi.gateway_prompts (call_id, request, answer, request_bytes, answer_bytes, is_cut, size_bytes)
     values ($1, '{}', null, 2, null, false, 2)`,
    [id],
  );
  expect(await call("GET", `/api/gateway/calls/${id}/prompt`)).toMatchObject({
    status: 200,
    body: { request: "{}" },
  });
});
