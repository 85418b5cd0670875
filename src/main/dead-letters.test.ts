import { expect, test } from "vitest";
import { silentLog, systemClock, systemRandom } from "../base/index.ts";
import { createMailboxes } from "../messages/index.ts";
import { createNotifier } from "../store/index.ts";
import { addToOutbox, createOutboxWorker, type OutboxHandler } from "../tasks/index.ts";
import { setupTasks } from "../tasks/tasks-fixture.ts";
import { createDeadLetters } from "./dead-letters.ts";

async function setup() {
  const bundle = await setupTasks();
  const { database } = bundle;
  await bundle.add();
  const letters = createDeadLetters({ database });
  const dead = async (kind: string, target: string): Promise<void> => {
    await database.transaction((tx) => addToOutbox(tx, systemRandom, { taskId: "T1", kind, target }));
    await database.query(
      "update miyabi.outbox set state = 'dead', attempts = 30, error = 'away', finished_at = now() where target = $1",
      [target],
    );
  };
  const events = async () =>
    (
      await database.query<{ task_id: string | null; data: object }>(
        "select task_id, data from miyabi.events where type = 'dead_letter.changed' order by id",
      )
    ).rows;
  return { ...bundle, letters, dead, events };
}

test("lists what was given up of all kinds, the newest first, page by page", async () => {
  const { database, letters, dead } = await setup();
  await dead("merge", "T1");
  await database.query(
    "insert into miyabi.github_deliveries (id, event, body, state, error, finished_at) values ('d-1', 'issues', 'x', 'dead', 'odd', now() + interval '1 second')",
  );
  const { id } = await createMailboxes({ database }).send({
    sender: "sakura",
    recipient: "kaede",
    taskId: "T1",
    body: "Look here.",
  });
  await database.query(
    "update miyabi.messages set state = 'dead', dead_reason = 'Not acknowledged.', delivered_at = now() - interval '1 hour' where id = $1",
    [id],
  );
  const all = await letters.list({ limit: 10 });
  expect(all.items.map((one) => [one.id, one.what, one.target, one.error])).toEqual([
    ["webhook-d-1", "issues", "delivery d-1", "odd"],
    ["outbox-1", "merge", "T1", "away"],
    ["message-M1", "sakura", "kaede", "Not acknowledged."],
  ]);
  expect(await letters.count()).toBe(3);
  const pages: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await letters.list({ limit: 1, cursor });
    pages.push(...page.items.map((one) => one.id));
    cursor = page.nextCursor;
  }
  expect(pages).toEqual(all.items.map((one) => one.id));
  expect((await letters.list({ kind: "message", limit: 10 })).items).toHaveLength(1);
  expect(await letters.get("message-M1")).toMatchObject({ content: "Look here." });
  expect(await letters.get("webhook-d-1")).toMatchObject({ content: "x" });
});

test("one that is tried again is looked for by its marker before anything is sent", async () => {
  const { db, database, letters, dead, events } = await setup();
  await dead("post", "a");
  const calls: string[] = [];
  const handler: OutboxHandler<unknown> = {
    find: () => Promise.resolve(calls.push("find")),
    send: () => Promise.resolve(calls.push("send")),
    settle: () => Promise.resolve(),
    giveUp: () => Promise.resolve(),
  };
  const deps = { log: silentLog, clock: systemClock, random: systemRandom };
  const worker = createOutboxWorker({
    ...deps,
    database,
    notifier: createNotifier({ ...deps, connectionUrl: db.connectionUrl }),
    handlers: new Map([["post", handler]]),
  });
  expect(await letters.retry("outbox-1", "Hanako")).toMatchObject({ id: "outbox-1" });
  await worker.tick();
  expect(calls).toEqual(["find"]);
  expect(await letters.count()).toBe(0);
  expect(await events()).toEqual([
    {
      task_id: "T1",
      data: { id: "outbox-1", kind: "outbox", what: "post", target: "a", action: "retried", by: "Hanako" },
    },
  ]);
});

test("of two people who handle one at once, one does, and the other is told", async () => {
  const { letters, dead, events } = await setup();
  await dead("post", "a");
  const both = await Promise.allSettled([
    letters.retry("outbox-1", "Hanako"),
    letters.discard("outbox-1", "Taro"),
  ]);
  expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(both.find(({ status }) => status === "rejected")).toMatchObject({ reason: { code: "not_found" } });
  expect(await events()).toHaveLength(1);
});

test("what is discarded is listed no more and never tried again", async () => {
  const { database, letters, dead, events } = await setup();
  await dead("post", "a");
  await letters.discard("outbox-1", "Taro");
  expect(await letters.list({ limit: 10 })).toEqual({ items: [], nextCursor: null });
  await expect(letters.retry("outbox-1", "Taro")).rejects.toMatchObject({ code: "not_found" });
  expect((await database.query("select state from miyabi.outbox")).rows).toEqual([{ state: "dead" }]);
  expect(await events()).toMatchObject([{ data: { action: "discarded", by: "Taro" } }]);
});

test("a merge of a task that has ended is not brought about late", async () => {
  const { tasks, letters, dead } = await setup();
  await dead("merge", "T1");
  await dead("progress", "progress:T1");
  await tasks.happen("T1", { type: "cancel", by: "Hanako", note: "" });
  await expect(letters.retry("outbox-1", "Hanako")).rejects.toMatchObject({ code: "conflict.state" });
  expect(await letters.retry("outbox-2", "Hanako")).toMatchObject({ what: "progress" });
});

test("a message and a delivery that are tried again start anew", async () => {
  const { database, letters } = await setup();
  const mailboxes = createMailboxes({ database });
  await mailboxes.send({ sender: "sakura", recipient: "kaede", taskId: "T1", body: "Look here." });
  await database.query(
    "update miyabi.messages set state = 'dead', attempts = 5, dead_reason = 'Not acknowledged.'",
  );
  await database.query(
    "insert into miyabi.github_deliveries (id, event, body, state, attempts) values ('d-1', 'issues', 'x', 'dead', 10)",
  );
  await letters.retry("message-M1", "Hanako");
  await letters.retry("webhook-d-1", "Hanako");
  expect(await mailboxes.take({ recipients: ["kaede"], session: "kaede", again: false })).toMatchObject([
    { id: "M1", attempts: 1 },
  ]);
  expect((await database.query("select state, attempts from miyabi.github_deliveries")).rows).toEqual([
    { state: "pending", attempts: 0 },
  ]);
});
