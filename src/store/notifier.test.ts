import { expect, onTestFinished, test, vi } from "vitest";
import { silentLog, systemClock, systemRandom } from "../base/index.ts";
import { createNotifier, notify, type Notification, type Notifier } from "./notifier.ts";
import { createTestDatabase, type TestDatabase } from "./testing.ts";

const WAIT = { timeout: 10_000, interval: 5 };

async function setup(): Promise<TestDatabase & { readonly notifier: Notifier }> {
  const test = await createTestDatabase();
  const notifier = createNotifier({
    connectionUrl: test.connectionUrl,
    log: silentLog,
    clock: systemClock,
    random: systemRandom,
  });
  onTestFinished(() => notifier.stop());
  return { ...test, notifier };
}

test("tells subscribers what a transaction announced once it commits, and nothing when it does not", async () => {
  const { database, notifier } = await setup();
  const heard: Notification[] = [];
  notifier.subscribe("task", (notification) => heard.push(notification));
  await notifier.start();
  const announce = (payload: string, fails: boolean): Promise<void> =>
    database.transaction(async (tx) => {
      await notify(tx, "task", payload);
      if (fails) throw new Error("no");
    });
  await expect(announce("lost", true)).rejects.toThrow("no");
  await announce("kept", false);
  await vi.waitFor(() => expect(heard).toEqual([{ kind: "notified", payload: "kept" }]), WAIT);
});

test("hears a channel that is subscribed while it runs, and no channel that was left", async () => {
  const { database, notifier } = await setup();
  await notifier.start();
  const left = vi.fn();
  notifier.subscribe("task", left)();
  const stays = vi.fn();
  notifier.subscribe("task", stays);
  await vi.waitFor(async () => {
    await notify(database, "task", "");
    expect(stays).toHaveBeenCalledWith({ kind: "notified", payload: "" });
  }, WAIT);
  expect(left).not.toHaveBeenCalled();
});

test("reconnects after its connection was cut, tells every handler once that it may have missed something", async () => {
  const { database, notifier } = await setup();
  const heard: Notification[] = [];
  notifier.subscribe("task", (notification) => heard.push(notification));
  await notifier.start();
  await database.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'miyabi-notifier' and datname = current_database()",
  );
  await vi.waitFor(() => expect(heard).toEqual([{ kind: "missed" }]), WAIT);
  await notify(database, "task", "after");
  await vi.waitFor(
    () => expect(heard).toEqual([{ kind: "missed" }, { kind: "notified", payload: "after" }]),
    WAIT,
  );
});

test("starts while the server is away, and stops and starts in any order", async () => {
  const notifier = createNotifier({
    connectionUrl: "postgres://miyabi@127.0.0.1:1/nothing",
    log: silentLog,
    clock: systemClock,
    random: systemRandom,
  });
  await notifier.stop();
  await notifier.start();
  await notifier.start();
  await notifier.stop();
  await notifier.stop();
  expect(() => notifier.subscribe("Not a channel", () => {})).toThrow("channel");
});
