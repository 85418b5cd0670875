import { expect, test } from "vitest";
import { createTestDatabase } from "../store/testing.ts";
import { eventsAfter, eventsOfTask, lastEventId } from "./events.ts";

test("ids are ordered as numbers, not as text", async () => {
  const { database } = await createTestDatabase();
  const ids = ["8-9", "9-2", "9-10", "10-1", "100-11", "100-12"];
  for (const id of [...ids].reverse()) {
    const [xid, number] = id.split("-");
    await database.query(
      `insert into miyabi.events (id, xid, type, task_id) overriding system value
       values ($1::bigint, $2::xid8, 'system.changed', 'T1')`,
      [number, xid],
    );
  }
  const read = async (after: string | null, limit: number) =>
    (await eventsAfter(database, after, limit)).map((event) => event.id);
  expect(await read(null, 100)).toEqual(ids);
  expect(await read("9-2", 2)).toEqual(["9-10", "10-1"]);
  expect(await read("100-12", 2)).toEqual([]);
  expect(await lastEventId(database)).toBe("100-12");
  expect((await eventsOfTask(database, "T1", "12", 3)).map((event) => event.id)).toEqual([
    "100-11",
    "9-10",
    "8-9",
  ]);
});
