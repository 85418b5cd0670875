import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { systemClock, systemRandom } from "../../src/base/index.ts";
import { createTranslations } from "../../src/gateway/index.ts";
import { createTestDatabase, type TestDatabase } from "../../src/store/testing.ts";
import { ask, seedRun, startGateway } from "../support/gateway-under-test.ts";
import { startModelServer } from "../support/model-server.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  await seedRun(db.database);
});
afterAll(() => db.drop());

async function setup() {
  const upstream = await startModelServer();
  const subject = await startGateway({
    database: db.database,
    settings: {
      providers: {
        openai: { baseUrl: `${upstream.origin}/v1` },
        anthropic: { baseUrl: upstream.origin },
        google: { baseUrl: upstream.origin },
        local: { kind: "ollama", baseUrl: `${upstream.origin}/v1`, models: ["qwen*"] },
      },
      aliases: {
        smart: "openai/gpt-5",
        quick: "google/gemini-2.5-flash",
        careful: "anthropic/claude-opus-4-5",
      },
      retry: { attempts: 0 },
    },
    over: { findTranslation: createTranslations({ clock: systemClock, random: systemRandom }) },
  });
  onTestFinished(async () => {
    await subject.close();
    await upstream.close();
  });
  const sent = (): unknown => JSON.parse(upstream.calls.at(-1)?.body.toString() ?? "null");
  return { upstream, subject, sent };
}

const TOOL = { type: "object", properties: { path: { type: "string" } } };
const messages = (model: string, content = "How are you?") => ({
  model,
  system: "Be brief.",
  messages: [{ role: "user", content }],
  tools: [{ name: "read", input_schema: TOOL }],
});
const responses = (model: string) => ({ model, instructions: "Be brief.", input: "How are you?" });
const gemini = {
  systemInstruction: { parts: [{ text: "Be brief." }] },
  contents: [{ role: "user", parts: [{ text: "How are you?" }] }],
};
const MESSAGES = "/v1/messages/count_tokens?beta=true";
const RESPONSES = "/v1/responses/input_tokens";
const geminiPath = (model: string): string => `/v1beta/models/${model}:countTokens`;
const geminiCount = { generateContentRequest: { model: "models/x", ...gemini } };

describe("counting tokens", () => {
  test.each([
    ["Anthropic's", MESSAGES, messages("claude-opus-4-5"), { input_tokens: 42 }],
    ["OpenAI's", RESPONSES, responses("gpt-5"), { object: "response.input_tokens", input_tokens: 44 }],
    ["Gemini's", geminiPath("gemini-2.5-pro"), geminiCount, { totalTokens: 43 }],
  ])("in %s own dialect passes as it is", async (_, path, body, count) => {
    const { upstream, subject } = await setup();
    const answer = await ask(subject.url, path, body);
    expect(JSON.parse(answer.text)).toEqual(count);
    expect(answer.headers).toMatchObject({ "x-request-id": "req_upstream" });
    expect(answer.headers["x-miyabi-token-count"]).toBeUndefined();
    expect(upstream.calls[0]?.body.toString()).toBe(JSON.stringify(body));
    expect(upstream.calls[0]?.url).toBe(path);
  });

  test.each([
    [MESSAGES, messages("smart"), { input_tokens: 44 }, RESPONSES],
    [MESSAGES, messages("quick"), { input_tokens: 43 }, geminiPath("gemini-2.5-flash")],
    [RESPONSES, responses("careful"), { input_tokens: 42 }, "/v1/messages/count_tokens"],
    [RESPONSES, responses("quick"), { input_tokens: 43 }, geminiPath("gemini-2.5-flash")],
    [geminiPath("smart"), geminiCount, { totalTokens: 44 }, RESPONSES],
    [geminiPath("careful"), gemini, { totalTokens: 42 }, "/v1/messages/count_tokens"],
  ])("%s is translated for the provider that the model is at (%#)", async (path, body, count, asked) => {
    const { upstream, subject, sent } = await setup();
    const answer = await ask(subject.url, path, body);
    expect(JSON.parse(answer.text)).toMatchObject(count);
    expect(answer.headers["x-miyabi-token-count"]).toBeUndefined();
    expect(upstream.calls.map((call) => call.url)).toEqual([asked]);
    const request = sent() as Record<string, object>;
    const [said, model] =
      asked === RESPONSES
        ? [{ instructions: "Be brief." }, "gpt-5"]
        : asked === "/v1/messages/count_tokens"
          ? [{ system: [{ type: "text", text: "Be brief." }] }, "claude-opus-4-5"]
          : [gemini, "models/gemini-2.5-flash"];
    expect(request["generateContentRequest"] ?? request).toMatchObject({ ...said, model });
    expect(JSON.stringify(request)).toContain("How are you?");
    // Endpoints that count refuse what does not belong there.
    for (const name of ["max_tokens", "max_output_tokens", "stream", "store", "include"])
      expect(request).not.toHaveProperty(name);
  });

  test("an error of the provider comes back in the caller's dialect", async () => {
    const { upstream, subject } = await setup();
    upstream.fault = { kind: "status", status: 400 };
    const answer = await ask(subject.url, MESSAGES, messages("smart"));
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toEqual({
      type: "error",
      error: { type: "invalid_request_error", message: "upstream says no" },
    });
  });

  test.each([
    [MESSAGES, (model: string) => messages(model), "input_tokens"],
    [RESPONSES, (model: string) => responses(model), "input_tokens"],
    [geminiPath("qwen3"), () => gemini, "totalTokens"],
  ])(
    "%s: a provider that does not count is not asked: it is an estimate, and says so",
    async (path, body, field) => {
      const { upstream, subject } = await setup();
      const answer = await ask(subject.url, path, body("qwen3"));
      expect(answer).toMatchObject({ status: 200, clean: true });
      expect(answer.headers["x-miyabi-token-count"]).toBe("estimate");
      const tokens = (JSON.parse(answer.text) as Record<string, number>)[field];
      expect(tokens).toBeGreaterThan(6);
      expect(tokens).toBeLessThan(60);
      expect(upstream.calls).toHaveLength(0);
    },
  );

  test.each([404, 405, 501])("a server that answers %d gives an estimate too", async (status) => {
    const { upstream, subject } = await setup();
    upstream.fault = { kind: "status", status };
    const own = await ask(subject.url, MESSAGES, messages("claude-opus-4-5"));
    expect(own).toMatchObject({ status: 200 });
    expect(own.headers["x-miyabi-token-count"]).toBe("estimate");
    const translated = await ask(subject.url, geminiPath("smart"), gemini);
    expect(translated.headers["x-miyabi-token-count"]).toBe("estimate");
    expect(upstream.calls).toHaveLength(2);
  });

  test("an estimate grows with the text, also of millions of characters, in a moment", async () => {
    const { subject } = await setup();
    const tokensOf = async (text: string): Promise<number> => {
      const answer = await ask(subject.url, MESSAGES, messages("qwen3", text));
      return (JSON.parse(answer.text) as { input_tokens: number }).input_tokens;
    };
    const [small, large] = [
      await tokensOf("word ".repeat(20_000)),
      await tokensOf("word ".repeat(1_000_000)),
    ];
    expect(small).toBeGreaterThan(19_000);
    expect(small).toBeLessThan(22_000);
    expect(large).toBeGreaterThan(950_000);
    expect(large).toBeLessThan(1_100_000);
  });

  test("is refused for a model that the key is not for, and where it is no JSON", async () => {
    const { subject } = await setup();
    const { key } = await subject.gateway.keys.create(
      {
        name: "narrow",
        kind: "tool",
        team: null,
        taskId: null,
        models: ["gpt-*"],
        requestsPerMinute: null,
        tokensPerMinute: null,
        budgets: { dayMicros: null, monthMicros: null, taskMicros: null },
        cache: false,
        expiresAt: null,
      },
      "test",
    );
    expect(await ask(subject.url, MESSAGES, messages("qwen3"), { "x-api-key": key })).toMatchObject({
      status: 403,
    });
    expect(await ask(subject.url, geminiPath("qwen3"), "{")).toMatchObject({ status: 400 });
  });

  test("costs nothing and has its row", async () => {
    const { subject } = await setup();
    await ask(subject.url, MESSAGES, messages("qwen3"));
    await vi.waitFor(async () => {
      const { rows } = await db.database.query(
        "select endpoint, asked_model, outcome, cost_micros::int as cost, attempts from miyabi.model_calls order by recorded_at desc limit 1",
      );
      expect(rows[0]).toEqual({
        endpoint: "count_tokens",
        asked_model: "qwen3",
        outcome: "ok",
        cost: 0,
        attempts: 0,
      });
    });
  });
});
