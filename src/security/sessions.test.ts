import { expect, test } from "vitest";
import { createFakeClock, systemRandom } from "../base/index.ts";
import { createTestDatabase } from "../store/testing.ts";
import { createSessions } from "./sessions.ts";

const GRANT = { name: "browser", permissions: ["view", "operate"] } as const;

async function setup(times: { codeMs?: number; sessionMs?: number } = {}) {
  const { database } = await createTestDatabase();
  const clock = createFakeClock();
  return { database, clock, sessions: createSessions({ database, random: systemRandom, clock, ...times }) };
}

test("a login code signs one browser in, once", async () => {
  const { sessions } = await setup();
  const { code } = await sessions.createLoginCode(GRANT);
  const { token } = await sessions.redeem(code);
  expect(await sessions.identify(token)).toEqual({ ...GRANT, via: "cookie" });
  await expect(sessions.redeem(code)).rejects.toMatchObject({ code: "api.unauthenticated" });
});

test("of several who use a code at the same time one is signed in", async () => {
  const { sessions } = await setup();
  const { code } = await sessions.createLoginCode(GRANT);
  const results = await Promise.allSettled(Array.from({ length: 5 }, () => sessions.redeem(code)));
  expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
});

test("a code lasts 10 minutes and a session 30 days", async () => {
  const { database, sessions } = await setup();
  const { code, expiresAt } = await sessions.createLoginCode(GRANT);
  const session = await sessions.redeem(code);
  const { rows } = await database.query<{ now: Date }>("select now()");
  const now = rows[0]?.now.getTime() ?? 0;
  expect(expiresAt.getTime() - now).toBeCloseTo(10 * 60_000, -5);
  expect(session.expiresAt.getTime() - now).toBeCloseTo(30 * 24 * 60 * 60_000, -5);
});

test("codes and sessions that are too old are worth nothing", async () => {
  const { database, sessions } = await setup();
  const { code } = await sessions.createLoginCode(GRANT);
  await database.query("update miyabi.login_codes set expires_at = now() - interval '1 s'");
  await expect(sessions.redeem(code)).rejects.toMatchObject({ code: "api.unauthenticated" });
  const { token } = await sessions.redeem((await sessions.createLoginCode(GRANT)).code);
  await database.query("update miyabi.browser_sessions set expires_at = now() - interval '1 s'");
  expect(await sessions.identify(token)).toBeNull();
});

test("a session that was ended, or never was, is nobody", async () => {
  const { sessions } = await setup();
  const { token } = await sessions.redeem((await sessions.createLoginCode(GRANT)).code);
  await sessions.end(token);
  await sessions.end(token);
  expect(await sessions.identify(token)).toBeNull();
  expect(await sessions.identify("")).toBeNull();
});

test("the database holds hashes only", async () => {
  const { database, sessions } = await setup();
  const used = await sessions.createLoginCode(GRANT);
  const open = await sessions.createLoginCode(GRANT);
  const { token } = await sessions.redeem(used.code);
  const { rows } = await database.query(
    "select to_jsonb(c) as row from miyabi.login_codes c union all select to_jsonb(s) from miyabi.browser_sessions s",
  );
  expect(rows).toHaveLength(2);
  for (const secret of [used.code, open.code, token]) expect(JSON.stringify(rows)).not.toContain(secret);
});

test("guessing is slowed down", async () => {
  const { clock, sessions } = await setup();
  const guess = () => sessions.redeem("x".repeat(43)).catch((error: unknown) => error);
  for (let n = 0; n < 20; n += 1) expect(await guess()).toMatchObject({ code: "api.unauthenticated" });
  expect(await guess()).toMatchObject({ code: "api.rate_limited" });
  clock.advance(60_000);
  expect(await guess()).toMatchObject({ code: "api.unauthenticated" });
});
