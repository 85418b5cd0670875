import { expect, test } from "vitest";
import { AS_CLI, createApiFixture } from "./api-fixture.ts";

async function setup() {
  const fixture = await createApiFixture({
    handlers: {
      whoAmI: ({ caller }) => Promise.resolve({ ...caller, permissions: [...caller.permissions] }),
      shutDown: () => Promise.resolve({ stopping: true }),
    },
    hosts: ["miyabi.example"],
  });
  const { code } = await fixture.sessions.createLoginCode({
    name: "browser",
    permissions: ["view", "admin"],
  });
  const { token } = await fixture.sessions.redeem(code);
  return { ...fixture, cookie: `other=1; miyabi_session_8000=${token}` };
}

test("only names of this server are answered, whatever the port", async () => {
  const { server } = await setup();
  const cases: readonly (readonly [host: string, status: number])[] = [
    ["localhost", 200],
    ["LOCALHOST:8000", 200],
    ["127.0.0.1:9", 200],
    ["[::1]:8000", 200],
    ["localhost.:8000", 200],
    ["miyabi.example", 200],
    ["miyabi.example:443", 200],
    ["evil.example", 403],
    ["localhost.evil.example", 403],
    ["localhost@evil.example", 403],
    ["127.0.0.1.evil.example:8000", 403],
    ["127.0.0.2", 403],
    ["[::2]", 403],
  ];
  for (const [host, status] of cases) {
    const answer = await server.inject({ url: "/api/whoami", headers: { ...AS_CLI, host } });
    expect(answer.statusCode, host).toBe(status);
    if (status === 403)
      expect(answer.json()).toMatchObject({ code: "api.origin", details: { field: "host" } });
  }
  // Files and health too: a rebinding page learns nothing at all.
  for (const url of ["/", "/healthz", "/nothing"])
    expect((await server.inject({ url, headers: { host: "evil.example" } })).statusCode, url).toBe(403);
});

test("writes and upgrades of foreign pages are refused, with or without a cookie", async () => {
  const { server, cookie } = await setup();
  const post = (headers: Record<string, string>) =>
    server.inject({ method: "POST", url: "/api/shutdown", headers: { host: "localhost:8000", ...headers } });
  expect((await post({ cookie, origin: "http://localhost:8000" })).statusCode).toBe(202);
  for (const origin of [
    "http://evil.example",
    "http://localhost:3000",
    "http://localhost",
    "null",
    "file://",
    "http://127.0.0.1:8000",
  ])
    expect((await post({ cookie, origin })).json(), origin).toMatchObject({
      code: "api.origin",
      status: 403,
    });
  // A cookie without an origin: only where the browser says that the page is ours.
  expect((await post({ cookie })).statusCode).toBe(403);
  expect((await post({ cookie, "sec-fetch-site": "same-site" })).statusCode).toBe(403);
  expect((await post({ cookie, "sec-fetch-site": "same-origin" })).statusCode).toBe(202);
  expect((await post({ authorization: AS_CLI.authorization })).statusCode).toBe(202);
  const upgrade = await server.inject({
    url: "/api/whoami",
    headers: { ...AS_CLI, origin: "http://evil.example", upgrade: "websocket", connection: "upgrade" },
  });
  expect(upgrade.statusCode).toBe(403);
});

test("the token must be the whole token, and a wrong one is not helped by a cookie", async () => {
  const { server, cookie } = await setup();
  const ask = async (headers: Record<string, string>) =>
    (await server.inject({ url: "/api/whoami", headers: { host: "localhost:8000", ...headers } })).json<
      Record<string, unknown>
    >();
  expect(await ask(AS_CLI)).toMatchObject({ name: "cli", via: "token" });
  expect(await ask({ cookie })).toMatchObject({ name: "browser", via: "cookie" });
  for (const authorization of [
    "Bearer cli-token",
    "Bearer ",
    "Basic Y2xpOg==",
    `Bearer ${AS_CLI.authorization}`,
  ])
    expect(await ask({ authorization })).toMatchObject({ code: "api.unauthenticated" });
  expect(await ask({ authorization: "Bearer wrong", cookie })).toMatchObject({ code: "api.unauthenticated" });
  // The cookie of an installation on another port of the same name is not ours.
  expect(await ask({ cookie, host: "localhost:8001" })).toMatchObject({ code: "api.unauthenticated" });
});

test("a login link signs in once, with a cookie that scripts and other sites cannot use", async () => {
  const { server, sessions } = await setup();
  const { code, expiresAt } = await sessions.createLoginCode({ name: "browser", permissions: ["view"] });
  expect(expiresAt.getTime() - Date.now()).toBeGreaterThan(9 * 60_000);
  const login = (body: unknown) =>
    server.inject({
      method: "POST",
      url: "/api/login",
      headers: {
        host: "localhost:8000",
        origin: "http://localhost:8000",
        "content-type": "application/json",
      },
      payload: JSON.stringify(body),
    });
  const answer = await login({ code });
  expect(answer.statusCode).toBe(200);
  const cookie = String(answer.headers["set-cookie"]);
  expect(cookie).toMatch(/^miyabi_session_8000=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Expires=/);
  const headers = { host: "localhost:8000", cookie: cookie.split(";")[0] ?? "" };
  expect((await server.inject({ url: "/api/whoami", headers })).json()).toMatchObject({ name: "browser" });
  expect((await login({ code })).json()).toMatchObject({ code: "api.unauthenticated", status: 401 });
  const logout = await server.inject({
    method: "POST",
    url: "/api/logout",
    headers: { ...headers, origin: "http://localhost:8000" },
  });
  expect(logout.json()).toEqual({ signedIn: false });
  expect(String(logout.headers["set-cookie"])).toContain("miyabi_session_8000=; ");
  expect((await server.inject({ url: "/api/whoami", headers })).statusCode).toBe(401);
  for (const body of [{}, { code: "short" }, { code: 1 }, null, { code, extra: 1 }]) {
    const refused = await login(body);
    expect(refused.statusCode).toBe(422);
    expect(refused.body).not.toContain(code);
  }
});
