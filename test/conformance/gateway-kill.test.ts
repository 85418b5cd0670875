import { fork, type ChildProcess } from "node:child_process";
import path from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { systemRandom } from "../../src/base/index.ts";
import { createTestDatabase } from "../../src/store/testing.ts";
import { createBudgets } from "../../src/guard/index.ts";
import { createGateway, gatewaySettings } from "../../src/gateway/index.ts";
import { silentLog, systemClock } from "../../src/base/index.ts";
import { startFaultyUpstream } from "../support/faulty-upstream.ts";
import { ask, keyTerms } from "../support/gateway-under-test.ts";

const CLIENTS = 20;
const KILLS = 4;

test("a gateway that is killed under load loses no settled cost, doubles none, and its reservations are freed", async () => {
  const db = await createTestDatabase();
  const upstream = await startFaultyUpstream();
  onTestFinished(() => upstream.close());
  const settings = {
    providers: { openai: { baseUrl: upstream.origin } },
    prices: { "gpt-5": { input: 10, output: 100 } },
  };
  const { key, view } = await createKey();

  for (let kill = 0; kill < KILLS; kill += 1) {
    const { child, url } = await start();
    const seen = upstream.calls.length;
    let over = false;
    const clients = Array.from({ length: CLIENTS }, async () => {
      while (!over)
        await ask(
          url,
          "/v1/chat/completions",
          { model: "gpt-5", max_tokens: 50 },
          { authorization: `Bearer ${key}` },
        ).catch(() => (over = true));
    });
    // Somewhere in the middle of it, at another place each time.
    await vi.waitUntil(() => upstream.calls.length > seen + 60 + Math.floor(systemRandom.fraction() * 100), {
      timeout: 20_000,
      interval: 1,
    });
    child.kill("SIGKILL");
    over = true;
    await Promise.all(clients);
    // The database may still be at the last statement of the dead process.
    await vi.waitFor(async () =>
      expect(await books()).toMatchObject({ spent: await charged(), reserved: await openReservations() }),
    );
  }

  const { rows } = await db.database.query<{ calls: number; distinct: number }>(
    "select count(*)::int as calls, count(distinct id)::int as distinct from miyabi.model_calls",
  );
  expect(rows[0]?.calls).toBe(rows[0]?.distinct);
  expect(rows[0]?.calls).toBeGreaterThan(KILLS * 20);
  expect(rows[0]?.calls).toBeLessThanOrEqual(upstream.calls.length);

  // The lease of what the dead ones reserved runs out.
  await db.database.query("update miyabi.budget_reservations set expires_at = now() - interval '1 second'");
  await createBudgets({
    database: db.database,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  }).tick();
  expect(await books()).toEqual({ spent: await charged(), reserved: 0 });

  async function start(): Promise<{ child: ChildProcess; url: string }> {
    const child = fork(
      path.join(import.meta.dirname, "../support/gateway-process.ts"),
      [db.connectionUrl, JSON.stringify(settings)],
      { stdio: ["ignore", "ignore", "inherit", "ipc"] },
    );
    onTestFinished(() => void child.kill("SIGKILL"));
    const url = await new Promise<string>((resolve, reject) => {
      child.once("message", (message) => resolve((message as { url: string }).url));
      child.once("exit", () => reject(new Error("the gateway did not start")));
    });
    return { child, url };
  }

  async function createKey() {
    const gateway = createGateway({
      settings: () => gatewaySettings.parse(settings),
      readSecret: () => undefined,
      identifyRun: async () => null,
      identityFile: "/nonexistent",
      database: db.database,
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      requestLog: silentLog,
    });
    const budgets = { dayMicros: null, monthMicros: 1_000_000_000, taskMicros: null };
    return gateway.keys.create(keyTerms({ budgets }), "test");
  }

  async function books() {
    const found = await db.database.query(
      "select spent_micros::int as spent, reserved_micros::int as reserved from miyabi.budgets where account like $1",
      [`key:${view.id} %`],
    );
    return found.rows[0];
  }
  async function charged() {
    const found = await db.database.query<{ sum: number }>(
      "select coalesce(sum(charged_micros), 0)::int as sum from miyabi.model_calls",
    );
    return found.rows[0]?.sum;
  }
  async function openReservations() {
    const found = await db.database.query<{ sum: number }>(
      "select coalesce(sum(micros), 0)::int as sum from miyabi.budget_reservations",
    );
    return found.rows[0]?.sum;
  }
});
