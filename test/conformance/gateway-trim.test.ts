import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { silentLog } from "../../src/base/index.ts";
import { createSummaryStore } from "../../src/gateway/trim/summary-store.ts";
import { createTestDatabase, type TestDatabase } from "../../src/store/testing.ts";
import { ask, keyTerms, RUN_KEY, seedRun, startGateway } from "../support/gateway-under-test.ts";
import { startModelServer } from "../support/model-server.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  await seedRun(db.database);
});
afterAll(() => db.drop());

async function setup(gateway: Record<string, unknown> = {}) {
  const upstream = await startModelServer();
  const subject = await startGateway({
    database: db.database,
    settings: {
      providers: {
        openai: { baseUrl: `${upstream.origin}/v1` },
        anthropic: { baseUrl: upstream.origin },
        google: { baseUrl: upstream.origin },
      },
      ...gateway,
    },
  });
  onTestFinished(async () => {
    await subject.close();
    await upstream.close();
  });
  const key = async (name: string): Promise<string> => {
    const made = await subject.gateway.keys.create(keyTerms({ name, kind: "person" }), "test");
    return made.key;
  };
  const line = (number: number): Promise<Record<string, unknown>> =>
    vi.waitUntil(() => subject.lines.filter((one) => one["msg"] === "model call")[number], {
      timeout: 5_000,
    });
  const sent = (number: number): { readonly messages: Message[] } =>
    JSON.parse(upstream.calls[number]?.body.toString() ?? "null") as { messages: Message[] };
  return { upstream, subject, key, line, sent };
}

type Message = Record<string, unknown>;

const FILLER = "and so the story went on, from one day to the next. ";
const chat = (turns: number, extra: Record<string, unknown> = {}): Record<string, unknown> => ({
  model: "gpt-5",
  messages: [
    { role: "system", content: "Answer briefly." },
    ...Array.from({ length: turns }, (_, turn) => [
      { role: "user", content: `Question ${turn}: ${FILLER.repeat(10)}` },
      { role: "assistant", content: `Answer ${turn}: ${FILLER.repeat(10)}` },
    ]).flat(),
    { role: "user", content: "And now?" },
  ],
  ...extra,
});

/** An agent that reads large files and then makes small steps. */
function session(steps: number): Record<string, unknown> {
  const large = `${FILLER.repeat(20)}\n`.repeat(30);
  return {
    model: "claude-sonnet-4-5",
    max_tokens: 1_000,
    system: [{ type: "text", text: "You are an agent.", cache_control: { type: "ephemeral" } }],
    messages: [
      { role: "user", content: "Mend the login." },
      ...Array.from({ length: steps }, (_, step) => [
        { role: "assistant", content: [{ type: "tool_use", id: `t${step}`, name: "read", input: { step } }] },
        {
          role: "user",
          content: [
            {
              type: "tool_result",
              tool_use_id: `t${step}`,
              content: step < 4 ? `Part ${Math.max(1, step)}: ${large}` : "done",
            },
          ],
        },
      ]).flat(),
    ],
  };
}

const headers = (key: string, more: Record<string, string> = {}) => ({
  authorization: `Bearer ${key}`,
  ...more,
});

describe("trimming through the gateway", () => {
  test("is off unless asked for: every byte passes", async () => {
    const { upstream, subject, line } = await setup();
    const body = JSON.stringify(session(8));
    await ask(subject.url, "/v1/messages", body);
    expect(upstream.calls[0]?.body.toString()).toBe(body);
    expect(await line(0)).toMatchObject({
      compress_ratio: 1,
      token_reduction: 0,
      prefix_stable_tokens: null,
    });
  });

  test("to a budget by the header: oldest turns go, instructions, pinned and last ones stay", async () => {
    const { upstream, subject, key, line, sent } = await setup();
    const shown = headers(await key("chat"), { "x-miyabi-trim": "2048", "x-miyabi-pin": "3, 4" });
    const answer = await ask(subject.url, "/v1/chat/completions", chat(40), shown);
    expect(answer.status).toBe(200);
    const { messages } = sent(0);
    expect(messages[0]).toEqual({ role: "system", content: "Answer briefly." });
    expect(messages[1]?.["content"]).toMatch(/^Question 1/);
    expect(messages[2]?.["content"]).toMatch(/^Answer 1/);
    expect(messages.at(-1)).toEqual({ role: "user", content: "And now?" });
    expect(messages.length).toBeLessThan(30);
    expect(upstream.calls[0]?.headers["x-miyabi-trim"]).toBeUndefined();
    const logged = await line(0);
    expect(logged["compress_ratio"]).toBeLessThan(0.3);
    expect(Number(logged["compress_ratio"]) + Number(logged["token_reduction"])).toBeCloseTo(1, 3);
    expect(Number(answer.headers["x-miyabi-compress-ratio"])).toBeCloseTo(
      Number(logged["compress_ratio"]),
      2,
    );
    expect(await subject.gateway.metrics()).toMatch(/miyabi_gateway_trim_tokens_total\{kind="in"\} \d{4}/);
  });

  test("to the window for agents: old results are cleared, and the beginning stays the same", async () => {
    const { subject, line, sent } = await setup({ trim: { runs: "window", fromTokens: 5_000 } });
    for (const steps of [7, 8, 9]) await ask(subject.url, "/v1/messages", session(steps));
    const cleared = (number: number): number =>
      sent(number).messages.filter((message) => JSON.stringify(message).includes("was cleared")).length;
    expect([cleared(0), cleared(1), cleared(2)]).toEqual([3, 3, 3]);
    // The second one brought the same as the first.
    expect(JSON.stringify(sent(0).messages[4])).toContain("[The same result as that of call t0 above.]");
    const [first, second] = [JSON.stringify(sent(0).messages), JSON.stringify(sent(1).messages)];
    expect(second.startsWith(first.slice(0, -1))).toBe(true);
    expect((await line(2))["compress_ratio"]).toBeLessThan(0.2);
    expect((await line(2))["prefix_stable_tokens"]).toBeGreaterThan(100);
    const { rows } = await db.database.query<Record<string, unknown>>(
      "select compress_ratio, prefix_stable_tokens::int from miyabi.model_calls order by recorded_at desc limit 1",
    );
    expect(rows[0]).toMatchObject({ prefix_stable_tokens: expect.any(Number) });
  });

  test("follows call, key and route, in this order", async () => {
    const { subject, key, sent } = await setup({
      trim: { keys: { small: 1_024, K999: "off" } },
      routes: { writer: { targets: [{ provider: "openai", model: "gpt-5" }], trim: 8_192 } },
    });
    const [small, other] = [await key("small"), await key("other")];
    const request = chat(60);
    const count = async (number: number, ...asked: Parameters<typeof headers>): Promise<number> => {
      await ask(
        subject.url,
        "/v1/chat/completions",
        number === 2 ? chat(60, { model: "writer" }) : request,
        headers(...asked),
      );
      return sent(number).messages.length;
    };
    const ofKey = await count(0, small);
    const untouched = await count(1, other);
    const ofRoute = await count(2, other);
    const ofCall = await count(3, small, { "x-miyabi-trim": "off" });
    expect(untouched).toBe(122);
    expect(ofCall).toBe(122);
    expect(ofKey).toBeLessThan(ofRoute);
    expect(ofRoute).toBeLessThan(122);
  });

  test("of Gemini's requests: results are cleared, the beginning stays the same, the answer streams", async () => {
    const { upstream, subject, line } = await setup({ trim: { runs: "window", fromTokens: 5_000 } });
    const large = `${FILLER.repeat(20)}\n`.repeat(30);
    const contents = (steps: number) => [
      { role: "user", parts: [{ text: "Mend the login." }] },
      ...Array.from({ length: steps }, (_, step) => [
        { role: "model", parts: [{ functionCall: { name: "read", args: { step } } }] },
        {
          role: "user",
          parts: [
            {
              functionResponse: {
                name: "read",
                response: { output: step < 4 ? `Part ${Math.max(1, step)}: ${large}` : "done" },
              },
            },
          ],
        },
      ]).flat(),
    ];
    const path = "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse";
    const systemInstruction = { parts: [{ text: "You are an agent." }] };
    for (const steps of [7, 8, 9]) {
      const answer = await ask(subject.url, path, { systemInstruction, contents: contents(steps) });
      expect(answer.text).toContain('"finishReason":"STOP"');
    }
    const sentTexts = upstream.calls.map((call) => call.body.toString());
    const parts = sentTexts.map((text) => (JSON.parse(text) as { contents: Message[] }).contents);
    expect(
      parts.map((all) => all.filter((one) => JSON.stringify(one).includes("was cleared")).length),
    ).toEqual([3, 3, 3]);
    expect(JSON.stringify(parts[0])).toContain("[The same result as that of call read #1 above.]");
    expect(sentTexts[1]?.startsWith(sentTexts[0]?.slice(0, -2) ?? "-")).toBe(true);
    expect(JSON.parse(sentTexts[2] ?? "{}")).toMatchObject({ systemInstruction });
    expect((await line(2))["compress_ratio"]).toBeLessThan(0.2);
    expect((await line(2))["prefix_stable_tokens"]).toBeGreaterThan(100);
  });

  test("of Gemini's chats: oldest turns go and are summed up by a call of their own", async () => {
    const { upstream, subject, key } = await setup({ trim: { summary: { model: "gemini-2.5-flash" } } });
    const contents = Array.from({ length: 41 }, (_, index) => ({
      role: index % 2 === 0 ? "user" : "model",
      parts: [{ text: `${index % 2 === 0 ? "Question" : "Answer"} ${index}: ${FILLER.repeat(5)}` }],
    }));
    const answer = await ask(
      subject.url,
      "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
      { contents },
      headers(await key("gemini"), { "x-miyabi-trim": "2048", "x-miyabi-pin": "2, 3" }),
    );
    expect(answer.text).toContain('"finishReason":"STOP"');
    expect(upstream.calls.map((call) => call.url)).toEqual([
      "/v1beta/models/gemini-2.5-flash:generateContent",
      "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
    ]);
    expect(JSON.parse(upstream.calls[0]?.body.toString() ?? "")).toMatchObject({
      generationConfig: { maxOutputTokens: 400 },
    });
    const sentOn = JSON.parse(upstream.calls[1]?.body.toString() ?? "") as { contents: Message[] };
    expect(JSON.stringify(sentOn)).toContain("<summary>\\nhi\\n</summary>");
    expect(sentOn.contents.at(-1)).toEqual(contents.at(-1));
    expect(sentOn.contents).toContainEqual(contents[3]);
    expect(sentOn.contents.length).toBeLessThan(20);
  });

  test("sums up what it drops, once, where a model is named for it; the call has its row", async () => {
    const { upstream, subject, key, sent } = await setup({ trim: { summary: { model: "gpt-5-mini" } } });
    const shown = headers(await key("summed"), { "x-miyabi-trim": "1024" });
    const first = await ask(subject.url, "/v1/chat/completions", chat(10), shown);
    await ask(subject.url, "/v1/chat/completions", chat(10), shown);
    expect(upstream.calls).toHaveLength(3);
    const summary = sent(0) as unknown as Message;
    expect(summary).toMatchObject({ model: "gpt-5-mini", max_tokens: 400 });
    expect(JSON.stringify(summary)).toContain("Question 1: and so the story");
    expect(JSON.stringify(sent(1).messages)).toContain("<summary>\\nhi\\n</summary>");
    expect(upstream.calls[2]?.body).toEqual(upstream.calls[1]?.body);
    await subject.gateway.costSince(new Date(0));
    const { rows } = await db.database.query<Message>(
      "select chain, chain_step, asked_model from miyabi.model_calls where chain_of = $1",
      [first.headers["x-miyabi-call"]],
    );
    expect(rows).toEqual([{ chain: "trim", chain_step: "summary", asked_model: "gpt-5-mini" }]);
  });

  test("pays for a summary once, also after a restart and beside another process, and redacts it", async () => {
    const settings = { trim: { summary: { model: "gpt-5-mini" } } };
    const { upstream, subject, key, sent } = await setup(settings);
    upstream.answerText = "The key is sk-ant-api03-abcdefgh, they said.";
    const shown = headers(await key("restarted"), { "x-miyabi-trim": "1024" });
    const body = chat(12, { user: "restarted" });
    await ask(subject.url, "/v1/chat/completions", body, shown);
    expect(JSON.stringify(sent(1).messages)).toContain("<summary>\\nThe key is [redacted], they said.");
    upstream.answerText = "Something else.";
    const restarted = await startGateway({
      database: db.database,
      settings: { providers: { openai: { baseUrl: `${upstream.origin}/v1` } }, ...settings },
    });
    onTestFinished(() => restarted.close());
    await ask(restarted.url, "/v1/chat/completions", body, shown);
    expect(upstream.calls).toHaveLength(3);
    expect(upstream.calls[2]?.body).toEqual(upstream.calls[1]?.body);
  });

  test("keeps the first of two summaries of the same, and forgets what nobody uses", async () => {
    const store = createSummaryStore({ database: db.database, log: silentLog });
    expect(await store.find("h1")).toBeNull();
    expect(await Promise.all([store.keep("h1", "one"), store.keep("h1", "two")])).toSatisfy(
      ([a, b]: readonly string[]) => a === b,
    );
    await db.database.query(
      "insert into miyabi.gateway_summaries values ('old', 's', now() - interval '8 days')",
    );
    await store.sweep();
    expect(await store.find("old")).toBeNull();
    expect(await store.find("h1")).toMatch(/one|two/);
    const away = { query: () => Promise.reject(new Error("the database is away")) };
    const without = createSummaryStore({ database: away, log: silentLog });
    expect([await without.find("h1"), await without.keep("h1", "mine")]).toEqual([null, "mine"]);
  });

  test("goes on without a summary where that cannot be had", async () => {
    const { upstream, subject, key, sent } = await setup({
      trim: { summary: { model: "away" } },
      aliases: { away: "nobody" },
      routes: { nobody: { targets: [{ provider: "not-there" }] } },
    });
    const answer = await ask(
      subject.url,
      "/v1/chat/completions",
      chat(20),
      headers(await key("unsummed"), { "x-miyabi-trim": "on" }),
    );
    expect(answer.status).toBe(200);
    expect(upstream.calls).toHaveLength(1);
    expect(JSON.stringify(sent(0).messages)).toContain("were left out to save tokens.]");
  });

  test("asked for wrongly is refused in the caller's dialect, with what is allowed", async () => {
    const { upstream, subject } = await setup();
    for (const wrong of ["1000", "9216", "1100", "always", "-1", "1e3"]) {
      const answer = await ask(subject.url, "/v1/chat/completions", chat(1), {
        "x-api-key": RUN_KEY,
        "x-miyabi-trim": wrong,
      });
      expect(answer.status).toBe(400);
      expect(answer.text).toContain("from 1024 to 8192 in steps of 256");
    }
    const pin = await ask(subject.url, "/v1/messages", session(1), {
      "x-api-key": RUN_KEY,
      "x-miyabi-pin": "first",
    });
    expect(pin.text).toContain("invalid_request_error");
    expect(upstream.calls).toHaveLength(0);
  });

  test("leaves what it cannot read to the provider", async () => {
    const { upstream, subject } = await setup({ trim: { runs: 1_024 } });
    const broken = `{"model":"gpt-5","messages":[{"role":"user","content":"${"x".repeat(5_000)}"}`;
    upstream.fault = { kind: "status", status: 400 };
    await ask(subject.url, "/v1/chat/completions", broken);
    expect(upstream.calls[0]?.body.toString()).toBe(broken);
    upstream.fault = null;
    const odd = JSON.stringify({ model: "gpt-5", messages: [1, null, "x".repeat(5_000)] });
    await ask(subject.url, "/v1/chat/completions", odd);
    expect(upstream.calls.at(-1)?.body.toString()).toBe(odd);
  });
});
