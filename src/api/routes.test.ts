import { expect, test } from "vitest";
import { LOGIN_PATH, LOGOUT_PATH, PERMISSIONS, ROUTES, type Route } from "../contract/index.ts";
import { createApiFixture } from "./api-fixture.ts";

const ALL = Object.entries(ROUTES) as [string, Route][];
const SAMPLE: Readonly<Record<string, string>> = { id: "T1", slot: "kaede" };
const urlOf = (route: Route): string =>
  route.path.replace(/:(\w+)/g, (_, name: string) =>
    name === "id" && route.path.includes("/runs/")
      ? "R1"
      : name === "id" && route.path.includes("/questions/")
        ? "Q1"
        : (SAMPLE[name] ?? ""),
  );
const BESIDE = [
  "GET /api/agents/:slot/screen/stream",
  "GET /api/chat/attachments/:id/content",
  "GET /api/chat/threads/:id/stream",
  "GET /api/docs",
  "GET /api/docs/files/:file",
  "GET /api/docs/json",
  "GET /api/events",
  "GET /healthz",
  "GET /metrics",
  `POST ${LOGIN_PATH}`,
  `POST ${LOGOUT_PATH}`,
  "GET /*",
];

test("exactly the contract's routes exist, beside those that it names in prose", async () => {
  const { server } = await createApiFixture();
  for (const [, route] of ALL) expect(server.hasRoute({ method: route.method, url: route.path })).toBe(true);
  for (const text of BESIDE) {
    const [method = "GET", url = ""] = text.split(" ");
    expect(server.hasRoute({ method, url }), text).toBe(true);
  }
  const expected = new Set([...ALL.map(([, route]) => `${route.method} ${route.path}`), ...BESIDE]);
  expect(new Set(registered(server.printRoutes({ commonPrefix: false })))).toEqual(expected);
});

test("every route refuses a caller who is nobody, but health, login and the console's files", async () => {
  const { server } = await createApiFixture();
  for (const [name, route] of ALL) {
    const answer = await server.inject({
      method: route.method,
      url: urlOf(route),
      headers: { host: "localhost" },
    });
    expect(answer.statusCode, name).toBe(401);
    expect(answer.json(), name).toMatchObject({
      code: "api.unauthenticated",
      status: 401,
      fix: "miyabi login",
    });
  }
  for (const url of [
    "/metrics",
    "/api/docs",
    "/api/docs/json",
    "/api/events",
    "/api/agents/kaede/screen/stream",
    "/api/chat/attachments/8b1f5c1e-6a1f-4c1e-9d5e-0c1f5c1e6a1f/content",
    "/api/chat/threads/C1/stream",
  ])
    expect((await server.inject({ url, headers: { host: "localhost" } })).statusCode, url).toBe(401);
});

test("a session has the permissions that it was given and no other", async () => {
  const { server, sessions } = await createApiFixture();
  for (const granted of PERMISSIONS) {
    const { code } = await sessions.createLoginCode({ name: granted, permissions: [granted] });
    const { token } = await sessions.redeem(code);
    const headers = {
      host: "localhost:8000",
      origin: "http://localhost:8000",
      cookie: `miyabi_session_8000=${token}`,
    };
    for (const [name, route] of ALL) {
      const answer = await server.inject({ method: route.method, url: urlOf(route), headers });
      expect(answer.statusCode === 403, `${granted} ${name}`).toBe(route.permission !== granted);
    }
  }
});

test("a route that names no permission cannot be registered", async () => {
  const plugin = async (fastify: { get: (url: string, handler: () => string) => unknown }): Promise<void> => {
    fastify.get("/api/forgotten", () => "");
    return Promise.resolve();
  };
  await expect(createApiFixture({ plugins: [plugin as never] })).rejects.toThrow(
    "The route GET /api/forgotten names no permission.",
  );
});

test("a plugin's route that checks its own key needs no caller, but our name and no foreign page", async () => {
  const { server } = await createApiFixture({
    plugins: [
      async (fastify) => {
        for (const permission of ["run-key", "host"] as const)
          fastify.post(`/v1/${permission}`, { config: { permission } }, () => "reached");
        return Promise.resolve();
      },
    ],
  });
  const post = async (url: string, headers: Record<string, string>) =>
    (await server.inject({ method: "POST", url, headers })).body;
  for (const url of ["/v1/run-key", "/v1/host"]) {
    expect(await post(url, { host: "127.0.0.1:8000" }), url).toBe("reached");
    expect(await post(url, { host: "sandbox" }), url).toContain("api.origin");
    expect(await post(url, { host: "localhost", origin: "http://evil.example" }), url).toContain(
      "api.origin",
    );
  }
});

/** `METHOD /path` of each line of Fastify's route tree. */
function registered(tree: string): string[] {
  const routes: string[] = [];
  const parts: string[] = [];
  for (const line of tree.split("\n")) {
    const match = /^([│ ]*)(?:├──|└──) (\S*)(?: \(([A-Z, ]+)\))?/.exec(line);
    if (match === null) continue;
    const depth = (match[1] ?? "").length / 4;
    parts.length = depth;
    parts[depth] = match[2] ?? "";
    for (const method of (match[3] ?? "").split(", ").filter((one) => one !== ""))
      routes.push(`${method} ${parts.join("").replace(/^\*$/, "/*")}`);
  }
  return routes;
}
