import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { silentLog, systemClock, systemRandom } from "../base/index.ts";
import type { Database } from "../store/index.ts";
import { createTestDatabase, type TestDatabase } from "../store/testing.ts";
import type { Charge } from "./budget.ts";
import { createBudgets, type Budgets } from "./budgets.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase({ maxConnections: 10 });
});
afterAll(() => db.drop());

let number = 0;
function setup(leaseMs = 60_000) {
  number += 1;
  const account = `key:K${number} day:2026-11-21`;
  const open = (): Budgets =>
    createBudgets({
      database: db.database,
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      leaseMs,
    });
  const budgets = open();
  const limits = [{ account, limitMicros: 1_000 }];
  const state = async () => {
    const { rows } = await db.database.query(
      "select spent_micros::int as spent, reserved_micros::int as reserved from miyabi.budgets where account = $1",
      [account],
    );
    return rows[0];
  };
  return { account, budgets, limits, open, state };
}
const call = (): string => systemRandom.uuid();
const settle = (budgets: Budgets, charges: readonly Charge[]) =>
  budgets.settle(charges, 0.8, {
    sql: "select id from unnest($1::uuid[]) as x (id)",
    values: [charges.map((one) => one.call)],
  });

describe("reservations", () => {
  test("100 calls at once overrun by at most one call's reservation, over two processes", async () => {
    const { budgets, open, limits, state } = setup();
    const other = open();
    const reserved = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        (index % 2 === 0 ? budgets : other).reserve({ call: call(), micros: 70, limits }),
      ),
    );
    const through = reserved.filter((one) => one.state === "reserved");
    // 15 × 70 = 1,050: the fourteenth leaves 20, so that one more gets through.
    expect(through).toHaveLength(15);
    expect(await state()).toEqual({ spent: 0, reserved: 1_050 });
    expect(reserved.filter((one) => one.state === "busy")).toHaveLength(85);
  });

  test("are charged with what it was, once, and warned of once", async () => {
    const { account, budgets, limits, state } = setup();
    const first = call();
    await budgets.reserve({ call: first, micros: 900, limits });
    expect(await settle(budgets, [{ call: first, micros: 300, limits }])).toEqual([]);
    expect(await state()).toEqual({ spent: 300, reserved: 0 });
    const second = call();
    await budgets.reserve({ call: second, micros: 10, limits });
    expect(await settle(budgets, [{ call: second, micros: 500, limits }])).toEqual([
      { account, spentMicros: 800 },
    ]);
    const third = call();
    await budgets.reserve({ call: third, micros: 10, limits });
    expect(await settle(budgets, [{ call: third, micros: 250, limits }])).toEqual([]);
    expect(await budgets.reserve({ call: call(), micros: 1, limits })).toEqual({
      state: "exhausted",
      account,
      spentMicros: 1_050,
    });
  });

  test("hold for all accounts of a call or for none", async () => {
    const { budgets, limits, state, account } = setup();
    const full = { account: `${account} full`, limitMicros: 0 };
    expect(await budgets.reserve({ call: call(), micros: 10, limits: [...limits, full] })).toMatchObject({
      state: "exhausted",
      account: full.account,
    });
    expect(await state()).toEqual({ spent: 0, reserved: 0 });
  });

  test("made twice count once, and given back are free", async () => {
    const { budgets, limits, state } = setup();
    const one = { call: call(), micros: 400, limits };
    await budgets.reserve(one);
    await budgets.reserve(one);
    expect(await state()).toEqual({ spent: 0, reserved: 400 });
    await budgets.release(one.call);
    await budgets.release(one.call);
    expect(await state()).toEqual({ spent: 0, reserved: 0 });
  });

  test("of a dead process are free after the lease; those of a living one stay", async () => {
    const { open, limits, state } = setup();
    const dead = open();
    await dead.reserve({ call: call(), micros: 400, limits });
    await db.database.query("update miyabi.budget_reservations set expires_at = now() - interval '1 second'");
    const alive = open();
    await alive.reserve({ call: call(), micros: 100, limits });
    await db.database.query(
      "update miyabi.budget_reservations set expires_at = now() - interval '1 second' where micros = 100",
    );
    // Its own are renewed before the dead ones are released.
    await alive.tick();
    expect(await state()).toEqual({ spent: 0, reserved: 100 });
  });

  test("of many accounts in any order never lock one another out", async () => {
    const { budgets, open, account } = setup();
    const other = open();
    const limitsOf = (index: number) =>
      [0, 1, 2]
        .map((part) => ({ account: `${account} ${(index * (part + 1)) % 5}`, limitMicros: 1e9 }))
        .filter((one, at, all) => all.findIndex((two) => two.account === one.account) === at);
    await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const id = call();
        const limits = limitsOf(index);
        const through = index % 2 === 0 ? budgets : other;
        await through.reserve({ call: id, micros: 5, limits });
        await settle(through, [{ call: id, micros: 3, limits }]);
      }),
    );
    await Promise.all([budgets.stop(), other.stop()]);
    const { rows } = await db.database.query(
      "select sum(reserved_micros)::int as reserved from miyabi.budgets where account like $1 || ' %'",
      [account],
    );
    expect(rows[0]).toEqual({ reserved: 0 });
  });
});

describe("while a budget has plenty left", () => {
  function plenty(leaseMs?: number) {
    const all = setup(leaseMs);
    let statements = 0;
    const counting: Database = {
      ...db.database,
      query: (sql, values) => {
        statements += 1;
        return db.database.query(sql, values);
      },
    };
    const budgets = createBudgets({
      database: counting,
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      ...(leaseMs === undefined ? {} : { leaseMs }),
    });
    const limits = [{ account: all.account, limitMicros: 100_000 }];
    return { ...all, budgets, limits, statements: () => statements };
  }

  test("calls are given of what was reserved ahead, and it is reserved in the database all the while", async () => {
    const { budgets, limits, state, statements } = plenty();
    const calls = Array.from({ length: 20 }, () => call());
    for (const one of calls)
      expect(await budgets.reserve({ call: one, micros: 50, limits })).toEqual({ state: "reserved" });
    expect(statements()).toBe(1);
    const ahead = 50 + 64 * 50;
    expect(await state()).toEqual({ spent: 0, reserved: ahead });
    const charges = calls.map((one) => ({ call: one, micros: 30, limits }));
    await settle(budgets, charges);
    expect(await state()).toEqual({ spent: 600, reserved: ahead - 600 });
    await budgets.stop();
    expect(await state()).toEqual({ spent: 600, reserved: 0 });
  });

  test("calls at once are asked for together", async () => {
    const { budgets, limits, state, statements } = plenty();
    await Promise.all(
      Array.from({ length: 80 }, () => budgets.reserve({ call: call(), micros: 50, limits })),
    );
    expect(statements()).toBe(1);
    expect((await state())?.["reserved"]).toBeGreaterThanOrEqual(80 * 50);
  });

  test("a call that was not made leaves its part to the next", async () => {
    const { budgets, limits, statements } = plenty();
    for (let count = 0; count < 100; count += 1) {
      const one = call();
      await budgets.reserve({ call: one, micros: 50, limits });
      await budgets.release(one);
    }
    expect(statements()).toBe(1);
  });

  test("it is spent to the last micro, and overrun by one call at most, over two processes", async () => {
    const { budgets, open, limits, state } = plenty();
    const other = open();
    for (let round = 0, refused = 0; refused < 4; round += 1) {
      const through = round % 2 === 0 ? budgets : other;
      const one = call();
      const reserved = await through.reserve({ call: one, micros: 70, limits });
      if (reserved.state === "reserved") await settle(through, [{ call: one, micros: 70, limits }]);
      else {
        refused += 1;
        // What the other one holds is back as soon as it rests.
        await (round % 2 === 0 ? other : budgets).stop();
      }
    }
    const after = await state();
    expect(after?.["spent"]).toBeGreaterThanOrEqual(100_000);
    expect(after?.["spent"]).toBeLessThan(100_000 + 70);
    expect(after?.["reserved"]).toBe(0);
    expect(await budgets.reserve({ call: call(), micros: 0, limits })).toMatchObject({ state: "exhausted" });
  });

  test("what a dead process had taken ahead is free after the lease; a living one's is renewed", async () => {
    const { budgets, open, limits, state } = plenty();
    const alive = open();
    await budgets.reserve({ call: call(), micros: 50, limits });
    await alive.reserve({ call: call(), micros: 20, limits });
    await db.database.query("update miyabi.budget_reservations set expires_at = now() - interval '1 second'");
    await alive.tick();
    expect(await state()).toEqual({ spent: 0, reserved: 20 + 64 * 20 });
    await alive.stop();
  });

  test("an advance that could not be renewed in time is not relied on", async () => {
    const { budgets, limits, statements } = plenty(50);
    await budgets.reserve({ call: call(), micros: 50, limits });
    await systemClock.sleep(60);
    await budgets.reserve({ call: call(), micros: 50, limits });
    expect(statements()).toBe(2);
  });

  test("calls that were recorded before are not charged again", async () => {
    const { budgets, limits, state } = plenty();
    const charges = [call(), call()].map((one) => ({ call: one, micros: 30, limits }));
    for (const one of charges) await budgets.reserve({ ...one, micros: 50 });
    const record = { sql: "select id from unnest($1::uuid[]) as x (id)", values: [[charges[0]?.call]] };
    await budgets.settle(charges, 0.8, record);
    expect(await state()).toEqual({ spent: 30, reserved: 50 + 64 * 50 - 30 });
  });

  test("a changed limit holds at once", async () => {
    const { budgets, limits, account } = plenty();
    const one = call();
    await budgets.reserve({ call: one, micros: 900, limits });
    await settle(budgets, [{ call: one, micros: 900, limits }]);
    const lower = [{ account, limitMicros: 800 }];
    expect(await budgets.reserve({ call: call(), micros: 10, limits: lower })).toMatchObject({
      state: "exhausted",
    });
  });
});
