import { Client } from "undici";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "../../src/base/index.ts";
import { createTestDatabase, type TestDatabase } from "../../src/store/testing.ts";
import { ANSWER_TEXT, startFaultyUpstream, type Behaviour } from "../support/faulty-upstream.ts";
import { ask, RUN_KEY, seedRun, startGateway } from "../support/gateway-under-test.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  await seedRun(db.database);
});
afterAll(() => db.drop());

const ALONE = "gpt-5";
const ROUTED = "routed";

async function setup(settings: Record<string, unknown> = {}) {
  const [first, second] = await Promise.all([startFaultyUpstream(), startFaultyUpstream()]);
  const subject = await startGateway({
    database: db.database,
    settings: {
      providers: {
        openai: { baseUrl: first.origin },
        anthropic: { baseUrl: first.origin },
        second: { kind: "openai-compatible", baseUrl: `${second.origin}/v1` },
      },
      routes: {
        [ROUTED]: {
          targets: [
            { provider: "openai", model: "gpt-5" },
            { provider: "second", model: "gpt-5" },
          ],
        },
      },
      retry: { baseMs: 20, maxWaitMs: 1_500 },
      timeouts: { firstByteMs: 400, idleMs: 400 },
      ...settings,
    },
  });
  onTestFinished(async () => {
    await subject.close();
    await Promise.all([first.close(), second.close()]);
  });
  const chat = (model: string, stream = false) =>
    ask(subject.url, "/v1/chat/completions", { model, stream, messages: [{ role: "user", content: "hi" }] });
  const messages = (stream = true) =>
    ask(subject.url, "/v1/messages", { model: "claude-sonnet-4-5", stream, max_tokens: 10, messages: [] });
  return { first, second, subject, chat, messages };
}

const OK: Behaviour = { do: "answer" };
const status = (code: number, headers: Record<string, string> = {}): Behaviour => ({
  do: "status",
  status: code,
  headers,
});

describe("faults before the first byte", () => {
  test("500 once: tried again, the caller sees nothing of it", async () => {
    const { first, chat } = await setup();
    first.plan(status(500), OK);
    const answer = await chat(ALONE);
    expect(answer).toMatchObject({ status: 200, clean: true });
    expect(answer.text).toContain(ANSWER_TEXT);
    expect(first.calls).toHaveLength(2);
  });

  test("503: the next target answers at once, and the ledger says who failed before", async () => {
    const { first, second, chat } = await setup();
    first.plan(status(503));
    const answer = await chat(ROUTED, true);
    expect(answer.text).toContain("[DONE]");
    expect([first.calls.length, second.calls.length]).toEqual([1, 1]);
    const { rows } = await vi.waitUntil(
      async () => {
        const found = await db.database.query(
          "select provider, attempts, tried from miyabi.model_calls where id = $1",
          [answer.headers["x-miyabi-call"]],
        );
        return found.rows.length > 0 && found;
      },
      { timeout: 5_000 },
    );
    const failed = { provider: "openai", model: "gpt-5", status: 503, error: expect.any(String) };
    expect(rows).toEqual([{ provider: "second", attempts: 2, tried: [failed] }]);
  });

  test.each<Behaviour["do"]>(["reset", "empty", "html", "head-only", "silent"])(
    "%s: the next target answers",
    async (fault) => {
      const { first, chat } = await setup();
      first.plan({ do: fault } as Behaviour);
      const answer = await chat(ROUTED, true);
      expect(answer).toMatchObject({ status: 200, clean: true });
      expect(answer.text).toContain("[DONE]");
    },
  );

  test.each<Behaviour["do"]>(["cut", "malformed", "stall"])(
    "%s of an answer that is no stream: the next target answers, nothing of the first was given",
    async (fault) => {
      const { first, chat } = await setup({ timeouts: { firstByteMs: 400, idleMs: 400 } });
      first.plan({ do: fault } as Behaviour);
      const answer = await chat(ROUTED);
      expect(JSON.parse(answer.text)).toMatchObject({ choices: [{ message: { content: ANSWER_TEXT } }] });
    },
  );

  test.each(["silent", "head-only"] as const)(
    "no answer (%s) and no other target: 504, tried once",
    async (fault) => {
      const { first, chat } = await setup();
      first.plan({ do: fault });
      const answer = await chat(ALONE, true);
      expect(answer).toMatchObject({ status: 504 });
      expect(JSON.parse(answer.text)).toMatchObject({ error: { code: "upstream_timeout" } });
      expect(answer.ms).toBeLessThan(1_500);
      expect(first.calls).toHaveLength(1);
    },
  );

  test("resets that do not end: 502 after a bounded number of tries, and SDKs are told not to go on", async () => {
    const { first, chat } = await setup();
    first.plan({ do: "reset" });
    const answer = await chat(ALONE);
    expect(answer).toMatchObject({ status: 502 });
    expect(answer.headers["x-should-retry"]).toBe("false");
    expect(first.calls).toHaveLength(3);
  });

  test("500 without end: the provider's own words after three tries, and no more", async () => {
    const { first, chat } = await setup();
    first.plan(status(500));
    const answer = await chat(ALONE);
    expect(answer).toMatchObject({ status: 500, text: '{"error":{"message":"upstream says no"}}' });
    expect(answer.headers["x-should-retry"]).toBe("false");
    expect(first.calls).toHaveLength(3);
  });

  test.each([400, 413, 422])("%d: never sent again, neither there nor elsewhere", async (code) => {
    const { first, second, chat } = await setup();
    first.plan(status(code));
    expect(await chat(ROUTED)).toMatchObject({
      status: code,
      text: '{"error":{"message":"upstream says no"}}',
    });
    expect([first.calls.length, second.calls.length]).toEqual([1, 0]);
  });

  test("our key is refused by one provider: another takes the call", async () => {
    const { first, chat } = await setup();
    first.plan(status(401));
    expect(await chat(ROUTED)).toMatchObject({ status: 200 });
  });

  test("slow first token: waited for within the limit, left after it", async () => {
    const { first, second, chat } = await setup();
    first.plan({ do: "slow-first", ms: 150 }, { do: "slow-first", ms: 3_000 });
    expect(await chat(ROUTED, true)).toMatchObject({ status: 200 });
    expect(second.calls).toHaveLength(0);
    const left = await chat(ROUTED, true);
    expect(left).toMatchObject({ status: 200, clean: true });
    expect(left.ms).toBeLessThan(1_500);
    expect(second.calls).toHaveLength(1);
  });
});

describe("limits of a provider", () => {
  test("Retry-After is waited for where it is short", async () => {
    const { first, chat } = await setup();
    first.plan(status(429, { "retry-after": "1" }), OK);
    const answer = await chat(ALONE);
    expect(answer.status).toBe(200);
    expect((first.calls[1]?.atMs ?? 0) - (first.calls[0]?.atMs ?? 0)).toBeGreaterThanOrEqual(990);
  });

  test("Retry-After that is long is told to the caller, who alone may wait so long", async () => {
    const { first, chat } = await setup();
    first.plan(status(429, { "retry-after": "30" }));
    const answer = await chat(ALONE);
    expect(answer).toMatchObject({ status: 429, text: '{"error":{"message":"upstream says no"}}' });
    expect(answer.headers["retry-after"]).toBe("30");
    expect(first.calls).toHaveLength(1);
  });

  test("429 storm: after the first refusal nobody troubles the provider until its time is over", async () => {
    const { first, chat } = await setup();
    first.plan(status(429, { "retry-after": "30" }));
    await chat(ALONE);
    const answers = await Promise.all(Array.from({ length: 50 }, () => chat(ALONE)));
    expect(first.calls).toHaveLength(1);
    for (const answer of answers) {
      expect(answer.status).toBe(429);
      expect(Number(answer.headers["retry-after"])).toBeGreaterThan(25);
    }
  });

  test("429 with another target: it takes the calls meanwhile", async () => {
    const { first, second, chat } = await setup();
    first.plan(status(429, { "retry-after": "30" }));
    for (let count = 0; count < 3; count += 1) expect((await chat(ROUTED)).status).toBe(200);
    expect([first.calls.length, second.calls.length]).toEqual([1, 3]);
  });

  test("the breaker opens after repeated faults, answers at once meanwhile, and recovers", async () => {
    const { first, chat } = await setup({
      retry: { attempts: 0 },
      breaker: { failures: 3, openMs: 300, maxOpenMs: 300 },
    });
    first.plan({ do: "reset" });
    for (let count = 0; count < 3; count += 1) expect((await chat(ALONE)).status).toBe(502);
    const refused = await chat(ALONE);
    expect(refused).toMatchObject({ status: 503 });
    expect(refused.headers["retry-after"]).toBe("1");
    expect(first.calls).toHaveLength(3);
    first.plan(OK);
    await vi.waitUntil(async () => (await chat(ALONE)).status === 200, { timeout: 3_000, interval: 50 });
    expect(first.calls).toHaveLength(4);
  });
});

describe("streams that go wrong after their first byte", () => {
  test("a healthy stream arrives whole", async () => {
    const { chat, messages } = await setup();
    const answer = await chat(ALONE, true);
    expect(answer).toMatchObject({ status: 200, clean: true });
    expect(answer.text.match(/^data: /gm)).toHaveLength(5);
    expect((await messages()).text).toContain("event: message_stop");
  });

  test.each<Behaviour["do"]>(["cut", "stall", "early-end", "malformed"])(
    "%s: ends as an error in both dialects, never cleanly, and is not begun again",
    async (fault) => {
      const { first, second, chat, messages } = await setup();
      first.plan({ do: fault } as Behaviour);
      const openai = await chat(ROUTED, true);
      expect(openai.clean).toBe(false);
      expect(openai.text).toContain("Hello");
      expect(openai.text).toMatch(
        /\n\ndata: \{"error":\{"message":"(?:P|The stream of p)rovider [^\n]+\n\n$/,
      );
      expect(openai.text).not.toContain("[DONE]");
      expect(second.calls).toHaveLength(0);
      const anthropic = await messages();
      expect(anthropic.clean).toBe(false);
      expect(anthropic.text).toMatch(/\n\nevent: error\ndata: \{"type":"error",[^\n]+\n\n$/);
      expect(anthropic.text).not.toContain("message_stop");
    },
  );

  test("a malformed event is not passed on", async () => {
    const { first, chat } = await setup();
    first.plan({ do: "malformed" });
    expect((await chat(ALONE, true)).text).not.toContain('"x"}}\n');
  });

  test("missing [DONE]: an answer whose choices are finished is complete", async () => {
    const { first, chat } = await setup();
    first.plan({ do: "no-done" });
    expect(await chat(ALONE, true)).toMatchObject({ status: 200, clean: true });
  });

  test("missing message_stop: an error", async () => {
    const { first, messages } = await setup();
    first.plan({ do: "no-done" });
    expect((await messages()).clean).toBe(false);
  });

  test("an error event of the provider passes and counts as failed", async () => {
    const { first, messages, subject } = await setup();
    first.plan({ do: "error-event" });
    expect((await messages()).text).toContain("overloaded_error");
    await vi.waitUntil(() => subject.lines.some((line) => line["outcome"] === "failed"));
  });
});

describe("callers", () => {
  test("one that goes away ends the provider's work within 50 ms, also while nothing has come yet", async () => {
    const { first, subject } = await setup({ timeouts: { firstByteMs: 10_000, idleMs: 10_000 } });
    /** How long the provider worked on after its caller had gone, milliseconds. */
    const leave = async (fault: "stall" | "silent"): Promise<number> => {
      first.plan({ do: fault });
      const seen = first.calls.length;
      const client = new Client(subject.url);
      const pending = client
        .request({
          method: "POST",
          path: "/v1/messages",
          headers: { "x-api-key": RUN_KEY },
          body: JSON.stringify({ model: "claude-sonnet-4-5", stream: true }),
        })
        .then((response) => response.body.on("error", () => {}))
        .catch(() => {});
      await vi.waitUntil(() => first.calls.length > seen, { interval: 5 });
      if (fault === "stall") await pending;
      const goneMs = systemClock.monotonicMs();
      await client.destroy();
      const abortedMs = await first.calls.at(-1)?.aborted;
      await pending;
      return (abortedMs ?? Infinity) - goneMs;
    };
    for (const fault of ["stall", "silent"] as const) {
      // Another program may have had the processor; the best of some says what the gateway does.
      let bestMs = Infinity;
      for (let tries = 0; tries < 5 && bestMs >= 50; tries += 1)
        bestMs = Math.min(bestMs, await leave(fault));
      expect(bestMs).toBeLessThan(50);
    }
  });

  test("one that goes away while we wait to try again is not tried for", async () => {
    const { first, subject } = await setup();
    first.plan(status(429, { "retry-after": "1" }), OK);
    const client = new Client(subject.url);
    const pending = client
      .request({
        method: "POST",
        path: "/v1/chat/completions",
        headers: { "x-api-key": RUN_KEY },
        body: '{"model":"gpt-5"}',
      })
      .catch(() => {});
    await vi.waitUntil(() => first.calls.length === 1, { interval: 5 });
    await client.destroy();
    await pending;
    await vi.waitUntil(() => subject.lines.some((line) => line["outcome"] === "aborted"), { timeout: 3_000 });
    expect(first.calls).toHaveLength(1);
  });

  test("bad key, oversized body, wrong path: an error in the dialect, and the provider is not asked", async () => {
    const { first, subject } = await setup({ maxBodyBytes: 1_000 });
    const bad = await ask(subject.url, "/v1/messages", {}, { "x-api-key": "wrong" });
    expect([bad.status, JSON.parse(bad.text)]).toMatchObject([
      401,
      { error: { type: "authentication_error" } },
    ]);
    const large = await ask(subject.url, "/v1/messages", "x".repeat(2_000));
    expect([large.status, JSON.parse(large.text)]).toMatchObject([
      413,
      { error: { type: "request_too_large" } },
    ]);
    const gemini = await ask(subject.url, "/v1beta/models/g:nothing", {});
    expect([gemini.status, JSON.parse(gemini.text)]).toMatchObject([
      404,
      { error: { status: "INVALID_ARGUMENT" } },
    ]);
    expect(first.calls).toHaveLength(0);
  });

  test("unknown model: the provider's own 404 passes; an unknown provider is named", async () => {
    const { first, chat } = await setup({
      aliases: { lost: "nowhere" },
      routes: { nowhere: { targets: [{ provider: "gone" }] } },
    });
    first.plan(status(404));
    expect((await chat("gpt-99")).status).toBe(404);
    const lost = await chat("lost");
    expect(lost).toMatchObject({ status: 503 });
    expect(lost.text).toContain('no provider \\"gone\\"');
  });
});

test("a provider that is down when the gateway starts is used as soon as it is there", async () => {
  const { first, chat } = await setup({ retry: { attempts: 0 } });
  const port = new URL(first.origin).port;
  await first.close();
  expect((await chat(ALONE)).status).toBe(502);
  const { createServer } = await import("node:http");
  const later = createServer((_, response) =>
    response.writeHead(200, { "content-type": "application/json" }).end('{"choices":[]}'),
  );
  await new Promise<void>((resolve) => later.listen(Number(port), "127.0.0.1", resolve));
  onTestFinished(() => {
    later.closeAllConnections();
    later.close();
  });
  expect((await chat(ALONE)).status).toBe(200);
});
