import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../src/store/testing.ts";
import { startFaultyUpstream } from "../support/faulty-upstream.ts";
import { ask, keyTerms, RUN_KEY, seedRun, startGateway } from "../support/gateway-under-test.ts";
import { CHAT_USAGE, startModelServer, streamText } from "../support/model-server.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  await seedRun(db.database);
});
afterAll(() => db.drop());

type Part = Record<string, unknown>;

async function setup(origin: string, close: () => Promise<void>, gateway: Part = {}) {
  const subject = await startGateway({
    database: db.database,
    settings: {
      providers: { openai: { baseUrl: `${origin}/v1` }, anthropic: { baseUrl: origin } },
      ...gateway,
    },
  });
  onTestFinished(async () => {
    await subject.close();
    await close();
  });
  return subject;
}

async function withModel(gateway: Part = {}) {
  const upstream = await startModelServer();
  const subject = await setup(upstream.origin, upstream.close, gateway);
  const bodies = (): Part[] => upstream.calls.map((call) => JSON.parse(call.body.toString()) as Part);
  return { upstream, subject, bodies };
}

const CHAT = { model: "gpt-5", messages: [{ role: "user", content: "Why is the sky blue?" }] };
const headers = (more: Record<string, string> = {}) => ({
  "x-api-key": RUN_KEY,
  "x-miyabi-chain": "reflect",
  ...more,
});

describe("reflect", () => {
  test("drafts, criticises and streams the final answer; each step has its tokens in the ledger", async () => {
    const { subject, bodies } = await withModel();
    const asked = { ...CHAT, stream: true, stream_options: { include_usage: true } };
    const answer = await ask(subject.url, "/v1/chat/completions", asked, headers());
    expect(answer.text).toBe(streamText("/v1/chat/completions", "gpt-5"));
    expect(answer.headers["x-miyabi-chain"]).toBe("reflect");
    const [draft, critique, final] = bodies();
    expect(draft).toEqual(CHAT);
    expect(critique).toMatchObject({ model: "gpt-5" });
    expect(critique?.["stream"]).toBeUndefined();
    const said = (critique?.["messages"] ?? []) as Part[];
    expect(said.map((message) => message["role"])).toEqual(["user", "assistant", "user"]);
    expect(said[1]).toEqual({ role: "assistant", content: "hi" });
    expect(final).toMatchObject({ stream: true, stream_options: { include_usage: true } });
    expect(JSON.stringify(final)).toContain("<review>\\nhi\\n</review>");
    await subject.gateway.costOf({ runId: "R1" });
    const { rows } = await db.database.query<Part>(
      `select id, chain, chain_step, chain_of, tokens_in::int, tokens_out::int, cost_micros::int as cost
       from miyabi.model_calls where chain_of = $1 order by started_at, chain_step desc`,
      [answer.headers["x-miyabi-call"]],
    );
    expect(rows.map((row) => row["chain_step"]).sort()).toEqual(["critique", "draft", "final"]);
    for (const row of rows) {
      expect(row).toMatchObject({
        tokens_in: CHAT_USAGE.prompt_tokens,
        tokens_out: CHAT_USAGE.completion_tokens,
      });
      expect(row["cost"]).toBeGreaterThan(0);
    }
    expect(rows.find((row) => row["chain_step"] === "final")?.["id"]).toBe(answer.headers["x-miyabi-call"]);
    const logged = subject.lines
      .filter((line) => line["chain"] === "reflect")
      .map((line) => line["chain_step"]);
    expect(logged.sort()).toEqual(["critique", "draft", "final"]);
  });

  test("works for messages, for keys that are set to it, and not where the call says none", async () => {
    const { subject, upstream } = await withModel({ reflect: { keys: ["writer"] } });
    const { key } = await subject.gateway.keys.create(keyTerms({ name: "writer", kind: "person" }), "test");
    const body = { model: "claude-sonnet-4-5", max_tokens: 50, messages: [{ role: "user", content: "hi" }] };
    const answer = await ask(subject.url, "/v1/messages", body, { "x-api-key": key });
    expect(JSON.parse(answer.text)).toMatchObject({ type: "message" });
    expect(upstream.calls).toHaveLength(3);
    await ask(subject.url, "/v1/messages", body, { "x-api-key": key, "x-miyabi-chain": "none" });
    expect(upstream.calls).toHaveLength(4);
    expect(upstream.calls[3]?.body.toString()).toBe(JSON.stringify(body));
  });

  test("leaves calls with tools, and conversations that are kept elsewhere, as they are", async () => {
    const { subject, upstream } = await withModel();
    const tools = [{ type: "function", function: { name: "f", parameters: {} } }];
    await ask(subject.url, "/v1/chat/completions", { ...CHAT, tools }, headers());
    await ask(
      subject.url,
      "/v1/responses",
      { model: "gpt-5", previous_response_id: "r1", input: "on" },
      headers(),
    );
    expect(upstream.calls).toHaveLength(2);
    const wrong = await ask(subject.url, "/v1/chat/completions", CHAT, headers({ "x-miyabi-chain": "deep" }));
    expect(wrong.status).toBe(400);
    expect(wrong.text).toContain("none, reflect");
  });

  test("a step that fails is left out: the caller gets a plain answer", async () => {
    const upstream = await startFaultyUpstream();
    const subject = await setup(upstream.origin, upstream.close);
    upstream.plan({ do: "status", status: 400 }, { do: "answer" });
    const answer = await ask(subject.url, "/v1/chat/completions", CHAT, headers());
    expect(answer.status).toBe(200);
    expect(answer.headers["x-miyabi-chain"]).toBeUndefined();
    expect(upstream.calls).toHaveLength(2);
    expect(JSON.parse(upstream.calls[1]?.body ?? "")).toEqual(CHAT);
  });

  test("a caller that goes away ends the step under way, and no further one begins", async () => {
    const upstream = await startFaultyUpstream();
    const subject = await setup(upstream.origin, upstream.close);
    upstream.plan({ do: "silent" });
    const gone = new AbortController();
    const asked = fetch(`${subject.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers() },
      body: JSON.stringify(CHAT),
      signal: gone.signal,
    }).catch(() => "gone");
    await vi.waitUntil(() => upstream.calls.length === 1);
    gone.abort();
    expect(await asked).toBe("gone");
    await upstream.calls[0]?.aborted;
    await vi.waitUntil(() => subject.lines.filter((line) => line["msg"] === "model call").length >= 2, {
      timeout: 5_000,
    });
    expect(upstream.calls).toHaveLength(1);
  });
});
