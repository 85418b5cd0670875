import { Client } from "undici";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "../../src/base/index.ts";
import type { KeyTerms } from "../../src/gateway/index.ts";
import { createTestDatabase, type TestDatabase } from "../../src/store/testing.ts";
import { ANSWER_TEXT, startFaultyUpstream, type Behaviour } from "../support/faulty-upstream.ts";
import { ask, RUN_KEY, seedRun, startGateway, type Answer } from "../support/gateway-under-test.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  await seedRun(db.database);
});
afterAll(() => db.drop());

const AFTER_MS = 60;

async function setup(hedge: object | null = { afterMs: AFTER_MS }, settings: Record<string, unknown> = {}) {
  const [first, second, third] = await Promise.all([
    startFaultyUpstream(),
    startFaultyUpstream(),
    startFaultyUpstream(),
  ]);
  const subject = await startGateway({
    database: db.database,
    settings: {
      providers: {
        openai: { baseUrl: first.origin },
        second: { kind: "openai-compatible", baseUrl: `${second.origin}/v1` },
        third: { kind: "openai-compatible", baseUrl: `${third.origin}/v1` },
      },
      routes: {
        hedged: {
          targets: ["openai", "second", "third"].map((provider) => ({ provider, model: "gpt-5" })),
          ...(hedge === null ? {} : { hedge }),
        },
      },
      prices: { "gpt-5": { input: 1, output: 10 } },
      retry: { baseMs: 20, maxWaitMs: 1_500 },
      ...settings,
    },
  });
  onTestFinished(async () => {
    await subject.close();
    await Promise.all([first.close(), second.close(), third.close()]);
  });
  const chat = (fields: Record<string, unknown> = {}, key = RUN_KEY): Promise<Answer> =>
    ask(
      subject.url,
      "/v1/chat/completions",
      { model: "hedged", messages: [{ role: "user", content: "hi" }], ...fields },
      { "x-api-key": key },
    );
  const key = async (
    terms: Partial<KeyTerms> = {},
  ): Promise<{ readonly key: string; readonly id: string }> => {
    const made = await subject.gateway.keys.create(
      {
        name: "hedger",
        kind: "tool",
        team: null,
        taskId: null,
        models: null,
        requestsPerMinute: null,
        tokensPerMinute: null,
        budgets: { dayMicros: null, monthMicros: null, taskMicros: null },
        cache: false,
        expiresAt: null,
        ...terms,
      },
      "test",
    );
    return { key: made.key, id: made.view.id };
  };
  /** The call's rows: its own, then those of its chain. */
  const rowsOf = async (answer: Answer): Promise<readonly Record<string, unknown>[]> => {
    await subject.gateway.costSince(new Date());
    const { rows } = await db.database.query<Record<string, unknown>>(
      `select provider, outcome, status, usage_complete, cost_micros::int as cost, tokens_in::int as tokens, attempts,
         chain, chain_step from miyabi.model_calls where id = $1 or chain_of = $1 order by chain_of nulls first`,
      [answer.headers["x-miyabi-call"]],
    );
    return rows;
  };
  return { first, second, third, subject, chat, key, rowsOf };
}

const slow = (ms: number): Behaviour => ({ do: "slow-first", ms });
const UNKNOWN = { usage_complete: false, cost: null, tokens: null };

describe("hedging", () => {
  test.each([null, { afterMs: 500 }])(
    "is off, or not yet due (%j): only one target is asked",
    async (hedge) => {
      const { first, second, chat } = await setup(hedge);
      first.plan(slow(150));
      expect(await chat()).toMatchObject({ status: 200 });
      expect([first.calls.length, second.calls.length]).toEqual([1, 0]);
    },
  );

  test.each([false, true])(
    "the second target answers first (stream %s): the first one is cancelled",
    async (stream) => {
      const { first, second, third, chat, rowsOf } = await setup();
      first.plan(slow(5_000));
      const answer = await chat({ stream });
      const answeredMs = systemClock.monotonicMs();
      expect(answer).toMatchObject({ status: 200, clean: true });
      expect(answer.text).toContain(stream ? "[DONE]" : ANSWER_TEXT);
      expect(answer.ms).toBeLessThan(2_000);
      expect((await first.calls[0]?.aborted) ?? Infinity).toBeLessThan(answeredMs + 50);
      expect((second.calls[0]?.atMs ?? 0) - (first.calls[0]?.atMs ?? 0)).toBeGreaterThanOrEqual(AFTER_MS - 5);
      expect([first.calls.length, second.calls.length, third.calls.length]).toEqual([1, 1, 0]);
      expect(await rowsOf(answer)).toEqual([
        expect.objectContaining({ provider: "second", outcome: "ok", status: 200, chain: null }),
        expect.objectContaining({
          ...UNKNOWN,
          provider: "openai",
          outcome: "aborted",
          chain: "hedge",
          chain_step: "lost",
        }),
      ]);
    },
  );

  test.each([false, true])("the first target is faster after all (stream %s)", async (stream) => {
    const { first, second, chat, rowsOf } = await setup();
    first.plan(slow(300));
    second.plan(slow(5_000));
    const answer = await chat({ stream });
    const answeredMs = systemClock.monotonicMs();
    expect(answer).toMatchObject({ status: 200, clean: true });
    expect((await second.calls[0]?.aborted) ?? Infinity).toBeLessThan(answeredMs + 50);
    expect(await rowsOf(answer)).toEqual([
      expect.objectContaining({ provider: "openai", outcome: "ok", chain: null }),
      expect.objectContaining({ ...UNKNOWN, provider: "second", outcome: "aborted", chain: "hedge" }),
    ]);
  });

  test("an error of the second try harms nobody, and is in the ledger", async () => {
    const { first, second, chat, rowsOf } = await setup();
    first.plan(slow(300));
    second.plan({ do: "status", status: 500 });
    const answer = await chat();
    expect(answer).toMatchObject({ status: 200 });
    expect(second.calls).toHaveLength(1);
    expect(await rowsOf(answer)).toEqual([
      expect.objectContaining({ provider: "openai", outcome: "ok" }),
      expect.objectContaining({
        provider: "second",
        outcome: "rejected",
        status: 500,
        cost: 0,
        chain: "hedge",
      }),
    ]);
  });

  test("an error of the first one while the second is at work: its answer, and it is asked once", async () => {
    const { first, second, third, chat, rowsOf } = await setup();
    first.plan({ do: "slow-status", ms: 150, status: 500 });
    second.plan(slow(600));
    third.plan({ do: "status", status: 503 });
    const answer = await chat();
    expect(answer).toMatchObject({ status: 200, clean: true });
    expect([first.calls.length, second.calls.length]).toEqual([1, 1]);
    expect((await rowsOf(answer))[0]).toMatchObject({ provider: "second", outcome: "ok" });
  });

  test("all fail: the caller gets the first try's error", async () => {
    const { first, second, third, chat, rowsOf } = await setup();
    first.plan({ do: "slow-status", ms: 150, status: 500 });
    for (const one of [second, third]) one.plan({ do: "status", status: 503 });
    const answer = await chat();
    expect(answer).toMatchObject({ status: 503, text: '{"error":{"message":"upstream says no"}}' });
    expect((await rowsOf(answer)).map((row) => [row["provider"], row["chain"]])).toEqual([
      ["third", null],
      ["second", "hedge"],
    ]);
  });

  test("a request that the first one calls wrong is not waited for elsewhere", async () => {
    const { first, second, chat } = await setup();
    first.plan({ do: "slow-status", ms: 150, status: 400 });
    second.plan(slow(3_000));
    const answer = await chat();
    expect(answer).toMatchObject({ status: 400, text: '{"error":{"message":"upstream says no"}}' });
    expect(answer.ms).toBeLessThan(1_500);
    await second.calls[0]?.aborted;
  });

  test("no provider that is out, or asked us to wait, is asked", async () => {
    const { first, second, third, chat } = await setup();
    for (const one of [second, third])
      one.plan({ do: "status", status: 429, headers: { "retry-after": "30" } });
    await chat({ model: "second/gpt-5" });
    await chat({ model: "third/gpt-5" });
    first.plan(slow(250));
    expect(await chat()).toMatchObject({ status: 200 });
    expect([first.calls.length, second.calls.length, third.calls.length]).toEqual([1, 1, 1]);
  });

  test("a key's limit of requests holds for the second try", async () => {
    const { first, second, chat, key } = await setup();
    first.plan(slow(250));
    const { key: limited } = await key({ requestsPerMinute: 1 });
    expect(await chat({}, limited)).toMatchObject({ status: 200 });
    expect(second.calls).toHaveLength(0);
  });

  test("both tries are reserved and charged: known exactly, or what it may have been", async () => {
    const { first, second, chat, key, rowsOf } = await setup();
    first.plan(slow(5_000));
    const budgets = { dayMicros: 1_000_000, monthMicros: null, taskMicros: null };
    const { key: paying, id } = await key({ budgets });
    const answer = await chat({ max_tokens: 100 }, paying);
    const [winner] = await rowsOf(answer);
    // 10 tokens in at 1, 3 out at 10.
    expect(winner).toMatchObject({ provider: "second", cost: 40, usage_complete: true });
    await vi.waitFor(async () => {
      const { rows } = await db.database.query<{ spent: number }>(
        "select spent_micros::int as spent from miyabi.budgets where account like $1",
        [`key:${id} %`],
      );
      const { rows: charged } = await db.database.query<{ micros: number }>(
        "select sum(charged_micros)::int as micros from miyabi.model_calls where key_id = $1",
        [id],
      );
      expect(rows[0]?.spent).toBe(charged[0]?.micros);
      // The loser is charged for what it was asked at least.
      expect(rows[0]?.spent).toBeGreaterThan(40);
      expect(rows[0]?.spent).toBeLessThan(40 + 1_100);
    });
    expect(second.calls).toHaveLength(1);
  });

  test("a budget that has nothing left for a second try allows none", async () => {
    const { first, second, chat, key } = await setup();
    first.plan(slow(250));
    const { key: poor } = await key({ budgets: { dayMicros: 1, monthMicros: null, taskMicros: null } });
    expect(await chat({ max_tokens: 100 }, poor)).toMatchObject({ status: 200 });
    expect(second.calls).toHaveLength(0);
  });

  const TOOLS = { tools: [{ type: "function", function: { name: "f", parameters: {} } }] };
  test.each([
    [false, TOOLS, 0],
    [true, TOOLS, 1],
    [true, { web_search_options: {} }, 0],
    [true, { store: true }, 0],
    [true, { tools: [{ type: "web_search" }] }, 0],
  ])("only calls without side effects (tools: %s, %j) are made twice", async (tools, fields, times) => {
    const { first, second, chat } = await setup({ afterMs: AFTER_MS, tools });
    first.plan(slow(250));
    second.plan(slow(1_000));
    expect(await chat(fields)).toMatchObject({ status: 200 });
    expect(second.calls).toHaveLength(times);
  });

  test("after the time that 95 % of the calls took; not before enough is known", async () => {
    const { first, second, chat } = await setup({ afterMs: "p95" });
    first.plan(slow(150), ...Array.from({ length: 20 }, (): Behaviour => ({ do: "answer" })), slow(3_000));
    await chat();
    expect(second.calls).toHaveLength(0);
    for (let times = 0; times < 20; times += 1) await chat();
    const answer = await chat();
    expect(answer.ms).toBeLessThan(2_500);
    expect(second.calls).toHaveLength(1);
  });

  test("a caller that goes away ends both", async () => {
    const { first, second, subject } = await setup();
    for (const one of [first, second]) one.plan({ do: "silent" });
    const client = new Client(subject.url);
    const gone = new AbortController();
    const asked = client.request({
      path: "/v1/chat/completions",
      method: "POST",
      headers: { "x-api-key": RUN_KEY, "content-type": "application/json" },
      body: '{"model":"hedged","messages":[]}',
      signal: gone.signal,
    });
    await vi.waitUntil(() => second.calls.length === 1);
    const wentMs = systemClock.monotonicMs();
    gone.abort();
    await expect(asked).rejects.toThrow();
    for (const one of [first, second])
      expect(((await one.calls[0]?.aborted) ?? Infinity) - wentMs).toBeLessThan(50);
    await client.close();
  });

  test("the winner's answer is kept in the cache, and nothing of the loser's", async () => {
    const { first, second, chat, key } = await setup();
    first.plan({ do: "slow-status", ms: 150, status: 500 });
    second.plan(slow(250));
    const { key: caching } = await key({ cache: true });
    const answer = await chat({ user: "cached" }, caching);
    expect(answer).toMatchObject({ status: 200 });
    const again = await chat({ user: "cached" }, caching);
    expect(again.headers["x-miyabi-cache"]).toBe("hit");
    expect(again.text).toBe(answer.text);
  });
});
