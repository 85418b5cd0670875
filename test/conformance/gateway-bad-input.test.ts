import net from "node:net";
import { Readable } from "node:stream";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { systemClock, systemRandom } from "../../src/base/index.ts";
import { GATEWAY_ROUTES } from "../../src/contract/index.ts";
import { createTranslations, type KeyTerms } from "../../src/gateway/index.ts";
import { createTestDatabase, type TestDatabase } from "../../src/store/testing.ts";
import { startFaultyUpstream } from "../support/faulty-upstream.ts";
import { ask, type Answer, keyTerms, RUN_KEY, seedRun, startGateway } from "../support/gateway-under-test.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  await seedRun(db.database);
});
afterAll(() => db.drop());

const PROVIDER_SECRET = "sk-provider-secret";
const NO_LIMITS = { dayMicros: null, monthMicros: null, taskMicros: null };
const MESSAGES = [{ role: "user", content: "hi" }];

async function setup(settings: Record<string, unknown> = {}) {
  const upstream = await startFaultyUpstream();
  const subject = await startGateway({
    database: db.database,
    settings: {
      providers: {
        openai: { baseUrl: upstream.origin },
        anthropic: { baseUrl: upstream.origin },
        google: { baseUrl: upstream.origin },
        free: { kind: "ollama", baseUrl: `${upstream.origin}/v1` },
        // Speaks one dialect only, so that calls of the others are translated.
        other: {
          kind: "openai-compatible",
          baseUrl: `${upstream.origin}/v1`,
          models: ["qwen"],
          endpoints: ["chat_completions"],
        },
      },
      ...settings,
    },
    over: { findTranslation: createTranslations({ clock: systemClock, random: systemRandom }) },
  });
  onTestFinished(async () => {
    await subject.close();
    await upstream.close();
  });
  const add = (over: Partial<KeyTerms> = {}) => subject.gateway.keys.create(keyTerms(over), "test");
  /** The gateway still answers, and nothing secret was said or logged meanwhile. */
  const isUnharmed = async (...answers: readonly Answer[]): Promise<void> => {
    expect(
      (await ask(subject.url, "/v1/chat/completions", { model: "gpt-5", messages: MESSAGES })).status,
    ).toBe(200);
    const said = JSON.stringify([answers, subject.lines]);
    for (const secret of [PROVIDER_SECRET, RUN_KEY, "/src/", "node_modules", "select ", "postgres://"])
      expect(said).not.toContain(secret);
  };
  return { upstream, subject, add, isUnharmed };
}

/** Each dialect with where it asks, and where its errors say what they are. */
const DIALECTS = [
  {
    name: "openai",
    path: "/v1/chat/completions",
    header: "authorization",
    typeOf: (error: Said) => error.error.type,
    types: { auth: "invalid_request_error", large: "invalid_request_error", quota: "insufficient_quota" },
  },
  {
    name: "anthropic",
    path: "/v1/messages",
    header: "x-api-key",
    typeOf: (error: Said) => error.error.type,
    types: { auth: "authentication_error", large: "request_too_large", quota: "billing_error" },
  },
  {
    name: "google",
    path: "/v1beta/models/gemini-2.5-pro:generateContent",
    header: "x-goog-api-key",
    typeOf: (error: Said) => error.error.status,
    types: { auth: "UNAUTHENTICATED", large: "INVALID_ARGUMENT", quota: "RESOURCE_EXHAUSTED" },
  },
] as const;
type Said = { readonly error: { readonly type: string; readonly status: string; readonly message: string } };

const shown = (header: string, key: string): Record<string, string> => ({
  [header]: header === "authorization" ? `Bearer ${key}` : key,
});
const said = (answer: Pick<Answer, "text">): Said => JSON.parse(answer.text) as Said;

describe.each(DIALECTS)("$name", ({ path, header, typeOf, types }) => {
  const body = { model: "gpt-5", messages: MESSAGES, max_tokens: 10, contents: [] };

  test.each([true, false])(
    "a body of 100 MB (its size told: %s): 413, and the provider is not asked",
    async (isTold) => {
      const { upstream, subject, isUnharmed } = await setup();
      const megabyte = Buffer.alloc(1024 * 1024, "x");
      const before = process.memoryUsage().arrayBuffers;
      const sent = function* () {
        for (let count = 0; count < 100; count += 1) yield megabyte;
      };
      const answer = await request(subject.url + path, {
        method: "POST",
        headers: {
          ...shown(header, RUN_KEY),
          ...(isTold ? { "content-length": String(100 * megabyte.length) } : {}),
        },
        body: Readable.from(sent()),
      });
      const text = await answer.body.text();
      expect(answer.statusCode).toBe(413);
      expect(typeOf(said({ text }))).toBe(types.large);
      expect(text).toContain("gateway.maxBodyBytes");
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(80 * megabyte.length);
      expect(upstream.calls).toHaveLength(0);
      await isUnharmed();
    },
  );

  test("a key that nobody knows, a revoked one and an expired one: 401, at once", async () => {
    const { upstream, subject, add, isUnharmed } = await setup();
    const revoked = await add();
    const expired = await add({ expiresAt: new Date(Date.now() - 1_000) });
    const call = (key: string) => ask(subject.url, path, body, shown(header, key));
    // It is known and remembered when it is revoked.
    await call(revoked.key);
    await subject.gateway.keys.revoke(revoked.view.id);
    for (const key of ["mk-nobody", "sk-nobody", revoked.key, expired.key, "x".repeat(5_000)]) {
      const asked = upstream.calls.length;
      const answer = await call(key);
      expect(upstream.calls).toHaveLength(asked);
      expect(answer.status).toBe(401);
      expect(typeOf(said(answer))).toBe(types.auth);
      expect(answer.text).not.toContain(key);
      await isUnharmed(answer);
    }
  });

  test("a budget that is used up: 429 that names it and says when it is full again", async () => {
    const { upstream, subject, add } = await setup({
      prices: { "gpt-5": { input: 1, output: 1 }, "gemini-2.5-pro": { input: 1, output: 1 } },
    });
    const { key, view } = await add({ name: "empty", budgets: { ...NO_LIMITS, dayMicros: 0 } });
    const answer = await ask(subject.url, path, body, shown(header, key));
    expect(answer.status).toBe(429);
    expect(typeOf(said(answer))).toBe(types.quota);
    expect(said(answer).error.message).toContain(`day budget of key ${view.id} "empty"`);
    expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
    expect(upstream.calls).toHaveLength(0);
  });
});

/** A conversation whose tool schema is as deep as said. */
const deep = (depth: number): string =>
  `{"model":"qwen","max_tokens":10,"messages":[{"role":"user","content":"hi"}],"tools":[{"name":"t","type":"function",` +
  `"function":{"name":"t","parameters":${'{"a":'.repeat(depth)}1${"}".repeat(depth)}},` +
  `"input_schema":${'{"a":'.repeat(depth)}1${"}".repeat(depth)}}]}`;

describe("bodies that break parsers", () => {
  test.each([
    ["passed on", "/v1/chat/completions"],
    ["translated", "/v1/messages"],
  ])("JSON that is 200,000 deep, %s: passes or is refused in the dialect", async (_how, path) => {
    const { subject, add, isUnharmed } = await setup();
    // The cache reads every request whole.
    const { key } = await add({ cache: true });
    const from = systemClock.monotonicMs();
    const answer = await ask(subject.url, path, deep(200_000), { "x-api-key": key });
    expect([200, 400]).toContain(answer.status);
    if (answer.status === 400) expect(said(answer).error.message).not.toBe("");
    expect(systemClock.monotonicMs() - from).toBeLessThan(5_000);
    await isUnharmed(answer);
  });

  test.each([
    ["passed on", "/v1/chat/completions"],
    ["translated", "/v1/messages"],
  ])("invalid UTF-8, %s: passes or is refused in the dialect", async (_how, path) => {
    const { subject, add, isUnharmed } = await setup();
    const { key } = await add({ cache: true });
    const body = Buffer.concat([
      Buffer.from('{"model":"qwen","max_tokens":10,"messages":[{"role":"user","content":"'),
      Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0xed, 0xa0, 0x80]),
      Buffer.from('"}]}'),
    ]);
    const answer = await request(subject.url + path, {
      method: "POST",
      headers: { "x-api-key": key },
      body,
    });
    const text = await answer.body.text();
    expect([200, 400]).toContain(answer.statusCode);
    expect(JSON.parse(text)).toBeTypeOf("object");
    await isUnharmed();
  });

  test.each([
    ["passed on", "/v1/chat/completions"],
    ["translated", "/v1/messages"],
  ])("one run of a million characters, %s: passes within two seconds", async (_how, path) => {
    const { upstream, subject, add } = await setup();
    const { key } = await add({ cache: true, tokensPerMinute: 10_000_000 });
    for (const run of ["x".repeat(1_000_000), "語".repeat(1_000_000), "\\u0000".repeat(170_000)]) {
      const body = `{"model":"qwen","max_tokens":10,"messages":[{"role":"user","content":"${run}"}]}`;
      const answer = await ask(subject.url, path, body, { "x-api-key": key });
      expect(answer).toMatchObject({ status: 200 });
      expect(answer.ms).toBeLessThan(2_000);
      expect(upstream.calls.at(-1)?.body.length).toBeGreaterThan(900_000);
    }
  });

  test.each([
    "",
    "null",
    "[]",
    '"text"',
    "{",
    '{"model":',
    '{"model":{"$gt":""}}',
    '{"__proto__":{"model":"x"}}',
  ])("the body %j: an answer in the dialect", async (body) => {
    const { subject, isUnharmed } = await setup();
    for (const { path, header } of DIALECTS) {
      const answer = await ask(subject.url, path, body, shown(header, RUN_KEY));
      expect(answer.status).toBeLessThan(500);
      expect(JSON.parse(answer.text)).toBeTypeOf("object");
      await isUnharmed(answer);
    }
  });

  test("a model's name that is none: an answer in the dialect, and it is cut where it is repeated", async () => {
    const { subject, isUnharmed } = await setup();
    for (const model of [
      "x".repeat(100_000),
      "../../etc/passwd",
      "a\u0000b",
      "free/a\u0000c",
      "surrogate \ud800",
      "__proto__",
      "constructor",
    ]) {
      const answer = await ask(subject.url, "/v1/messages", { model, messages: MESSAGES, max_tokens: 1 });
      expect(answer.status).toBeLessThan(500);
      expect(answer.text.length).toBeLessThan(2_000);
      await isUnharmed(answer);
    }
    // Nothing that a caller names keeps the ledger from being written.
    await subject.gateway.costSince(new Date());
    expect(subject.lines.filter((line) => line["msg"] === "ledger not written")).toEqual([]);
    const { rows } = await db.database.query(
      "select asked_model from miyabi.model_calls where asked_model like 'a_b' or asked_model like 'free/a_c' or asked_model like 'surrogate%' order by 1",
    );
    expect(rows).toEqual([
      { asked_model: "a\uFFFDb" },
      { asked_model: "free/a\uFFFDc" },
      { asked_model: "surrogate \uFFFD" },
    ]);
  });
});

describe("keys of others", () => {
  test("a key of another team gets neither its models, nor its cached answers, nor its budget", async () => {
    const { upstream, subject, add } = await setup({ prices: { "gpt-5": { input: 1, output: 1 } } });
    const red = await add({ kind: "team", name: "red", team: "red", cache: true });
    const blue = await add({ kind: "team", name: "blue", team: "blue", cache: true, models: ["gpt-4*"] });
    const green = await add({ kind: "team", name: "green", team: "green", cache: true });
    const call = (key: string, headers: Record<string, string> = {}) =>
      ask(
        subject.url,
        "/v1/chat/completions",
        { model: "gpt-5", messages: MESSAGES },
        { authorization: `Bearer ${key}`, ...headers },
      );
    expect((await call(red.key)).headers["x-miyabi-cache"]).toBe("miss");
    expect((await call(red.key)).headers["x-miyabi-cache"]).toBe("hit");
    const forbidden = await call(blue.key);
    expect(forbidden.status).toBe(403);
    expect(said(forbidden).error.message).toContain(blue.view.id);
    expect(forbidden.text).not.toContain("red");
    // Headers in which a client might name somebody else change nothing.
    const foreign = await call(green.key, {
      "x-team": "red",
      "x-miyabi-team": "red",
      "x-miyabi-key": red.view.id,
    });
    expect(foreign.headers["x-miyabi-cache"]).toBe("miss");
    expect(upstream.calls).toHaveLength(2);
    await subject.gateway.costSince(new Date());
    await vi.waitFor(async () => {
      const { rows } = await db.database.query(
        "select team, count(*)::int as calls from miyabi.model_calls where key_id = any($1) group by 1 order by 1",
        [[red.view.id, blue.view.id, green.view.id]],
      );
      expect(rows).toEqual([
        { team: "green", calls: 1 },
        { team: "red", calls: 2 },
      ]);
    });
    const { text } = await request(`${subject.url}/v1/models`, {
      headers: { authorization: `Bearer ${blue.key}` },
    }).then(async ({ body }) => ({ text: await body.text() }));
    expect(text).not.toContain("gpt-5");
  });

  test("the shown key and the provider's do not reach the other side", async () => {
    const { upstream, subject, add } = await setup();
    const { key } = await add();
    const headers: string[][] = [];
    const spy = await startHeaderSpy(headers);
    const spied = await setup({ providers: { openai: { baseUrl: spy } } });
    await ask(
      spied.subject.url,
      "/v1/chat/completions",
      { model: "gpt-5", messages: MESSAGES },
      { authorization: `Bearer ${key}`, "x-api-key": key, "api-key": key, cookie: `session=${key}` },
    );
    const seen = headers.flat().join("\n");
    expect(seen).toContain(PROVIDER_SECRET);
    expect(seen).not.toContain(key);
    expect(upstream.calls).toHaveLength(0);
    await subject.gateway.costSince(new Date());
  });

  test("with 10,000 keys each is found at once, and only its own", async () => {
    const { subject, add } = await setup();
    await db.database.query(
      `insert into miyabi.gateway_keys (name, kind, key_hash, key_start, cache, created_by)
       select 'n' || n, 'tool', encode(sha256(('mk-' || n)::bytea), 'hex'), 'mk-', false, 'test'
       from generate_series(1, 10000) n`,
    );
    const { key } = await add();
    const times: number[] = [];
    for (let number = 1; number <= 200; number += 1) {
      const answer = await ask(
        subject.url,
        "/v1/chat/completions",
        { model: "gpt-5", messages: MESSAGES },
        { authorization: `Bearer mk-${number * 50}` },
      );
      expect(answer.status).toBe(200);
      times.push(answer.ms);
    }
    expect(times.toSorted((a, b) => a - b)[100]).toBeLessThan(50);
    expect((await ask(subject.url, "/v1/messages", {}, { "x-api-key": "mk-10001" })).status).toBe(401);
    expect((await ask(subject.url, "/v1/messages", {}, { "x-api-key": key })).status).toBe(200);
    expect(await subject.gateway.keys.list()).toHaveLength(10_000);
  });
});

describe("headers and addresses", () => {
  test.each([
    "/v1beta/models/gemini%0d%0aX-Evil:%201:generateContent",
    "/v1beta/models/..%2f..%2f..%2fadmin:generateContent",
    "/v1beta/models/a%3fkey=b%23c:generateContent",
    "/v1beta/models/%2e%2e/%2e%2e/x:generateContent",
  ])("what stands in a path cannot leave it: %s", async (path) => {
    const headers: string[][] = [];
    const paths: string[] = [];
    const spy = await startHeaderSpy(headers, paths);
    const { subject } = await setup({ providers: { google: { baseUrl: spy } } });
    await raw(
      subject.url,
      `POST ${path} HTTP/1.1\r\nx-goog-api-key: ${RUN_KEY}\r\ncontent-length: 2\r\n\r\n{}`,
    );
    for (const one of paths) expect(one).toMatch(/^\/v1beta\/models\/[^?#\s]*:generateContent$/);
    expect(paths.join("")).not.toMatch(/\.\.\//);
    expect(headers.flat().map((one) => one.toLowerCase())).not.toContain("x-evil");
  });

  test("requests that two servers could read differently are refused", async () => {
    const { upstream, subject } = await setup();
    const auth = `x-api-key: ${RUN_KEY}\r\n`;
    for (const head of [
      `${auth}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`,
      `${auth}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      `${auth}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
      `${auth}x: a\rb\r\ncontent-length: 2\r\n\r\n{}`,
      `${auth}x\u0000y: a\r\ncontent-length: 2\r\n\r\n{}`,
    ])
      expect(await raw(subject.url, `POST /v1/messages HTTP/1.1\r\n${head}`)).toMatch(/^HTTP\/1\.1 400 /);
    expect(upstream.calls).toHaveLength(0);
  });

  test("a caller cannot name hop-by-hop headers to take the provider's key away, nor set our own", async () => {
    const headers: string[][] = [];
    const spy = await startHeaderSpy(headers);
    const { subject } = await setup({ providers: { openai: { baseUrl: spy } } });
    await raw(
      subject.url,
      `POST /v1/chat/completions HTTP/1.1\r\nx-api-key: ${RUN_KEY}\r\nconnection: authorization, x-api-key, close\r\n` +
        'authorization: Bearer mine\r\nhost: evil.example\r\ncontent-length: 17\r\n\r\n{"model":"gpt-5"}',
    );
    const seen = headers[0] ?? [];
    expect(seen).toContain(`Bearer ${PROVIDER_SECRET}`);
    expect(seen.join("\n")).not.toMatch(/evil\.example|Bearer mine/);
  });

  test("an address of a provider comes from the configuration alone: none that a caller names is called", async () => {
    const trap: string[][] = [];
    const evil = await startHeaderSpy(trap);
    const { upstream, subject } = await setup();
    for (const model of [evil, `${evil}/gpt-5`, "http://169.254.169.254/latest", "openai@127.0.0.1/gpt-5"]) {
      const answer = await ask(
        subject.url,
        "/v1/chat/completions",
        { model, base_url: evil, api_base: evil, provider: { url: evil }, messages: MESSAGES },
        {
          "x-api-key": RUN_KEY,
          "x-portkey-custom-host": evil,
          "x-base-url": evil,
          "x-forwarded-host": new URL(evil).host,
          forwarded: `host=${new URL(evil).host}`,
        },
      );
      expect(answer.status).toBeLessThan(600);
    }
    await raw(
      subject.url,
      `POST ${evil}/v1/chat/completions HTTP/1.1\r\nx-api-key: ${RUN_KEY}\r\ncontent-length: 2\r\n\r\n{}`,
    );
    expect(trap).toEqual([]);
    for (const { path } of upstream.calls) expect(path).toMatch(/^\/v1\//);
  });

  test("only an administrator changes providers and keys, and the API takes no provider's address at all", () => {
    for (const route of Object.values(GATEWAY_ROUTES))
      if (/key/i.test(route.path) && route.method === "POST") expect(route.permission).toBe("admin");
    for (const { path } of Object.values(GATEWAY_ROUTES)) expect(path).not.toMatch(/url|host/i);
    const { setProviderKey } = GATEWAY_ROUTES;
    expect(setProviderKey.body.safeParse({ key: "sk", baseUrl: "http://169.254.169.254" }).success).toBe(
      false,
    );
  });
});

/** A provider that writes down what it gets; gives its address. */
async function startHeaderSpy(headers: string[][], paths: string[] = []): Promise<string> {
  const { createServer } = await import("node:http");
  const server = createServer((incoming, response) => {
    headers.push(incoming.rawHeaders);
    paths.push(incoming.url ?? "");
    incoming.resume();
    response.writeHead(200, { "content-type": "application/json" }).end('{"choices":[]}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
}

/** Sends bytes as they are, with a `Host` where there is none; gives what comes back until the answer is there. */
function raw(url: string, text: string): Promise<string> {
  const { port } = new URL(url);
  const full = /\r\nhost:/i.test(text) ? text : text.replace("\r\n", `\r\nhost: 127.0.0.1:${port}\r\n`);
  return new Promise((resolve) => {
    let answer = "";
    const socket = net.connect({ host: "127.0.0.1", port: Number(port) });
    socket.on("data", (piece) => {
      answer += piece.toString("latin1");
      if (answer.includes("\r\n\r\n")) socket.destroy();
    });
    socket.on("error", () => {}).on("close", () => resolve(answer));
    socket.write(full, "latin1");
  });
}
