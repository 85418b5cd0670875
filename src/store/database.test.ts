import { expect, onTestFinished, test } from "vitest";
import { silentLog, systemClock, systemRandom } from "../base/index.ts";
import { isUniqueViolation } from "./database-errors.ts";
import { createExternalPostgres } from "./database-source.ts";
import { openDatabase, type Database, type Tx } from "./database.ts";
import { createTestDatabase } from "./testing.ts";

async function setup(): Promise<{ readonly database: Database; readonly connectionUrl: string }> {
  const { database, connectionUrl } = await createTestDatabase();
  await database.query("create table entry (n int primary key, text text not null default '')");
  return { database, connectionUrl };
}

async function numbers(database: Database): Promise<readonly unknown[]> {
  const { rows } = await database.query<{ n: number }>("select n from entry order by n");
  return rows.map(({ n }) => n);
}

/** Ends this database's other connections, as a server that is killed would. */
async function cutConnections(connectionUrl: string): Promise<void> {
  const killer = openDatabase({ connectionUrl, maxConnections: 1, log: silentLog });
  await killer.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
  );
  await killer.close();
}

test("commits what a transaction did, and rolls it back when its function throws", async () => {
  const { database } = await setup();
  await database.transaction((tx) => tx.query("insert into entry values ($1)", [1]));
  const fails = database.transaction(async (tx) => {
    await tx.query("insert into entry values (2)");
    throw new Error("no");
  });
  await expect(fails).rejects.toThrow("no");
  expect(await numbers(database)).toEqual([1]);
});

test("runs a transaction again after a serialization failure", async () => {
  const { database } = await setup();
  await database.query("insert into entry values (1, '0')");
  const increment = (): Promise<unknown> =>
    database.transaction(
      async (tx) => {
        const { rows } = await tx.query<{ text: string }>("select text from entry where n = 1");
        await tx.query("update entry set text = $1 where n = 1", [String(Number(rows[0]?.text) + 1)]);
      },
      { isolation: "serializable" },
    );
  await Promise.all([increment(), increment(), increment()]);
  expect((await database.query("select text from entry")).rows).toEqual([{ text: "3" }]);
});

test("goes on with a statement that is kept prepared after its table got another column", async () => {
  const { database } = await setup();
  await database.query("insert into entry values (1, 'a')");
  const read = () => database.transaction((tx) => tx.query("select * from entry where n = $1", [1]));
  for (let n = 0; n < 6; n += 1) await read();
  const prepared = await database.transaction((tx) =>
    tx.query("select 1 from pg_prepared_statements where statement like 'select * from entry%'"),
  );
  expect(prepared.rowCount).toBe(1);
  await database.query("alter table entry add column more int");
  expect((await read()).rows).toEqual([{ n: 1, text: "a", more: null }]);
});

test("gives up on a transaction that conflicts every time", async () => {
  const { database } = await setup();
  let attempts = 0;
  const conflicts = database.transaction(async (tx) => {
    attempts += 1;
    await tx.query("do $$ begin raise exception using errcode = '40001'; end $$");
  });
  await expect(conflicts).rejects.toMatchObject({ code: "40001" });
  expect(attempts).toBe(5);
});

test("refuses to commit over a failed statement, and a transaction that is over", async () => {
  const { database } = await setup();
  let leaked: Tx | null = null;
  const swallows = database.transaction(async (tx) => {
    leaked = tx;
    await tx.query("insert into entry values (1)");
    await tx.query("insert into entry values (1)").catch(() => {});
  });
  await expect(swallows).rejects.toMatchObject({ code: "internal.bug" });
  expect(await numbers(database)).toEqual([]);
  await expect((leaked as Tx | null)?.query("select 1")).rejects.toMatchObject({ code: "internal.bug" });
});

test("tells a key that exists from other failures", async () => {
  const { database } = await setup();
  await database.query("insert into entry values (1)");
  const error: unknown = await database
    .query("insert into entry values (1)")
    .catch((caught: unknown) => caught);
  expect(isUniqueViolation(error)).toBe(true);
  expect(isUniqueViolation(error, "entry_pkey")).toBe(true);
  expect(isUniqueViolation(error, "other")).toBe(false);
});

test("several statements that fail half-way leave no transaction open for the next query", async () => {
  const { database } = await setup();
  await expect(database.query("begin; insert into entry values (1); select 1/0; commit")).rejects.toThrow();
  expect(await numbers(database)).toEqual([]);
});

test("connections that are cut make queries fail as unavailable at worst, and later ones work again", async () => {
  const { database, connectionUrl } = await setup();
  const running = database.query("select pg_sleep(30)");
  const inTransaction = database.transaction(async (tx) => {
    await tx.query("insert into entry values (1)");
    await cutConnections(connectionUrl);
    await tx.query("insert into entry values (2)");
  });
  const unavailable = { code: "database.unavailable", retryable: true };
  await Promise.all([
    expect(running).rejects.toMatchObject(unavailable),
    expect(inTransaction).rejects.toMatchObject(unavailable),
  ]);
  await database.waitUntilReady({ deadlineMs: 5_000 });
  expect(await numbers(database)).toEqual([]);
});

test("says that the outcome is unknown when the connection breaks during the commit", async () => {
  const { database, connectionUrl } = await setup();
  await database.query(`create table slow (n int, check (n > 0));
    create function wait_for_it() returns trigger language plpgsql as $$ begin perform pg_sleep(30); return null; end $$;
    create constraint trigger late after insert on slow deferrable initially deferred
      for each row execute function wait_for_it()`);
  const commits = database.transaction((tx) => tx.query("insert into slow values (1)"));
  const outcome = expect(commits).rejects.toMatchObject({
    code: "database.unavailable",
    details: { outcome: "unknown" },
  });
  const watcher = openDatabase({ connectionUrl, maxConnections: 1, log: silentLog });
  onTestFinished(() => watcher.close());
  const committing = "select 1 from pg_stat_activity where query = 'commit' and state = 'active'";
  while ((await watcher.query(committing)).rowCount === 0) await systemClock.sleep(5);
  await cutConnections(connectionUrl);
  await outcome;
});

test("a server that is not there is unavailable, and its URL is in no message", async () => {
  const url = "postgres://someone:hunter2@127.0.0.1:1/nothing";
  const database = openDatabase({ connectionUrl: url, maxConnections: 1, log: silentLog });
  onTestFinished(() => database.close());
  await expect(database.waitUntilReady({ deadlineMs: 60 })).rejects.toMatchObject({
    code: "database.unavailable",
    message: expect.not.stringContaining("hunter2") as string,
  });
  const source = createExternalPostgres({ url, clock: systemClock, startDeadlineMs: 0 });
  await expect(source.start()).rejects.toMatchObject({
    code: "database.start_failed",
    message: expect.not.stringContaining("hunter2") as string,
  });
});

test("an external server is started by waiting for it, and never stopped", async () => {
  const { connectionUrl, database } = await setup();
  const source = createExternalPostgres({ url: connectionUrl, clock: systemClock });
  await source.start();
  await source.stop();
  await source.waitForExit(AbortSignal.abort());
  expect(await numbers(database)).toEqual([]);
  const wrong = createExternalPostgres({
    url: connectionUrl.replace(/test_\w+/, "nothing"),
    clock: systemClock,
  });
  await expect(wrong.start()).rejects.toMatchObject({ details: { reason: "refused" } });
});

test("refuses queries after close, and closes twice without harm", async () => {
  const { connectionUrl } = await setup();
  const database = openDatabase({
    connectionUrl,
    maxConnections: 1,
    log: silentLog,
    clock: systemClock,
    random: systemRandom,
  });
  await database.query("select 1");
  await database.close();
  await database.close();
  await expect(database.query("select 1")).rejects.toMatchObject({ code: "database.unavailable" });
  await expect(database.transaction(() => Promise.resolve())).rejects.toMatchObject({
    code: "database.unavailable",
  });
});
