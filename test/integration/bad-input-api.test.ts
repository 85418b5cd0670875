import { readFile } from "node:fs/promises";
import http from "node:http";
import path from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { LOGIN_PATH, problem, ROUTES, type Route } from "../../src/contract/index.ts";
import { createInstallation, eventually, type TestInstallation } from "../support/installation.ts";
import { createTestRepository } from "../support/repository.ts";

/* Whatever is sent to a route of the contract, the answer is its result or a problem that names what is wrong; never ours. */
const RUNS_PER_ROUTE = 25;
const SEED = 20_261_121;
const ALL = Object.entries(ROUTES) as [string, Route][];

let product: TestInstallation;
let token: string;
let repository: string;
const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
beforeAll(async () => {
  product = await createInstallation();
  product.up();
  await eventually("the product answers", 60_000, () => product.get("/api/whoami"));
  repository = (await createTestRepository(path.join(product.home, "words"))).dir;
  // Tasks stay where they are: nobody is to work here.
  for (const slot of ["kaede", "kaede-2"]) await product.post(`/api/agents/${slot}/drain`, { drain: true });
  for (const title of ["One", "Two"]) await product.post("/api/tasks", { repositoryPath: repository, title });
  token = (await readFile(path.join(product.home, "run", "token"), "utf8")).trim();
});
afterAll(async () => {
  agent.destroy();
  await product.destroy();
});

interface Call {
  readonly method: string;
  /** As it stands in the request line: percent-encoded, or deliberately not. */
  readonly target: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: string | Buffer;
}
interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

function send({ method, target, headers = {}, body }: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request({
      agent,
      host: "127.0.0.1",
      port: product.port,
      method,
      path: target,
      headers: {
        host: `127.0.0.1:${product.port}`,
        ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }),
        ...headers,
      },
    });
    request.setTimeout(30_000, () => request.destroy(new Error(`${method} ${target}: no answer`)));
    request.on("error", reject);
    request.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, type: response.headers["content-type"] ?? "", text }),
      );
    });
    request.end(body);
  });
}
const sendAsOwner = (call: Call): Promise<Answer> =>
  send({ ...call, headers: { authorization: `Bearer ${token}`, ...call.headers } });

function expectProblem(answer: Answer, what: string): void {
  expect(answer.status, `${what}\n${answer.text}`).toBeGreaterThanOrEqual(400);
  expect(answer.status, `${what}\n${answer.text}`).toBeLessThan(500);
  expect(answer.type, what).toMatch(/^application\/problem\+json/);
  const said = problem.parse(JSON.parse(answer.text));
  expect(said.status, what).toBe(answer.status);
  expect(said.detail, what).toMatch(/\S/);
}

const NASTY = [
  ...["", " ", "null", "T1", "T0", "T99999999999999999999", "R1", "Q1", "K1", "kaede", "-1", "1e999", "NaN"],
  ...[
    "../../etc/passwd",
    "%00",
    "\u0000",
    "a\u0000b",
    "' or 1=1 --",
    "{}",
    "💥",
    "\ud800",
    "日本語",
    "__proto__",
  ],
  ...["x".repeat(3_000), "2026-13-45T99:99:99Z", "9999-12-31T23:59:59Z", "%E0%A4%A", "\r\nx: y", "${7*7}"],
] as const;
const text = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...NASTY) }, fc.string({ unit: "binary" }));
const value = fc.oneof(
  text,
  fc.constantFrom(0, -1, 1.5, 2 ** 31, 2 ** 53, 1e308, -0, true, false, null),
  fc.array(text, { maxLength: 4 }),
  fc.jsonValue({ maxDepth: 3 }),
);

/** Keys that a schema knows, or none. */
const keysOf = (schema: z.ZodType | undefined): readonly string[] =>
  schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
/** An object with some of the schema's keys and some foreign ones, with values of any kind. */
const objectFor = (schema: z.ZodType | undefined) =>
  fc.dictionary(
    fc.oneof({ weight: 4, arbitrary: fc.constantFrom("__proto__", "extra", ...keysOf(schema)) }, text),
    value,
    { maxKeys: 8 },
  );
/** What a route takes; one field of it is then replaced. */
const GOOD: Partial<Record<string, () => Readonly<Record<string, unknown>>>> = {
  createTask: () => ({
    repositoryPath: repository,
    title: "A word",
    body: "x",
    labels: ["a"],
    dependsOn: ["T1"],
  }),
  addRepository: () => ({ path: repository }),
  cancelTask: () => ({ reason: "for the test" }),
  approveTask: () => ({ approve: true, note: "x" }),
  setTaskClass: () => ({ class: "P1", dueAt: "2026-12-01T00:00:00Z" }),
  setTaskDependencies: () => ({ dependsOn: ["T2"] }),
  answerQuestion: () => ({ answer: "yes" }),
  tellAgent: () => ({ text: "hello" }),
  createGatewayKey: () => ({ name: "mine", kind: "tool", team: "ours", models: ["*"], budgetDayMicros: 1 }),
  setProviderKey: () => ({ key: "sk-test-0123456789" }),
  createThread: () => ({ persona: null, model: null }),
  postChatMessage: () => ({ text: "hello", attachments: [] }),
};
const almostGood = (good: Readonly<Record<string, unknown>>) =>
  fc
    .record({ name: fc.constantFrom(...Object.keys(good)), by: value })
    .map(({ name, by }) => ({ ...good, [name]: by }));
/** One known name with any value. */
const oneOf = (names: readonly string[]) =>
  names.length === 0
    ? fc.constant({})
    : fc.record({ name: fc.constantFrom(...names), by: value }).map(({ name, by }) => ({ [name]: by }));
const REAL: Readonly<Record<string, readonly string[]>> = {
  id: ["T1", "T2", "R1", "K1", "Q1"],
  slot: ["kaede", "conductor"],
  provider: ["openai"],
};
const rawBody = fc.oneof(
  fc.constantFrom(
    "",
    "{",
    "[",
    '{"a":',
    "nul",
    '"\\ud800"',
    "[".repeat(20_000),
    '{"a":1}x',
    "\u0000",
    "<xml/>",
  ),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
);
const contentType = fc.constantFrom(
  ...[
    "application/json",
    "application/json; charset=utf-16",
    "text/plain",
    "",
    "multipart/form-data",
    "a/b;;;",
  ],
);

interface Fuzz {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: { readonly json: unknown } | { readonly raw: string | Buffer; readonly type: string };
  readonly key: string | null;
}
const fuzzFor = (name: string, route: Route): fc.Arbitrary<Fuzz> =>
  fc.record({
    params: fc.record(
      Object.fromEntries(
        keysOf(route.params).map((part) => [
          part,
          fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...(REAL[part] ?? ["x"])) }, text),
        ]),
      ),
    ),
    // Names that a route does not know are refused before anything else is looked at.
    query: fc.oneof(
      { weight: 4, arbitrary: fc.constant({}) },
      { weight: 4, arbitrary: oneOf(keysOf(route.query)) },
      objectFor(route.query),
    ),
    body: fc.oneof(
      { weight: 3, arbitrary: fc.record({ json: fc.oneof(fc.constant({}), objectFor(route.body), value) }) },
      ...[GOOD[name]]
        .filter((good) => good !== undefined)
        .map((good) => ({ weight: 8, arbitrary: fc.record({ json: almostGood(good()) }) })),
      fc.record({ raw: rawBody, type: contentType }),
    ),
    key: fc.option(fc.constantFrom("k", "k".repeat(500), "a b", "é"), { freq: 4 }),
  });

/** Percent-encoded as a client does it; a lone surrogate cannot be. */
const encoded = (part: string): string => encodeURIComponent(part.toWellFormed());
function callOf(route: Route, { params, query, body, key }: Fuzz): Call {
  const filled = route.path.replace(/:(\w+)/g, (_, name: string) => encoded(params[name] ?? ""));
  const pairs = Object.entries(query).map(
    ([name, one]) => `${encoded(name)}=${encoded(typeof one === "string" ? one : JSON.stringify(one))}`,
  );
  const target = `${filled}${pairs.length === 0 ? "" : `?${pairs.join("&")}`}`;
  const headers: http.OutgoingHttpHeaders =
    key === null ? {} : { "idempotency-key": Buffer.from(key, "utf8").toString("latin1") };
  if (route.method === "GET") return { method: "GET", target, headers };
  return "json" in body
    ? {
        method: route.method,
        target,
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify(body.json),
      }
    : { method: route.method, target, headers: { ...headers, "content-type": body.type }, body: body.raw };
}

/** What would end the product, or make it work for minutes, is sent only as what it cannot be. */
const isMeant = (name: string, route: Route, { body }: Fuzz): boolean =>
  ["shutDown", "startDemo", "restartAgent", "drainAgent"].includes(name) &&
  // No body counts as an empty one.
  (!("json" in body) || route.body === undefined || route.body.safeParse(body.json ?? {}).success);

describe("any input", () => {
  it.each(ALL)("to %s is answered or refused with a problem", async (name, route) => {
    await fc.assert(
      fc.asyncProperty(fuzzFor(name, route), async (fuzz) => {
        fc.pre(!isMeant(name, route, fuzz));
        const call = callOf(route, fuzz);
        const answer = await sendAsOwner(call);
        const what = `${call.method} ${call.target}\n${String(call.body)}`.slice(0, 2_000);
        if (answer.status >= 300) return expectProblem(answer, what);
        const result = route.response.safeParse(JSON.parse(answer.text));
        expect(result.error?.message, what).toBeUndefined();
      }),
      { seed: SEED, numRuns: RUNS_PER_ROUTE, endOnFailure: true },
    );
  });

  it.each<[string, Call]>([
    ["a body above the limit", { method: "POST", target: "/api/tasks", body: `"${"x".repeat(1_200_000)}"` }],
    [
      "a body of another type",
      { method: "POST", target: "/api/tasks", headers: { "content-type": "text/plain" }, body: "x" },
    ],
    ["a path that is not encoded rightly", { method: "GET", target: "/api/tasks/%zz" }],
    ["an id that is too long", { method: "GET", target: `/api/tasks/${"T".repeat(300)}` }],
    ["a path with a NUL", { method: "GET", target: "/api/tasks/%00" }],
    ["a path above its directory", { method: "GET", target: "/api/../../../etc/passwd" }],
    ["a very long path", { method: "GET", target: `/api/tasks/${"T".repeat(9_000)}` }],
    ["a route that does not exist", { method: "GET", target: "/api/nothing" }],
    ["a method that does not exist there", { method: "DELETE", target: "/api/tasks/T1" }],
    [
      "a query with one name many times",
      { method: "GET", target: `/api/tasks?${"state=done&".repeat(200)}limit=x` },
    ],
    ["a cursor that is none", { method: "GET", target: "/api/tasks?cursor=%7B%22a%22%3A1%7D" }],
    ["another host's name", { method: "GET", target: "/api/status", headers: { host: "evil.example" } }],
    [
      "another site's origin",
      { method: "POST", target: "/api/tasks", headers: { origin: "http://evil.example" }, body: "{}" },
    ],
  ])("%s is refused with a problem", async (what, call) => {
    const headers = {
      ...(call.body === undefined ? {} : { "content-type": "application/json" }),
      ...call.headers,
    };
    expectProblem(await sendAsOwner({ ...call, headers }), what);
  });
});

describe("nobody", () => {
  const BESIDE: readonly [string, string][] = [
    ["GET", "/api/events"],
    ["GET", "/api/agents/kaede/screen/stream"],
    ["GET", "/api/docs/json"],
    ["GET", "/metrics"],
    ["PUT", "/api/hosts/runs/R1/bundle"],
    ["GET", "/api/hosts/connect"],
    ["POST", "/v1/messages"],
    ["POST", "/v1/chat/completions"],
    ["POST", "/v1/responses"],
    ["GET", "/v1/models"],
    ["POST", "/mcp"],
  ];
  const CALLS: readonly [string, string][] = [
    ...ALL.map(([, { method, path: pattern }]): [string, string] => [
      method,
      pattern.replaceAll(/:(\w+)/g, (_, name: string) => (name === "slot" ? "kaede" : "T1")),
    ]),
    ...BESIDE,
  ];

  it.each([
    ["without a token", {}],
    ["with a wrong token", { authorization: "Bearer wrong" }],
    ["with a wrong cookie", { cookie: "miyabi=wrong; miyabi-session=wrong" }],
  ])("may do anything %s", async (_, headers) => {
    for (const [method, target] of CALLS) {
      const body = method === "GET" ? {} : { body: "{}" };
      const { status, text: said } = await send({
        method,
        target,
        headers: { ...headers, ...(method === "GET" ? {} : { "content-type": "application/json" }) },
        ...body,
      });
      expect([401, 403], `${method} ${target}: ${status} ${said}`).toContain(status);
    }
  });

  it("may sign in by a code that is none", async () => {
    for (const body of ["{}", '{"code":"x"}', JSON.stringify({ code: "x".repeat(40) }), "nonsense"])
      expectProblem(
        await send({
          method: "POST",
          target: LOGIN_PATH,
          headers: { "content-type": "application/json" },
          body,
        }),
        body,
      );
  });
});

it("the product is well after all of this", async () => {
  const { components } = (await product.get<{ components: { name: string; state: string }[] }>(
    "/api/health",
  )) ?? {
    components: [],
  };
  expect(components.find(({ name }) => name === "database")?.state).toBe("ok");
  const log = await readFile(path.join(product.home, "logs", "control-plane.log"), "utf8");
  expect(log.split("\n").filter((line) => line.includes('"code":"internal.bug"'))).toEqual([]);
});
