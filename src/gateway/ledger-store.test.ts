import { afterAll, beforeAll, expect, test } from "vitest";
import { modelCall } from "../../test/support/model-call.ts";
import { silentLog, systemClock, systemRandom } from "../base/index.ts";
import { createBudgets } from "../guard/index.ts";
import { isRefusedData } from "../store/index.ts";
import { createTestDatabase, type TestDatabase } from "../store/testing.ts";
import { setCallAside, writeCalls } from "./ledger-store.ts";
import { createLedgerWriter } from "./ledger-writer.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.drop());

test("a row that the table refuses holds up no other, is kept beside it and charged once where that can be", async () => {
  const { database } = db;
  const on = { database, clock: systemClock, random: systemRandom, log: silentLog };
  const budgets = createBudgets(on);
  const writer = createLedgerWriter({
    ...on,
    insert: async (calls) => void (await writeCalls(database, budgets, calls, 0.8)),
    isRefused: isRefusedData,
    setAside: async (call, reason) => {
      await setCallAside(database, budgets, call, reason, 0.8);
      await setCallAside(database, budgets, call, reason, 0.8);
    },
  });
  const limits = [{ account: "key:K1 day:2026-11-21", limitMicros: 1_000_000 }];
  const calls = Array.from({ length: 50 }, () => ({
    ...modelCall({ id: systemRandom.uuid() }),
    chargedMicros: 10,
    limits,
  }));
  const tooLong = { ...modelCall({ id: systemRandom.uuid() }), totalMs: 1e12, chargedMicros: 300, limits };
  const tooDear = {
    ...modelCall({ id: systemRandom.uuid() }),
    chargedMicros: 1e30,
    limits,
    error: "odd \0 text",
  };
  calls.splice(20, 0, tooLong, tooDear);
  for (const { id } of calls) await budgets.reserve({ call: id, micros: 20, limits });
  for (const call of calls) writer.add(call);
  await writer.stop();
  await budgets.stop();
  const { rows: written } = await database.query<{ id: string }>("select id from miyabi.model_calls");
  expect(new Set(written.map(({ id }) => id))).toEqual(
    new Set(calls.filter((call) => call !== tooLong && call !== tooDear).map(({ id }) => id)),
  );
  const { rows: aside } = await database.query<{ call: string; charged: boolean; reason: string }>(
    "select call, charged, reason from miyabi.model_calls_set_aside order by charged desc",
  );
  expect(aside.map((one) => ({ ...one, call: JSON.parse(one.call) as unknown }))).toMatchObject([
    {
      call: { id: tooLong.id, chargedMicros: 300 },
      charged: true,
      reason: expect.stringContaining("out of range"),
    },
    { call: { id: tooDear.id, error: "odd \0 text" }, charged: false, reason: expect.any(String) },
  ]);
  const { rows: spent } = await database.query(
    "select spent_micros::int as spent, reserved_micros::int as reserved from miyabi.budgets",
  );
  expect(spent).toEqual([{ spent: 50 * 10 + 300, reserved: 0 }]);
});
