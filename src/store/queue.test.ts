import { expect, test, onTestFinished, vi } from "vitest";
import { silentLog, systemClock, systemRandom } from "../base/index.ts";
import { createNotifier } from "./notifier.ts";
import { createQueue, type Queue } from "./queue.ts";
import { createTestDatabase, type TestDatabase } from "./testing.ts";

interface Jobs extends Readonly<Record<string, object>> {
  readonly mail: { readonly to: string };
  readonly dead_mail: { readonly to: string };
}

const WAIT = { timeout: 10_000, interval: 5 };

async function setup(): Promise<TestDatabase & { readonly queue: Queue<Jobs> }> {
  const test = await createTestDatabase();
  const deps = { log: silentLog, clock: systemClock, random: systemRandom };
  const notifier = createNotifier({ ...deps, connectionUrl: test.connectionUrl });
  const queue = createQueue<Jobs>({
    ...deps,
    database: test.database,
    notifier,
    queues: { mail: { retryLimit: 1, deadLetter: "dead_mail" }, dead_mail: {} },
  });
  await Promise.all([notifier.start(), queue.start()]);
  onTestFinished(async () => {
    await queue.stop();
    await notifier.stop();
  });
  return { ...test, queue };
}

const send = (to: string): { queue: "mail"; data: { to: string } } => ({ queue: "mail", data: { to } });

test("a job and the state that belongs to it commit together or not at all", async () => {
  const { database, queue } = await setup();
  await database.query("create table note (text text)");
  const work = async (fails: boolean): Promise<void> =>
    database.transaction(async (tx) => {
      await tx.query("insert into note values ('sent')");
      await queue.send(tx, send("kaede"));
      if (fails) throw new Error("no");
    });
  await expect(work(true)).rejects.toThrow("no");
  expect(await queue.fetch(database, { queue: "mail", limit: 9 })).toEqual([]);
  expect((await database.query("select * from note")).rows).toEqual([]);
  await work(false);
  expect(await queue.fetch(database, { queue: "mail", limit: 9 })).toMatchObject([{ data: { to: "kaede" } }]);
  expect((await database.query("select * from note")).rows).toHaveLength(1);
});

test("a job that was fetched in a transaction is back when that rolls back, and gone when it completed there", async () => {
  const { database, queue } = await setup();
  await queue.send(database, send("kaede"));
  const take = async (fails: boolean): Promise<void> =>
    database.transaction(async (tx) => {
      const jobs = await queue.fetch(tx, { queue: "mail", limit: 1 });
      expect(jobs).toHaveLength(1);
      expect(await queue.complete(tx, "mail", jobs)).toBe(1);
      if (fails) throw new Error("no");
    });
  await expect(take(true)).rejects.toThrow("no");
  await take(false);
  expect(await queue.fetch(database, { queue: "mail", limit: 1 })).toEqual([]);
});

test("gives jobs by priority, and skips those that are not due", async () => {
  const { database, queue } = await setup();
  await queue.send(database, { ...send("first"), priority: 3 });
  await queue.sendBatch(database, "mail", [
    { data: { to: "later" }, startAfter: 3_600, priority: 9 },
    { data: { to: "urgent" }, priority: 5 },
    { data: { to: "last" } },
  ]);
  const jobs = await queue.fetch(database, { queue: "mail", limit: 9 });
  expect(jobs.map(({ data }) => data.to)).toEqual(["urgent", "first", "last"]);
});

test("takes a job with the same id once, and changes or removes waiting jobs by their key", async () => {
  const { database, queue } = await setup();
  const id = systemRandom.uuid();
  expect(await queue.send(database, { ...send("a"), id, singletonKey: "a" })).toBe(id);
  expect(await queue.send(database, { ...send("again"), id })).toBeNull();
  await queue.send(database, { ...send("b"), singletonKey: "b" });
  expect(await queue.reschedule(database, { queue: "mail", singletonKey: "b", priority: 7 })).toBe(1);
  expect((await queue.fetch(database, { queue: "mail", limit: 1 }))[0]?.data.to).toBe("b");
  expect(await queue.removeWaiting(database, "mail", "b")).toBe(0);
  expect(await queue.removeWaiting(database, "mail", "a")).toBe(1);
  expect(await queue.remove(database, "mail", [id])).toBe(0);
});

test("a failed job is retried and then goes to the dead letter queue; a late worker settles nothing", async () => {
  const { database, queue } = await setup();
  await queue.send(database, send("nobody"));
  const first = await queue.fetch(database, { queue: "mail", limit: 1 });
  expect(await queue.fail(database, "mail", first, "no such person")).toBe(1);
  const second = await queue.fetch(database, { queue: "mail", limit: 1 });
  expect(second).toMatchObject([{ id: first[0]?.id, retryCount: 1 }]);
  expect(await queue.complete(database, "mail", first)).toBe(0);
  expect(await queue.fail(database, "mail", second, "no such person")).toBe(1);
  expect(await queue.fetch(database, { queue: "dead_mail", limit: 1 })).toMatchObject([
    { data: { to: "nobody" } },
  ]);
});

test("wakes the consumers of a queue when a job is committed", async () => {
  const { database, queue } = await setup();
  const wake = vi.fn();
  const other = vi.fn();
  queue.onJobs("mail", wake);
  queue.onJobs("dead_mail", other);
  // Both are told once that the channel is heard only from now on.
  await vi.waitFor(() => expect([wake.mock.calls, other.mock.calls]).toEqual([[[]], [[]]]), WAIT);
  other.mockClear();
  await queue.send(database, send("kaede"));
  await vi.waitFor(() => expect(wake).toHaveBeenCalledTimes(2), WAIT);
  expect(other).not.toHaveBeenCalled();
});

test("creates its queues again without harm, also from two processes at once, and refuses calls when stopped", async () => {
  const { database, queue } = await setup();
  const again = createQueue<Jobs>({
    database,
    notifier: createNotifier({ connectionUrl: "", log: silentLog, clock: systemClock, random: systemRandom }),
    queues: { mail: {}, dead_mail: {} },
    log: silentLog,
  });
  await Promise.all([again.start(), again.start()]);
  await again.stop();
  await again.stop();
  await expect(again.send(database, send("a"))).rejects.toMatchObject({ code: "database.unavailable" });
  await queue.start();
  expect(await queue.send(database, send("a"))).not.toBeNull();
});
