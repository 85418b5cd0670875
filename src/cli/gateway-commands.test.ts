import { describe, expect, it } from "vitest";
import { setupCommandLine } from "./command-line-fixture.ts";

const AT = "2026-11-21T01:02:03.456Z";
const key = (changes: object = {}) => ({
  id: "K1",
  name: "aider",
  kind: "tool",
  team: null,
  taskId: null,
  models: null,
  requestsPerMinute: null,
  tokensPerMinute: null,
  budgetDayMicros: 5_000_000,
  budgetMonthMicros: null,
  budgetTaskMicros: null,
  cache: false,
  expiresAt: null,
  start: "mk-abcdefg",
  createdAt: AT,
  createdBy: "cli",
  revokedAt: null,
  ...changes,
});
const provider = (changes: object = {}) => ({
  name: "anthropic",
  kind: "anthropic",
  title: "Anthropic",
  baseUrl: "https://api.anthropic.com",
  state: "ready",
  key: "env",
  breaker: null,
  free: false,
  models: ["claude-*"],
  endpoints: { messages: "native", responses: "translated", embeddings: "none" },
  ...changes,
});

describe("miyabi keys", () => {
  it("makes a key with its limits and shows it once", async () => {
    const { run, requests } = await setupCommandLine(() => ({
      status: 201,
      body: key({ key: "mk-secret" }),
    }));
    const { code, stdout } = await run(
      ...["keys", "add", "--name", "aider", "--kind", "tool", "--day-usd", "5", "--model", "gpt-*,o3"],
      ...["--requests", "60", "--cache"],
    );
    expect(code).toBe(0);
    expect(stdout).toBe("K1  mk-secret\nThis is the only time that the key is shown.\n");
    expect(requests[0]).toMatchObject({
      url: "/api/gateway/keys",
      body: {
        kind: "tool",
        budgetDayMicros: 5_000_000,
        models: ["gpt-*", "o3"],
        requestsPerMinute: 60,
        cache: true,
        expiresAt: null,
      },
    });
  });

  it("lists and revokes", async () => {
    const { run, requests } = await setupCommandLine(({ method }) =>
      method === "GET"
        ? { status: 200, body: { items: [key(), key({ id: "K2", revokedAt: AT })] } }
        : { status: 200, body: key({ revokedAt: AT }) },
    );
    const { stdout } = await run("keys", "list");
    expect(stdout).toMatch(
      /K1 +aider +tool +— +mk-abcdefg +\$5 +— +— +all +valid\nK2 .*revoked 2026-11-21 01:02\n$/,
    );
    expect(JSON.parse((await run("keys", "list", "--json")).stdout)).toMatchObject({
      items: [{ id: "K1" }, { id: "K2" }],
    });
    expect((await run("keys", "revoke", "K1")).stdout).toBe("K1 is refused from now on.\n");
    expect(requests.at(-1)?.url).toBe("/api/gateway/keys/K1/revoke");
    expect((await run("keys", "revoke", "x")).code).toBe(64);
  });
});

describe("miyabi providers", () => {
  it("prints the compatibility matrix", async () => {
    const items = [provider(), provider({ name: "openai", title: "OpenAI", state: "no-key", key: null })];
    const { run } = await setupCommandLine(() => ({ status: 200, body: { items } }));
    const { stdout } = await run("providers");
    expect(stdout).toMatch(/provider +kind +state +messages +responses +embeddings +address/);
    expect(stdout).toMatch(/anthropic +Anthropic +ready \(env\) +● +○ +– +https:/);
    expect(stdout).toMatch(/openai +OpenAI +no key/);
    expect(JSON.parse((await run("providers", "--json")).stdout)).toEqual({ items });
  });

  it("takes no key on the command line, and none that is empty", async () => {
    const { run, requests } = await setupCommandLine(() => ({ status: 200, body: provider() }));
    expect((await run("providers", "key", "anthropic")).code).toBe(64);
    expect((await run("providers", "key", "anthropic", "sk-x")).code).toBe(64);
    expect((await run("providers", "key", "anthropic", "--remove")).code).toBe(0);
    expect(requests.map((one) => one.url)).toEqual(["/api/gateway/providers/anthropic/key/remove"]);
  });
});

describe("miyabi calls", () => {
  const id = "8b1f5c1e-6a1f-4c1e-9d5e-0c1f5c1e6a1f";
  const call = {
    id,
    startedAt: AT,
    caller: "run R1",
    keyId: null,
    team: null,
    taskId: "T1",
    runId: "R1",
    provider: "openai",
    endpoint: "chat_completions",
    askedModel: "gpt-5",
    model: "gpt-5",
    status: 200,
    outcome: "ok",
    error: null,
    tokensIn: 500,
    tokensOut: 40,
    tokensCacheRead: null,
    tokensCacheWrite: null,
    tokensReasoning: null,
    costMicros: 1_234,
    usageComplete: true,
    firstByteMs: 12,
    totalMs: 30,
    attempts: 1,
    cache: null,
    compressRatio: 0.25,
    prefixStableTokens: 90,
    retention: 0.93,
    chain: null,
    chainStep: null,
    chainOf: null,
    route: null,
    tried: [],
    price: null,
  };
  const prompt = {
    callId: id,
    request: JSON.stringify({ messages: [{ content: "\u001b[31mhi" }] }),
    answer: null,
    requestBytes: 40,
    answerBytes: null,
    isCut: false,
    createdAt: AT,
  };

  it("lists them, shows one, and what was said only where that is asked for", async () => {
    const { run, requests } = await setupCommandLine(({ url }) => ({
      status: 200,
      body: url.endsWith("/prompt")
        ? prompt
        : url.includes(id)
          ? call
          : { items: [call, { ...call, costMicros: null }], nextCursor: null },
    }));
    expect((await run("calls", "--task", "T1")).stdout).toMatch(/\$0\.001234 +ok\n.*unknown +ok\n$/);
    expect(requests.at(-1)?.url).toContain("task=T1");
    const { stdout } = await run("calls", "show", id);
    expect(stdout).toMatch(
      /tokens +500 in, 40 out\ncost +\$0.001234\n.*\n.*\ntrimmed to +25\.0 %\nmeaning left +93\.0 %/,
    );
    expect(requests.filter(({ url }) => url.endsWith("/prompt"))).toHaveLength(0);
    const shown = await run("calls", "show", id, "--prompt");
    expect(shown.stdout).toContain('request:\n{\n  "messages"');
    expect(shown.stdout).not.toContain("\u001b");
    expect((await run("calls", "show", "x")).code).toBe(64);
  });
});

it("miyabi cache clears by exactly one thing", async () => {
  const { run, requests } = await setupCommandLine(({ method }) =>
    method === "GET"
      ? { status: 200, body: { entries: 3, bytes: 1_048_576, oldestAt: null } }
      : { status: 200, body: { removed: 2 } },
  );
  expect((await run("cache")).stdout).toBe("3 answers, 1.0 MiB\n");
  expect((await run("cache", "clear", "--tag", "docs")).stdout).toBe("2 answers are forgotten.\n");
  expect(requests.at(-1)).toMatchObject({ url: "/api/gateway/cache/invalidate", body: { tag: "docs" } });
  expect((await run("cache", "clear")).code).toBe(64);
  expect((await run("cache", "clear", "--all", "--tag", "x")).code).toBe(64);
});
