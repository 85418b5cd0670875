import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../src/store/testing.ts";
import { ask, RUN_KEY, seedRun, startGateway, type Answer } from "../support/gateway-under-test.ts";
import { startModelServer } from "../support/model-server.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  await seedRun(db.database);
});
afterAll(() => db.drop());

async function setup(trim: Record<string, unknown> = { retention: { model: "embedder/small" } }) {
  const [upstream, embedder] = await Promise.all([startModelServer(), startModelServer()]);
  const subject = await startGateway({
    database: db.database,
    settings: {
      providers: {
        openai: { baseUrl: `${upstream.origin}/v1` },
        anthropic: { baseUrl: upstream.origin },
        embedder: { kind: "openai-compatible", baseUrl: `${embedder.origin}/v1` },
      },
      prices: { "embedder/small": { input: 1, output: 0 } },
      trim,
    },
  });
  onTestFinished(async () => {
    await subject.close();
    await Promise.all([upstream.close(), embedder.close()]);
  });
  const rowOf = (answer: Answer, chainStep: string | null) =>
    vi.waitUntil(
      async () => {
        const { rows } = await db.database.query<Record<string, unknown>>(
          `select retention, compress_ratio, provider, endpoint, cost_micros::int as cost, tokens_in::int as tokens
           from miyabi.model_calls where ($2::text is null and id = $1 and retention is not null)
             or (chain_of = $1 and chain = 'trim' and chain_step = $2)`,
          [answer.headers["x-miyabi-call"], chainStep],
        );
        return rows[0];
      },
      { timeout: 5_000 },
    );
  const inputs = (number: number): readonly string[] =>
    (JSON.parse(embedder.calls[number]?.body.toString() ?? "null") as { input: readonly string[] }).input;
  return { upstream, embedder, subject, rowOf, inputs };
}

const turns = (fruits: readonly string[]) =>
  fruits.map((fruit, index) => ({
    role: index % 2 === 0 ? "user" : "assistant",
    content: `${index} ${`${fruit} and so on `.repeat(60)}`,
  }));
const BANANAS = Array.from({ length: 6 }, () => "banana");
const APPLES = Array.from({ length: 7 }, () => "apple");
const TRIM = { "x-api-key": RUN_KEY, "x-miyabi-trim": "2048" };
const chat = (fruits: readonly string[]) => ({ model: "gpt-5", messages: turns(fruits) });

test("what is left of the meaning is measured after the call, and is in ledger, log and metrics", async () => {
  const { embedder, subject, rowOf, inputs } = await setup();
  const same = await ask(subject.url, "/v1/chat/completions", chat([...APPLES, ...APPLES.slice(1)]), TRIM);
  expect((await rowOf(same, null))["retention"]).toBeGreaterThan(0.98);
  const seen = embedder.calls.length;
  const lost = await ask(subject.url, "/v1/chat/completions", chat([...BANANAS, ...APPLES]), TRIM);
  const row = await rowOf(lost, null);
  expect(row["retention"]).toBeGreaterThan(0.5);
  expect(row["retention"]).toBeLessThan(0.95);
  expect(row["compress_ratio"]).toBeLessThan(0.8);
  // The measurement is a call of its own, with its cost; what was embedded before is not again.
  expect(inputs(seen).every((text) => text.includes("banana") || !inputs(0).includes(text))).toBe(true);
  expect(await rowOf(lost, "retention")).toMatchObject({
    provider: "embedder",
    endpoint: "embeddings",
    tokens: 10 * inputs(seen).length,
    cost: 10 * inputs(seen).length,
  });
  await vi.waitUntil(() => subject.lines.some((line) => line["msg"] === "trim measured"));
  expect(await subject.gateway.metrics()).toContain("miyabi_gateway_trim_retention_count 2");
});

test("a provider of embeddings that is silent or fails is in nobody's way", async () => {
  const { embedder, subject } = await setup();
  embedder.fault = { kind: "silent" };
  const answer = await ask(subject.url, "/v1/chat/completions", chat([...BANANAS, ...APPLES]), TRIM);
  expect(answer).toMatchObject({ status: 200, clean: true });
  await vi.waitUntil(() => embedder.calls.length === 1);
  const stream = await ask(
    subject.url,
    "/v1/messages",
    { model: "claude-x", max_tokens: 5, stream: true, messages: turns([...BANANAS, ...APPLES]) },
    TRIM,
  );
  expect(stream).toMatchObject({ status: 200, clean: true });
});

test("nothing is measured where nothing was trimmed, or no model is named for it", async () => {
  const { embedder, subject } = await setup();
  await ask(subject.url, "/v1/chat/completions", chat(["apple"]), TRIM);
  await ask(subject.url, "/v1/chat/completions", chat([...BANANAS, ...APPLES]));
  const other = await setup({});
  await ask(other.subject.url, "/v1/chat/completions", chat([...BANANAS, ...APPLES]), TRIM);
  await subject.gateway.stop();
  await other.subject.gateway.stop();
  expect([embedder.calls.length, other.embedder.calls.length]).toEqual([0, 0]);
});
