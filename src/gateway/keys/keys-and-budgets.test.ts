import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { ask, keyTerms, RUN_KEY, seedRun, startGateway } from "../../../test/support/gateway-under-test.ts";
import { startFaultyUpstream } from "../../../test/support/faulty-upstream.ts";
import { createTestDatabase, type TestDatabase } from "../../store/testing.ts";
import type { KeyTerms } from "./key-store.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase({ maxConnections: 10 });
  await seedRun(db.database);
});
afterAll(() => db.drop());

/** The mock answers with 10 tokens in, 3 out. */
const PRICES = { "gpt-5": { input: 10, output: 100 } };
const COST = 10 * 10 + 3 * 100;

async function setup(settings: Record<string, unknown> = {}) {
  const [first, second, directory] = await Promise.all([
    startFaultyUpstream(),
    startFaultyUpstream(),
    mkdtemp(path.join(os.tmpdir(), "miyabi-keys-")),
  ]);
  const identityFile = path.join(directory, "identity");
  const subject = await startGateway({
    database: db.database,
    settings: {
      providers: {
        openai: { baseUrl: first.origin },
        anthropic: { baseUrl: first.origin },
        second: { kind: "openai-compatible", baseUrl: `${second.origin}/v1` },
      },
      prices: PRICES,
      retry: { attempts: 0 },
      ...settings,
    },
    over: { identityFile },
  });
  onTestFinished(async () => {
    await subject.close();
    await Promise.all([first.close(), second.close(), rm(directory, { recursive: true })]);
  });
  const add = (terms: Partial<KeyTerms> = {}) =>
    subject.gateway.keys.create(keyTerms({ name: "aider", ...terms }), "test");
  const chat = (key: string, body: Record<string, unknown> = {}) =>
    ask(
      subject.url,
      "/v1/chat/completions",
      { model: "gpt-5", max_tokens: 10, messages: [], ...body },
      { authorization: `Bearer ${key}` },
    );
  const account = async (name: string) => {
    await subject.gateway.costSince(new Date());
    const { rows } = await db.database.query(
      "select spent_micros::int as spent, reserved_micros::int as reserved from miyabi.budgets where account like $1",
      [`${name} %`],
    );
    return rows[0];
  };
  return { first, second, subject, identityFile, add, chat, account };
}

describe("virtual keys", () => {
  test("are shown once, kept as a hash, and found in ledger and log by their id", async () => {
    const { subject, add, chat } = await setup();
    const { key, view } = await add();
    expect(key).toMatch(/^mk-[\w-]{43}$/);
    expect((await chat(key)).status).toBe(200);
    await subject.gateway.costSince(new Date());
    const { rows } = await db.database.query(
      "select caller, team, cost_micros::int as cost from miyabi.model_calls where key_id = $1",
      [view.id],
    );
    expect(rows).toEqual([{ caller: `key ${view.id} "aider"`, team: null, cost: COST }]);
    const everything = await db.database.query("select to_jsonb(k)::text as row from miyabi.gateway_keys k");
    expect(JSON.stringify([everything.rows, subject.lines, await subject.gateway.keys.list()])).not.toContain(
      key,
    );
  });

  test("that are revoked, expired or of nobody are refused at once", async () => {
    const { first, subject, add, chat } = await setup();
    const { key, view } = await add();
    await chat(key);
    expect((await subject.gateway.keys.revoke(view.id)).revokedAt).toBeInstanceOf(Date);
    expect((await chat(key)).status).toBe(401);
    const expired = await add({ expiresAt: new Date(0) });
    expect((await chat(expired.key)).status).toBe(401);
    expect((await chat("mk-made-up")).status).toBe(401);
    expect(first.calls).toHaveLength(1);
    await expect(subject.gateway.keys.revoke("K999")).rejects.toMatchObject({ code: "not_found" });
  });

  test("are for their models only, by the asked name or by what an alias stands for", async () => {
    const { add, chat } = await setup({ aliases: { fast: "gpt-5" } });
    const { key } = await add({ models: ["gpt-5*"] });
    expect((await chat(key)).status).toBe(200);
    expect((await chat(key, { model: "fast" })).status).toBe(200);
    const refused = await chat(key, { model: "o3" });
    expect(refused).toMatchObject({ status: 403 });
    expect(refused.text).toContain('\\"o3\\" is not allowed');
  });

  test("have limits of requests and of tokens a minute", async () => {
    const { add, chat } = await setup();
    const requests = await add({ requestsPerMinute: 3 });
    const statuses = await Promise.all(
      Array.from({ length: 5 }, async () => (await chat(requests.key)).status),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(3);
    const over = await chat(requests.key);
    expect(over).toMatchObject({ status: 429 });
    expect(Number(over.headers["retry-after"])).toBeGreaterThan(10);
    const tokens = await add({ tokensPerMinute: 30 });
    // Of about 20 estimated tokens 13 were used: there is room for a second call, and not for a fourth.
    const used = [];
    for (let count = 0; count < 4; count += 1) used.push((await chat(tokens.key)).status);
    expect(used[0]).toBe(200);
    expect(used.at(-1)).toBe(429);
  });
});

describe("budgets", () => {
  test("100 calls at once overrun a budget by less than one call's reservation, and the caller is told which it is", async () => {
    const { first, subject, add, chat, account } = await setup();
    const { key, view } = await add({
      budgets: { dayMicros: 10 * COST, monthMicros: null, taskMicros: null },
    });
    const answers = await Promise.all(Array.from({ length: 100 }, () => chat(key)));
    const through = answers.filter((answer) => answer.status === 200).length;
    const state = await account(`key:${view.id}`);
    expect(state).toEqual({ spent: through * COST, reserved: 0 });
    expect(through).toBe(first.calls.length);
    // Each reserves up to about 1,200 until it is known that it cost 400.
    expect(through * COST).toBeLessThan(10 * COST + 1_500);
    for (let tries = 0; tries < 12; tries += 1) await chat(key);
    const refused = await chat(key);
    expect(refused.status).toBe(429);
    expect(refused.headers["x-should-retry"]).toBe("false");
    const { error } = JSON.parse(refused.text) as { error: { code: string; message: string } };
    expect(error.code).toBe("insufficient_quota");
    expect(error.message).toMatch(
      new RegExp(`The day budget of key ${view.id} "aider" is used up: \\$0\\.0040 of \\$0\\.0040`),
    );
    const anthropic = await ask(
      subject.url,
      "/v1/messages",
      { model: "gpt-5", messages: [] },
      { "x-api-key": key },
    );
    expect(JSON.parse(anthropic.text)).toMatchObject({ type: "error", error: { type: "billing_error" } });
  });

  test("failover does not get around a budget", async () => {
    const { first, second, add, chat, account } = await setup({
      routes: {
        r: {
          targets: [
            { provider: "openai", model: "gpt-5" },
            { provider: "second", model: "gpt-5" },
          ],
        },
      },
    });
    first.plan({ do: "status", status: 503 });
    const { key, view } = await add({
      budgets: { dayMicros: 2 * COST, monthMicros: null, taskMicros: null },
    });
    for (let count = 0; count < 5; count += 1) await chat(key, { model: "r" });
    expect(second.calls).toHaveLength(2);
    expect(await account(`key:${view.id}`)).toEqual({ spent: 2 * COST, reserved: 0 });
  });

  test("of tasks, teams and the installation hold beside those of keys", async () => {
    const { subject, add, chat } = await setup({
      budgets: { taskUsd: 0.0004, teams: { web: { monthUsd: 0.0004 } } },
    });
    const run = () =>
      ask(subject.url, "/v1/chat/completions", { model: "gpt-5", max_tokens: 1 }, { "x-api-key": RUN_KEY });
    expect((await run()).status).toBe(200);
    await subject.gateway.costSince(new Date());
    expect((await run()).text).toContain("budget of task T1 (gateway.budgets.taskUsd)");
    const one = await add({ team: "web" });
    const two = await add({ team: "web" });
    expect((await chat(one.key)).status).toBe(200);
    await subject.gateway.costSince(new Date());
    expect((await chat(two.key)).text).toContain('month budget of team \\"web\\"');
  });

  test("a model without a price is refused where a budget holds, and free ones are not", async () => {
    const { add, chat } = await setup({
      providers: {
        openai: { baseUrl: "http://127.0.0.1:1" },
        mine: { kind: "ollama", baseUrl: "http://127.0.0.1:1" },
      },
    });
    const { key } = await add({ budgets: { dayMicros: 1_000_000, monthMicros: null, taskMicros: null } });
    const refused = await chat(key, { model: "nobody-knows-this" });
    expect(refused).toMatchObject({ status: 403 });
    expect(refused.text).toContain("gateway.prices");
    expect((await chat(key, { model: "mine/nobody-knows-this" })).status).toBe(502);
  });

  test("a stream that does not say its usage is charged with what it may have used", async () => {
    const { subject, add, chat, account } = await setup();
    const { key, view } = await add({
      budgets: { dayMicros: 1_000_000, monthMicros: null, taskMicros: null },
    });
    await chat(key, { stream: true });
    const state = await account(`key:${view.id}`);
    expect(Number(state?.["spent"])).toBeGreaterThan(COST);
    const { rows } = await db.database.query(
      "select cost_micros, charged_micros::int as charged from miyabi.model_calls where key_id = $1",
      [view.id],
    );
    expect(rows).toEqual([{ cost_micros: null, charged: state?.["spent"] }]);
    expect(subject.lines.some((line) => line["cost_micros"] === null && line["key_id"] === view.id)).toBe(
      true,
    );
  });

  test("a refused call gives back what it reserved; a warning is given at 80 %", async () => {
    const { first, subject, add, chat, account } = await setup({ breaker: { failures: 1, openMs: 60_000 } });
    const { key, view } = await add({
      budgets: { dayMicros: 2 * COST, monthMicros: null, taskMicros: null },
    });
    await chat(key);
    await chat(key);
    await vi.waitUntil(() =>
      subject.lines.some(
        (line) => line["budget"] === `key:${view.id} day:${new Date().toISOString().slice(0, 10)}`,
      ),
    );
    const other = await add({ budgets: { dayMicros: 1_000_000, monthMicros: null, taskMicros: null } });
    first.plan({ do: "reset" });
    await chat(other.key);
    expect((await chat(other.key)).status).toBe(503);
    // Nothing is left but what the gateway itself has reserved ahead, which it gives back at its end.
    await subject.gateway.stop();
    expect((await account(`key:${other.view.id}`))?.["reserved"]).toBe(0);
  });
});

describe("keys of providers", () => {
  test("are sealed in the database, used at once, survive a restart and are never shown", async () => {
    const { subject, identityFile, chat, add, first } = await setup();
    const secret = "sk-very-secret-key";
    const row = await subject.gateway.setProviderKey("openai", secret, "test");
    expect(row).toMatchObject({ name: "openai", state: "ready", key: "sealed" });
    const { key } = await add();
    await chat(key);
    expect(first.calls).toHaveLength(1);
    const { rows } = await db.database.query(
      "select sealed from miyabi.gateway_provider_keys where provider = 'openai'",
    );
    expect(String(rows[0]?.["sealed"])).toContain("age-encryption.org");
    expect(String(rows[0]?.["sealed"])).not.toContain(secret);
    expect(await readFile(identityFile, "utf8")).toMatch(/^AGE-SECRET-KEY-1/);
    expect(JSON.stringify([subject.gateway.providers(), subject.lines])).not.toContain(secret);
    const again = await startGateway({
      database: db.database,
      settings: {},
      over: { identityFile, readSecret: () => undefined },
    });
    onTestFinished(() => again.close());
    await again.gateway.start();
    expect(again.gateway.providers().find((one) => one.name === "openai")).toMatchObject({
      state: "ready",
      key: "sealed",
    });
    await again.gateway.setProviderKey("openai", null, "test");
    expect(again.gateway.providers().find((one) => one.name === "openai")).toMatchObject({
      state: "no-key",
      key: null,
    });
    await expect(again.gateway.setProviderKey("nobody", "x", "test")).rejects.toMatchObject({
      code: "not_found",
    });
  });
});
