import { expect, test } from "vitest";
import { AppError, silentLog, systemClock, systemRandom } from "../../base/index.ts";
import { createNotifier } from "../../store/index.ts";
import { createTestDatabase } from "../../store/testing.ts";
import { addToOutbox, claimEntry, completeEntry, syncThroughOutbox } from "./outbox-store.ts";
import { createOutboxWorker, type OutboxHandler } from "./outbox-worker.ts";

interface Post {
  readonly marker: string;
}

/** A place outside whose effects can be counted, and that can fail in every way. */
function createPlace() {
  const posts: { marker: string; target: string }[] = [];
  const settled: string[] = [];
  const givenUp: string[] = [];
  let fault: (marker: string) => "before" | "after" | "refuse" | null = () => null;
  const handler: OutboxHandler<unknown> = {
    find: (entry) => Promise.resolve(posts.find(({ marker }) => marker === entry.marker) ?? null),
    send: (entry) => {
      const what = fault(entry.marker);
      if (what === "refuse") throw new AppError({ code: "github.refused", message: "no" });
      if (what === "before")
        throw new AppError({ code: "github.unavailable", message: "away", details: { retryAfterMs: 1 } });
      posts.push({ marker: entry.marker, target: entry.target });
      if (what === "after") throw new AppError({ code: "github.unavailable", message: "reply lost" });
      return Promise.resolve({ marker: entry.marker } satisfies Post);
    },
    settle: (_tx, entry) => {
      settled.push(entry.marker);
      return Promise.resolve();
    },
    giveUp: (_tx, entry) => {
      givenUp.push(entry.marker);
      return Promise.resolve();
    },
  };
  return { posts, settled, givenUp, handler, fail: (next: typeof fault) => (fault = next) };
}

async function setup() {
  const { database, connectionUrl } = await createTestDatabase();
  const place = createPlace();
  const notifier = createNotifier({
    connectionUrl,
    log: silentLog,
    clock: systemClock,
    random: systemRandom,
  });
  const worker = createOutboxWorker({
    database,
    notifier,
    handlers: new Map([["post", place.handler]]),
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  });
  const add = (target: string): Promise<void> =>
    database.transaction((tx) => addToOutbox(tx, systemRandom, { taskId: null, kind: "post", target }));
  const due = (): Promise<unknown> =>
    database.query("update miyabi.outbox set due_at = now(), lease_expires_at = null");
  const states = async (): Promise<string[]> =>
    (await database.query<{ state: string }>("select state from miyabi.outbox order by number")).rows.map(
      (row) => row.state,
    );
  return { database, place, worker, add, due, states };
}

test("sends the entries of one target in order and each once, also with two workers", async () => {
  const { database, place, worker, add, states } = await setup();
  for (const target of ["a", "b", "a", "b", "a"]) await add(target);
  const { rows } = await database.query<{ marker: string; target: string }>(
    "select marker, target from miyabi.outbox order by number",
  );
  await Promise.all([worker.tick(), worker.tick()]);
  for (const target of ["a", "b"])
    expect(place.posts.filter((post) => post.target === target)).toEqual(
      rows.filter((row) => row.target === target),
    );
  expect(place.settled).toHaveLength(5);
  expect(await states()).toEqual(Array(5).fill("done"));
});

test("an effect whose reply was lost is found again and not repeated", async () => {
  const { place, worker, add, due, states } = await setup();
  await add("a");
  place.fail(() => "after");
  await worker.tick();
  expect(await states()).toEqual(["pending"]);
  await due();
  place.fail(() => "refuse");
  await worker.tick();
  expect(place.posts).toHaveLength(1);
  expect(place.settled).toHaveLength(1);
  expect(await states()).toEqual(["done"]);
});

test("a holder that died before or after the effect is followed by one effect", async () => {
  const { database, place, worker, add, due } = await setup();
  await add("a");
  const died = await claimEntry(database, { token: "dead", leaseMs: 60_000, kinds: ["post"] });
  await worker.tick();
  expect(place.posts).toEqual([]);
  await due();
  await worker.tick();
  expect(place.posts).toHaveLength(1);
  // It was not dead, only slow: what it says now changes nothing.
  const late = await database.transaction(async (tx) => died !== null && completeEntry(tx, died, null));
  expect(late).toBe(false);
});

test("what waits behind a failing entry of its target waits; other targets go on", async () => {
  const { database, place, worker, add, states } = await setup();
  for (const target of ["a", "a", "b"]) await add(target);
  const { rows } = await database.query<{ marker: string }>(
    "select marker from miyabi.outbox order by number limit 1",
  );
  place.fail((marker) => (marker === rows[0]?.marker ? "before" : null));
  await worker.tick();
  expect(await states()).toEqual(["pending", "pending", "done"]);
});

test("a refused effect is given up with what follows, and the next one goes on", async () => {
  const { place, worker, add, states } = await setup();
  await add("a");
  place.fail(() => "refuse");
  await worker.tick();
  expect(place.givenUp).toHaveLength(1);
  place.fail(() => null);
  await add("a");
  await worker.tick();
  expect(await states()).toEqual(["dead", "done"]);
});

test("one waiting entry stands for all changes, but one in flight does not", async () => {
  const { database, states } = await setup();
  const sync = (): Promise<void> =>
    database.transaction((tx) =>
      syncThroughOutbox(tx, systemRandom, { taskId: null, kind: "post", target: "a" }),
    );
  await sync();
  await sync();
  expect(await states()).toHaveLength(1);
  await claimEntry(database, { token: "in flight", leaseMs: 60_000, kinds: ["post"] });
  await sync();
  await sync();
  expect(await states()).toHaveLength(2);
});
