import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { fastify } from "fastify";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { silentLog } from "../../base/index.ts";
import type { Fenced, RunIdentity } from "../../tasks/index.ts";
import { createMcpPlugin, MCP_PATH, VERDICTS, type Verdict } from "../index.ts";
import { setupMessages } from "../messages-fixture.ts";

const RUN: RunIdentity = {
  runId: "R1",
  taskId: "T1",
  attempt: 1,
  step: "implement",
  role: "code",
  slot: "kaede",
  budgetMicros: null,
};
const TOKEN = "token-of-R1";

interface Over {
  readonly askWaitMs?: number;
  readonly verdicts?: readonly Verdict[];
}

async function setup(over: Over = {}) {
  const bundle = await setupMessages();
  const recorded: unknown[] = [];
  const seen: unknown[] = [];
  const state: { outcome: Fenced; current: boolean; identity: RunIdentity | null } = {
    outcome: "recorded",
    current: true,
    identity: RUN,
  };
  const record = async (params: unknown): Promise<Fenced> => {
    if (state.outcome === "recorded") recorded.push(params);
    return state.outcome;
  };
  const server = fastify();
  await server.register(
    createMcpPlugin({
      version: "0.0.0",
      database: bundle.database,
      mailboxes: bundle.mailboxes,
      questions: bundle.questions,
      log: silentLog,
      askWaitMs: over.askWaitMs ?? 5_000,
      progressMs: 50,
      runs: {
        identifyRun: async (token) => (token === TOKEN ? state.identity : null),
        verdictsFor: () => over.verdicts ?? VERDICTS,
        recordVerdict: record,
        reportProgress: record,
        mcpSeen: async (fence) => void seen.push(fence),
        isCurrent: async () => state.current,
        recipients: async () => ["kaede", "sakura", "code", "person"],
      },
    }),
  );
  const url = new URL(MCP_PATH, await server.listen({ port: 0, host: "127.0.0.1" }));
  onTestFinished(async () => {
    server.server.closeAllConnections();
    await server.close();
  });
  const connect = async (token = TOKEN): Promise<Client> => {
    const client = new Client({ name: "test", version: "1" });
    const transport = new StreamableHTTPClientTransport(url, {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    });
    await client.connect(transport);
    onTestFinished(() => client.close());
    return client;
  };
  return { ...bundle, recorded, seen, state, url, connect };
}

async function call(client: Client, name: string, args: Record<string, unknown>) {
  const result = await client.callTool({ name, arguments: args });
  const first = Array.isArray(result.content) ? result.content[0] : undefined;
  return { text: first?.type === "text" ? first.text : "", isError: result.isError === true };
}

async function callJson(client: Client, name: string, args: Record<string, unknown>) {
  const { text, isError } = await call(client, name, args);
  expect(isError, text).toBe(false);
  return JSON.parse(text) as Record<string, unknown>;
}

describe("connection", () => {
  test("lists the tools and notes the run once per attempt", async () => {
    const { connect, seen, state } = await setup();
    const client = await connect();
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      "report_result",
      "report_progress",
      "ask_person",
      "send_message",
      "read_messages",
    ]);
    await connect();
    expect(seen).toEqual([{ runId: "R1", attempt: 1 }]);
    state.identity = { ...RUN, attempt: 2 };
    await connect();
    expect(seen).toHaveLength(2);
  });

  test("a token of a run that is over is told so, also in the middle of a session", async () => {
    const { connect, state, url } = await setup();
    await expect(connect("other")).rejects.toThrow(/not yours any more/);
    const client = await connect();
    state.identity = null;
    await expect(call(client, "report_progress", { text: "late" })).rejects.toThrow(/not yours any more/);
    const bare = await fetch(url, {
      method: "POST",
      body: "{}",
      headers: { "content-type": "application/json" },
    });
    expect(bare.status).toBe(403);
  });

  test("speaks to clients of the older protocol", async () => {
    const { url } = await setup();
    const response = await fetch(url, {
      method: "POST",
      headers: {
        authorization: `Bearer ${TOKEN}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "initialize",
        params: {
          protocolVersion: "2025-03-26",
          capabilities: {},
          clientInfo: { name: "old", version: "1" },
        },
      }),
    });
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('"protocolVersion":"2025-03-26"');
  });
});

describe("reporting", () => {
  test("a result is recorded under the run's fence", async () => {
    const { connect, recorded } = await setup();
    const client = await connect();
    expect(await call(client, "report_result", { verdict: "done", notes: "All good." })).toEqual({
      text: "Recorded: done.",
      isError: false,
    });
    const answers = [
      { thread: 1, done: true, text: "renamed" },
      { thread: 2, done: false, text: "it is public" },
    ];
    await call(client, "report_result", { verdict: "done", notes: "All good.", answers });
    await call(client, "report_progress", { text: "Reading" });
    expect(recorded).toEqual([
      { runId: "R1", attempt: 1, verdict: "done", notes: "All good." },
      {
        runId: "R1",
        attempt: 1,
        verdict: "done",
        notes: "All good.\nThread 1: done: renamed\nThread 2: not done: it is public",
      },
      { runId: "R1", attempt: 1, text: "Reading" },
    ]);
  });

  test("a lost run is told so and records nothing", async () => {
    const { connect, recorded, state } = await setup();
    const client = await connect();
    state.outcome = "lost";
    const late = await call(client, "report_result", { verdict: "done" });
    expect(late).toEqual({ isError: true, text: expect.stringContaining("not yours any more") });
    state.current = false;
    const sent = await call(client, "send_message", { to: "sakura", text: "late" });
    const asked = await call(client, "ask_person", { question: "late?" });
    expect([sent.isError, asked.isError]).toEqual([true, true]);
    expect(recorded).toEqual([]);
  });

  test("a verdict that the step does not know, or text that is too long, is a clear error", async () => {
    const { connect, recorded } = await setup({ verdicts: ["approve", "changes"] });
    const client = await connect();
    const wrong = await call(client, "report_result", { verdict: "done" });
    expect(wrong).toEqual({ isError: true, text: expect.stringMatching(/approve.*changes/) });
    const long = await call(client, "report_result", { verdict: "approve", notes: "x".repeat(20_001) });
    expect(long.isError).toBe(true);
    expect(recorded).toEqual([]);
  });
});

describe("messages", () => {
  test("are read in order until they are acknowledged", async () => {
    const { connect, mailboxes } = await setup();
    const client = await connect();
    for (const [recipient, body] of [
      ["kaede", "one"],
      ["code", "two"],
      ["sakura", "not hers"],
    ] as const)
      await mailboxes.send({ sender: "person", recipient, taskId: "T1", body });
    const texts = (answer: Record<string, unknown>) =>
      (answer["messages"] as { text: string }[]).map(({ text }) => text);
    expect(texts(await callJson(client, "read_messages", {}))).toEqual(["one", "two"]);
    expect(texts(await callJson(client, "read_messages", {}))).toEqual(["one", "two"]);
    const rest = await callJson(client, "read_messages", { acknowledge: ["M1", "M3"] });
    expect(rest).toMatchObject({ acknowledged: ["M1"], unknown: ["M3"] });
    expect(texts(rest)).toEqual(["two"]);
  });

  test("go only to recipients that exist", async () => {
    const { connect, mailboxes } = await setup();
    const client = await connect();
    expect((await call(client, "send_message", { to: "nobody", text: "x" })).text).toMatch(
      /Choose one of: kaede/,
    );
    expect((await call(client, "send_message", { to: "sakura", text: "  please look  " })).isError).toBe(
      false,
    );
    const { items } = await mailboxes.list({ limit: 5 });
    expect(items).toMatchObject([
      { sender: "kaede", recipient: "sakura", body: "please look", taskId: "T1" },
    ]);
  });
});

describe("asking a person", () => {
  test("waits for the answer, with progress that keeps the client's time limit away", async () => {
    const { connect, questions } = await setup();
    const client = await connect();
    const steps: number[] = [];
    const asked = client.callTool(
      { name: "ask_person", arguments: { question: "Tabs?", options: ["yes", "no"] } },
      { onprogress: ({ progress }) => void steps.push(progress), timeout: 400, resetTimeoutOnProgress: true },
    );
    await vi.waitUntil(() => steps.length >= 12, { timeout: 10_000 });
    await questions.answer({ id: "Q1", answer: "yes", answeredBy: "ada" });
    expect(JSON.stringify((await asked).content)).toContain("yes");
  });

  test("says that it waits when its time is over, and goes on by id or by the same question", async () => {
    const { connect, questions } = await setup({ askWaitMs: 60 });
    const client = await connect();
    const first = await callJson(client, "ask_person", { question: "Tabs?" });
    expect(first).toMatchObject({ status: "waiting", question_id: "Q1" });
    expect(await callJson(client, "ask_person", { question: "Tabs?" })).toMatchObject({ question_id: "Q1" });
    await questions.answer({ id: "Q1", answer: "spaces", answeredBy: "ada" });
    const answer = { status: "answered", question_id: "Q1", answer: "spaces" };
    expect(await callJson(client, "ask_person", { question: "Tabs?" })).toEqual(answer);
    expect(await callJson(client, "ask_person", { question_id: "Q1" })).toEqual(answer);
    expect((await questions.list({ open: false, limit: 5 })).items).toHaveLength(1);
  });

  test("refuses questions of other tasks, and input that is neither question nor id", async () => {
    const { connect, questions } = await setup();
    const client = await connect();
    await questions.ask({
      kind: "question",
      taskId: "T2",
      runId: null,
      asker: "botan",
      text: "Secret?",
      options: [],
      dedupeKey: null,
    });
    expect((await call(client, "ask_person", { question_id: "Q1" })).text).toContain("no question Q1");
    expect((await call(client, "ask_person", {})).isError).toBe(true);
    expect((await call(client, "ask_person", { question: "a", question_id: "Q1" })).isError).toBe(true);
  });

  test("stops waiting when the agent hangs up, and keeps the question", async () => {
    const { connect, questions } = await setup({ askWaitMs: 600_000 });
    const client = await connect();
    const asked = call(client, "ask_person", { question: "Anyone?" });
    const open = () => questions.list({ open: true, limit: 5 });
    await vi.waitUntil(async () => (await open()).items.length === 1, { timeout: 5_000 });
    const failed = expect(asked).rejects.toThrow();
    await client.close();
    await failed;
    expect((await open()).items).toHaveLength(1);
  });
});
