import { expect, test } from "vitest";
import { createTestDatabase } from "./testing.ts";

test("commits what a transaction did, and rolls it back when its function throws", async () => {
  const { database } = await createTestDatabase();
  await database.query("create table entry (n int primary key)");
  await database.transaction((tx) => tx.query("insert into entry values ($1)", [1]));
  await expect(
    database.transaction(async (tx) => {
      await tx.query("insert into entry values (2)");
      throw new Error("no");
    }),
  ).rejects.toThrow("no");
  expect((await database.query("select n from entry")).rows).toEqual([{ n: 1 }]);
});
