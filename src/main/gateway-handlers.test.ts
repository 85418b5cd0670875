import os from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { AS_CLI, createApiFixture } from "../api/api-fixture.ts";
import { silentLog, systemClock, systemRandom } from "../base/index.ts";
import { createGateway, gatewaySettings } from "../gateway/index.ts";
import { createTestDatabase } from "../store/testing.ts";
import { createGatewayHandlers } from "./gateway-handlers.ts";

async function setup(more: object = {}) {
  const { database } = await createTestDatabase();
  const settings = gatewaySettings.parse({ providers: { local: { kind: "ollama" } }, ...more });
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
    handlers: createGatewayHandlers({ gateway, settings: () => settings, database, clock: systemClock }),
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

test("the use of keys and the health of models are told from the ledger", async () => {
  const { call, database } = await setup();
  await call("POST", "/api/gateway/keys", { name: "aider", kind: "tool" });
  await call("POST", "/api/gateway/keys", { name: "unused" });
  await database.query(`
    insert into miyabi.model_calls (id, provider, endpoint, model, usage_complete, cost_micros, first_byte_ms, total_ms, outcome,
      error, key_id, started_at)
    select gen_random_uuid(), 'openai', case n when 1 then 'messages' else 'chat_completions' end,
      case when n <= 2 then 'small' else 'large' end, true, nullif(n, 5) * 1000, n * 10, 90, case n when 4 then 'failed' else 'ok' end,
      case n when 4 then 'It is down.' end, 'K1', now() - n * interval '1 hour'
    from generate_series(1, 5) n union all
    select gen_random_uuid(), 'openai', 'messages', 'old', true, 1, 1, 1, 'ok', null, 'K1', now() - interval '40 days'`);
  const use = (await call("GET", "/api/gateway/keys/use")).body as unknown as { items: object[] };
  expect(use.items).toEqual([
    {
      keyId: "K1",
      lastUsedAt: expect.any(String),
      calls: 5,
      costMicros: 10_000,
      costUnknown: 1,
      models: ["large", "small"],
      endpoints: ["chat_completions", "messages"],
    },
  ]);
  expect((await call("GET", "/api/gateway/health")).body["items"]).toMatchObject([
    { provider: "openai", model: "large", calls: 3, failed: 1, firstByteP50Ms: 40, lastError: "It is down." },
    { provider: "openai", model: "small", calls: 2, failed: 0, lastFailedAt: null, lastError: null },
  ]);
});

test("budgets that hold are listed with their use, the fullest first; ended keys and tasks are not", async () => {
  const { call, database } = await setup({
    budgets: { monthUsd: 100, taskUsd: 2, teams: { web: { dayUsd: 10 } } },
  });
  const state = (task: number) => ["running", "done", "running"][task - 1];
  await database.query(
    "insert into miyabi.repositories (id, name, path, target_branch) values ('r', 'r', '/r', 'main')",
  );
  for (const task of [1, 2, 3])
    await database.query(
      `insert into miyabi.tasks (repository_id, source, title, body, class, own_deadline_at, deadline_at, workflow, state, budget_micros)
       values ('r', 'api', 't', '', 'P2', now(), now(), '{}', $1, $2)`,
      [state(task), task === 3 ? 500_000 : null],
    );
  for (const name of ["aider", "gone"])
    await call("POST", "/api/gateway/keys", { name, budgetDayMicros: 1_000_000, team: "web" });
  await call("POST", "/api/gateway/keys/K2/revoke", {});
  const day = new Date().toISOString().slice(0, 10);
  await database.query(
    `insert into miyabi.budgets (account, spent_micros, reserved_micros)
     select * from unnest($1::text[], $2::bigint[], $3::bigint[])`,
    [
      [`key:K1 day:${day}`, `all month:${day.slice(0, 7)}`, "task:T1", "task:T2", "key:K1 day:2020-01-01"],
      [900_000, 10_000_000, 1_000_000, 2_000_000, 7],
      [50_000, 0, 0, 0, 0],
    ],
  );
  const { body } = await call("GET", "/api/gateway/budgets");
  expect(body).toMatchObject({ warnAt: 0.8 });
  const items = body["items"] as unknown as Record<string, unknown>[];
  expect(items.map(({ scope, owner, period, taskId }) => [scope, owner, period, taskId])).toEqual([
    ["key", "K1", "day", null],
    ["task", "T1", "task", "T1"],
    ["all", null, "month", null],
    ["team", "web", "day", null],
    ["task", "T3", "task", "T3"],
  ]);
  expect(items[0]).toMatchObject({
    limitMicros: 1_000_000,
    spentMicros: 900_000,
    reservedMicros: 50_000,
    endsAt: expect.stringMatching(/T00:00:00.000Z$/),
  });
  expect(items[4]).toMatchObject({ limitMicros: 500_000, spentMicros: 0, endsAt: null });
});

test("prices say where they come from, and which are not known", async () => {
  const { call, database } = await setup({
    providers: {
      local: { kind: "ollama", models: ["qwen*"] },
      other: { kind: "openai-compatible", baseUrl: "http://x/v1" },
    },
    aliases: { fast: "claude-haiku-4-5" },
    routes: {
      coder: {
        targets: [
          { provider: "openai", model: "gpt-5" },
          { provider: "local", model: "qwen3" },
        ],
      },
    },
    prices: { "gpt-5": { input: 2, output: 20 } },
  });
  await database.query(`
    insert into miyabi.model_calls (id, provider, endpoint, model, usage_complete, cost_micros, total_ms, outcome, started_at)
    values (gen_random_uuid(), 'other', 'chat_completions', 'homemade', true, null, 1, 'ok', now())`);
  const items = (await call("GET", "/api/gateway/prices")).body["items"] as unknown as { model: string }[];
  const of = (model: string) => items.find((one) => one.model === model);
  expect(of("gpt-5")).toMatchObject({
    provider: "openai",
    source: "override",
    inputUsd: 2,
    outputUsd: 20,
    cacheReadUsd: 2,
    usedBy: ["coder"],
  });
  expect(of("claude-haiku-4-5")).toMatchObject({
    provider: "anthropic",
    source: "list",
    listedAs: expect.stringContaining("claude-haiku-4-5"),
    inputUsd: 1,
    outputUsd: 5,
    windowTokens: 200_000,
    usedBy: ["fast"],
  });
  expect(of("qwen3")).toMatchObject({ provider: "local", source: "free", inputUsd: 0 });
  expect(of("homemade")).toMatchObject({ source: "unknown", inputUsd: null, calls: 1, costUnknown: 1 });
});

test("a call says its route, what was tried before, and its price; a chain is found by the caller's call", async () => {
  const { call, database } = await setup({ routes: { coder: { targets: [{ model: "gpt-5" }] } } });
  const ID = "00000000-0000-4000-8000-00000000000";
  await database.query(`
    insert into miyabi.model_calls (id, provider, endpoint, model, asked_model, usage_complete, total_ms, outcome, started_at,
      chain, chain_step, chain_of, price, tried)
    select ('${ID}' || n)::uuid, 'openai', 'messages', 'gpt-5', case n when 3 then 'coder' end, true, 1, 'ok', now() + n * interval '1 s',
      'reflect', (array['draft', 'critique', 'final'])[n], '${ID}3'::uuid,
      '{"provider":"openai","model":"gpt-5","prices":{"input_mtok":{"base":1.25,"tiers":[]},"output_mtok":10}}'::jsonb,
      case n when 3 then '[{"provider":"other","model":null,"status":503,"error":"It is down."}]'::jsonb end
    from generate_series(1, 4) n where n < 4 union all
    select gen_random_uuid(), 'openai', 'messages', 'gpt-5', null, true, 1, 'ok', now(), null, null, null, null, null`);
  const items = (await call("GET", `/api/gateway/calls?chain=${ID}3`)).body["items"] as unknown as object[];
  expect(items).toMatchObject([
    { chainStep: "final", route: "coder", tried: [{ provider: "other", status: 503 }] },
    { chainStep: "critique", route: null, tried: [] },
    {
      chainStep: "draft",
      price: {
        source: "list",
        listedAs: "openai/gpt-5",
        inputUsd: 1.25,
        outputUsd: 10,
        cacheReadUsd: null,
        tiered: true,
      },
    },
  ]);
  expect((await call("GET", "/api/gateway/calls?chain=x")).status).toBe(422);
});
