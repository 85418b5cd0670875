import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { silentLog } from "../base/index.ts";
import type { Database } from "./database.ts";
import { migrate, type MigrateResult } from "./migrate.ts";
import { createTestDatabase } from "./testing.ts";

interface Setup {
  readonly database: Database;
  write(file: string, sql: string): Promise<void>;
  remove(file: string): Promise<void>;
  run(): Promise<MigrateResult>;
}

async function setup(): Promise<Setup> {
  const { database } = await createTestDatabase();
  await database.query("drop schema miyabi cascade");
  const directory = await mkdtemp(path.join(os.tmpdir(), "miyabi-migrations-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return {
    database,
    write: (file, sql) => writeFile(path.join(directory, file), sql),
    remove: (file) => rm(path.join(directory, file)),
    run: () => migrate({ database, log: silentLog, directory }),
  };
}

test("applies files in their order, once, also when several processes do it at the same time", async () => {
  const { database, write, run } = await setup();
  await write("0002_second.sql", "insert into miyabi.fact values (2);");
  await write("0001_first.sql", "create table miyabi.fact (n int); insert into miyabi.fact values (1);");
  const results = await Promise.all([run(), run(), run()]);
  expect(results.flatMap(({ applied }) => applied).sort()).toEqual(["0001_first", "0002_second"]);
  expect(await run()).toEqual({ applied: [] });
  expect((await database.query("select n from miyabi.fact order by n")).rows).toEqual([{ n: 1 }, { n: 2 }]);
});

test("a file that fails leaves nothing behind but what came before it", async () => {
  const { database, write, run } = await setup();
  await write("0001_first.sql", "create table miyabi.fact (n int);");
  await write("0002_second.sql", "insert into miyabi.fact values (2); select 1/0;");
  await expect(run()).rejects.toThrow("division by zero");
  expect((await database.query("select n from miyabi.fact")).rows).toEqual([]);
  await write("0002_second.sql", "insert into miyabi.fact values (2);");
  expect(await run()).toEqual({ applied: ["0002_second"] });
});

test("refuses an applied file that changed or is gone, and a database that is newer", async () => {
  const { write, remove, run } = await setup();
  await write("0001_first.sql", "select 1;");
  await write("0002_second.sql", "select 2;");
  await run();
  await write("0001_first.sql", "select 11;");
  await expect(run()).rejects.toMatchObject({
    code: "database.migration_changed",
    details: { migration: "0001_first" },
  });
  await remove("0001_first.sql");
  await expect(run()).rejects.toMatchObject({ code: "database.migration_changed" });
  await write("0001_first.sql", "select 1;");
  await remove("0002_second.sql");
  await expect(run()).rejects.toMatchObject({
    code: "database.newer",
    details: { migration: "0002_second" },
  });
});

test("refuses file names without a number, and a number used twice", async () => {
  const { write, remove, run } = await setup();
  await write("first.sql", "");
  await expect(run()).rejects.toMatchObject({ code: "internal.bug" });
  await remove("first.sql");
  await write("0001_first.sql", "");
  await write("0001_other.sql", "");
  await expect(run()).rejects.toMatchObject({ code: "internal.bug" });
});
