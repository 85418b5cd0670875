import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ROUTES, type RepositoryView } from "../contract/index.ts";
import { AS_CLI, createApiFixture } from "./api-fixture.ts";
import { listen } from "./listen.ts";

const LOCAL = { host: "localhost:8000" };
const repository = (path: string): RepositoryView => ({
  id: "r1",
  name: "project",
  path,
  targetBranch: "main",
  openTasks: 0,
  addedAt: "2026-01-01T00:00:00.000Z",
});

test("the same idempotency key gives the first answer again, also to a repeat at the same time", async () => {
  let calls = 0;
  const { server, database } = await createApiFixture({
    handlers: {
      addRepository: async ({ body }) => {
        calls += 1;
        await Promise.resolve();
        return { ...repository(body.path), openTasks: calls };
      },
    },
  });
  const add = (key: string, path: string) =>
    server.inject({
      method: "POST",
      url: "/api/repositories",
      headers: { ...AS_CLI, "idempotency-key": key },
      payload: { path },
    });
  const answers = await Promise.all([add("a", "/one"), add("a", "/one"), add("b", "/one")]);
  expect(answers.map((answer) => answer.statusCode)).toEqual([201, 201, 201]);
  expect(answers[0]?.body).toBe(answers[1]?.body);
  expect(calls).toBe(2);
  expect((await add("a", "/one")).json()).toEqual(answers[0]?.json());
  expect((await add("a", "/two")).json()).toMatchObject({ code: "conflict.state", details: { value: "a" } });
  expect(calls).toBe(2);
  await database.query("update miyabi.first_answers set created_at = now() - interval '2 days'");
  await add("a", "/one");
  expect(calls).toBe(3);
});

test("who comes before everything is there waits instead of being refused", async () => {
  const opened = Promise.withResolvers<void>();
  const { server } = await createApiFixture({ opened: opened.promise });
  let answered = false;
  const answer = server.inject({ url: "/healthz", headers: AS_CLI }).then((reply) => {
    answered = true;
    return reply;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(answered).toBe(false);
  opened.resolve();
  expect((await answer).statusCode).toBe(200);
});

test("an answer that failed is not kept, and a login link never", async () => {
  let fails = true;
  const { server, database } = await createApiFixture({
    handlers: {
      addRepository: ({ body }) =>
        fails ? Promise.reject(new Error("secret detail")) : Promise.resolve(repository(body.path)),
      createLoginLink: () =>
        Promise.resolve({ url: "http://localhost:8000/login#code", expiresAt: "2026-01-01T00:00:00.000Z" }),
    },
  });
  const headers = { ...AS_CLI, "idempotency-key": "k" };
  const add = () =>
    server.inject({ method: "POST", url: "/api/repositories", headers, payload: { path: "/a" } });
  const broken = await add();
  expect(broken.json()).toMatchObject({ status: 500, code: "internal.bug" });
  expect(broken.body).not.toContain("secret detail");
  fails = false;
  expect((await add()).statusCode).toBe(201);
  await server.inject({ method: "POST", url: "/api/login-links", headers });
  const kept = await database.query<{ answer: unknown }>("select answer from miyabi.first_answers");
  expect(JSON.stringify(kept.rows)).not.toContain("login#");
});

test("an answer that is not what the contract says is noticed in tests", async () => {
  const { server } = await createApiFixture({
    handlers: {
      listRepositories: () => Promise.resolve({ items: [{ ...repository("/a"), token: "leaked" }] }),
      listAgents: () => Promise.resolve({ items: [{ slot: "kaede" }] } as never),
    },
  });
  for (const url of ["/api/repositories", "/api/agents"])
    expect((await server.inject({ url, headers: AS_CLI })).json(), url).toMatchObject({
      code: "internal.bug",
    });
});

test("the console's hashed files are kept for ever, its pages are not, and nothing outside is served", async () => {
  const directory = await mkdtemp(path.join(os.tmpdir(), "miyabi-console-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const webDir = path.join(directory, "dist");
  const { server } = await createApiFixture({ webDir });
  const get = (url: string) => server.inject({ url, headers: LOCAL });
  expect((await get("/")).body).toContain("npm run build");
  await mkdir(path.join(webDir, "assets"), { recursive: true });
  await writeFile(path.join(webDir, "index.html"), "<!doctype html><p>console</p>");
  await writeFile(path.join(webDir, "assets", "app-Abcd1234.js"), "export {};");
  await writeFile(path.join(directory, "secret.txt"), "secret");
  for (const url of ["/", "/tasks", "/tasks/T1?tab=diff"]) {
    const answer = await get(url);
    expect(answer.body, url).toContain("console");
    expect(answer.headers["cache-control"], url).toBe("no-cache");
  }
  const asset = await get("/assets/app-Abcd1234.js");
  expect(asset.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
  expect(asset.headers["content-type"]).toContain("javascript");
  for (const url of [
    "/../secret.txt",
    "/%2e%2e/secret.txt",
    "/assets/..%2f..%2fsecret.txt",
    "/assets/none.js",
  ]) {
    const answer = await get(url);
    expect(answer.body, url).not.toContain("secret\n");
    expect(answer.body, url).not.toBe("secret");
    expect([403, 404, 422], url).toContain(answer.statusCode);
  }
});

test("a missing file is not remembered, and a wrong method is told the right ones", async () => {
  const { server } = await createApiFixture();
  const missing = await server.inject({ url: "/assets/gone-Abcd1234.js", headers: LOCAL });
  expect(missing.statusCode).toBe(404);
  expect(missing.headers["cache-control"]).toBe("no-store");
  const wrong = await server.inject({ method: "DELETE", url: "/api/tasks", headers: AS_CLI });
  expect(wrong.json()).toMatchObject({ status: 405, code: "api.method_not_allowed" });
  expect(wrong.headers["allow"]).toBe("GET, POST");
});

test("every answer carries the security headers, errors and files included", async () => {
  const { server } = await createApiFixture();
  for (const url of ["/", "/healthz", "/api/nothing", "/api/docs", "/api/whoami"]) {
    const { headers } = await server.inject({ url, headers: LOCAL });
    expect(headers["content-security-policy"], url).toContain("default-src 'none'");
    expect(headers["content-security-policy"], url).not.toMatch(/script-src[^;]*unsafe/);
    expect(headers, url).toMatchObject({ "x-content-type-options": "nosniff", "x-frame-options": "DENY" });
  }
});

test("health is public and says 503 when a part is down; metrics need a caller", async () => {
  let healthy = true;
  const { server } = await createApiFixture({ healthy: () => healthy });
  expect((await server.inject({ url: "/healthz", headers: LOCAL })).statusCode).toBe(200);
  healthy = false;
  expect((await server.inject({ url: "/healthz", headers: LOCAL })).statusCode).toBe(503);
  const { body, headers } = await server.inject({ url: "/metrics", headers: AS_CLI });
  expect(headers["content-type"]).toContain("text/plain");
  expect(body).toContain("miyabi_tasks 1");
  expect(body).toMatch(
    /miyabi_http_request_duration_seconds_count\{method="GET",route="\/healthz",status="5xx"\} 1/,
  );
  expect(body).toContain("miyabi_event_loop_lag_seconds");
});

test("the documentation describes every route and runs under the content security policy", async () => {
  const { server } = await createApiFixture();
  const page = await server.inject({ url: "/api/docs", headers: AS_CLI });
  expect(page.body).not.toMatch(/<script>|onclick=|style=/);
  for (const [, file = ""] of page.body.matchAll(/(?:src|href)="(\/api\/docs\/[^"]+)"/g)) {
    const answer = await server.inject({ url: file, headers: AS_CLI });
    expect(answer.statusCode, file).toBe(200);
    expect(answer.headers["content-type"], file).toMatch(file.endsWith(".css") ? /css/ : /javascript/);
  }
  const { json } = await server.inject({ url: "/api/docs/json", headers: AS_CLI });
  const { paths } = json<{ paths: Record<string, Record<string, unknown>> }>();
  for (const [name, route] of Object.entries(ROUTES))
    expect(paths[route.path.replace(/:(\w+)/g, "{$1}")]?.[route.method.toLowerCase()], name).toMatchObject({
      operationId: name,
      "x-permission": route.permission,
    });
  expect(JSON.stringify(paths)).toContain("repositoryPath");
});

test("a taken port is named with who holds it and the setting to change", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void other.close());
  const address = other.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const { server } = await createApiFixture();
  await expect(listen(server, { host: "127.0.0.1", port })).rejects.toMatchObject({
    code: "port.taken",
    message: expect.stringMatching(
      new RegExp(`Port ${port} on 127.0.0.1 is in use by .+ \\(pid ${process.pid}\\)`),
    ) as string,
    fix: expect.stringContaining("port:") as string,
    details: { field: "port", value: port },
  });
});
