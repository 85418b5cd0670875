import { createLoop, type Clock, type Log, type Random, type Service } from "../base/index.ts";
import type { Database } from "../store/index.ts";
import { createAdvances } from "./advances.ts";
import type { Charge, Reservation } from "./budget.ts";

export type Reserved =
  | { readonly state: "reserved" }
  /** `account` has spent its limit. */
  | { readonly state: "exhausted"; readonly account: string; readonly spentMicros: number }
  /** What `account` has left is reserved by calls under way, which may turn out cheaper. */
  | { readonly state: "busy"; readonly account: string; readonly spentMicros: number };

/** SQL that records calls and gives their `id`s, of those alone that were not recorded yet. */
export interface RecordStatement {
  readonly sql: string;
  readonly values: readonly unknown[];
}

export interface Warned {
  readonly account: string;
  readonly spentMicros: number;
}

/** Budgets in the database: reserved before a call, charged after it. Any number of processes may share them. */
export interface Budgets extends Service {
  /** All limits of a call or none. Safe under any number of calls at once. @throws database.unavailable */
  reserve(reservation: Reservation): Promise<Reserved>;
  /** Gives back what a call reserved that was not made. Never rejects: what is not given back runs out by itself. */
  release(call: string): Promise<void>;
  /**
   * Records calls, charges them and ends their reservations in one statement, so that a charge and the record of the call
   * are one fact. A call that was recorded before is not charged again. Gives the accounts that have just passed `warnAt`
   * of their limit.
   */
  settle(charges: readonly Charge[], warnAt: number, record: RecordStatement): Promise<readonly Warned[]>;
  /** Renews what calls of this process have reserved, then frees what dead ones left. */
  tick(): Promise<void>;
}

interface BudgetParams {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** How long a reservation outlives a process that died. Default 60 s; renewed three times in it. */
  readonly leaseMs?: number;
}

interface Waiting {
  readonly reservation: Reservation;
  readonly resolve: (reserved: Reserved) => void;
  readonly reject: (error: unknown) => void;
}

interface ReservedRow {
  readonly call_id: string;
  readonly refused_by: string | null;
  readonly spent: number | null;
}

const LARGEST_BATCH = 500;
const LEASE_MS = 60_000;

/**
 * While a budget has plenty left, calls are given of what this process has reserved ahead, without asking the database.
 * Other reservations are gathered while one statement is under way, so that many calls at once cost few statements and a
 * single one waits for nobody. A reservation of a process that died is free again after the lease.
 */
export function createBudgets(params: Readonly<BudgetParams>): Budgets {
  const { database, clock, random, log } = params;
  const leaseMs = params.leaseMs ?? LEASE_MS;
  const open = new Set<string>();
  const advances = createAdvances({ database, clock, random, leaseMs });
  let waiting: Waiting[] = [];
  let busy = false;

  const reserveBatch = async (batch: readonly Waiting[]): Promise<void> => {
    const wishes = batch.map(({ reservation: { call, micros, limits } }) => ({
      call,
      micros,
      wants: limits.map((one) => ({ account: one.account, limit: one.limitMicros })),
    }));
    try {
      const { rows } = await database.query<ReservedRow>(
        "select call_id, refused_by, spent_micros::float8 as spent from miyabi.reserve_budgets($1::jsonb, $2)",
        [JSON.stringify(wishes), leaseMs],
      );
      const byCall = new Map(rows.map((row) => [row.call_id, row]));
      for (const { reservation, resolve } of batch) {
        const reserved = outcomeOf(reservation, byCall.get(reservation.call));
        if (reserved.state === "reserved") open.add(reservation.call);
        resolve(reserved);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  };

  const drain = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    while (waiting.length > 0) {
      const batch = waiting.slice(0, LARGEST_BATCH);
      waiting = waiting.slice(batch.length);
      await reserveBatch(batch);
    }
    busy = false;
  };

  const keep = createLoop({
    name: "budget reservations",
    intervalMs: Math.ceil(leaseMs / 3),
    clock,
    random,
    log,
    tick: async () => {
      await giveBack(advances.dropIdle(false));
      const sentMs = clock.monotonicMs();
      const ids = [...open, ...advances.ids()];
      if (ids.length > 0) {
        const { rows } = await database.query<{ call_id: string }>(
          `update miyabi.budget_reservations set expires_at = now() + $2::float8 * interval '1 millisecond'
           where call_id in (
             select call_id from miyabi.budget_reservations where call_id = any($1::uuid[]) order by 1 for update)
           returning call_id`,
          [ids, leaseMs],
        );
        advances.renewed(new Set(rows.map((row) => row.call_id)), sentMs);
      }
      await database.query(
        `select miyabi.release_budgets(array(
           select call_id from miyabi.budget_reservations where expires_at < now() limit 1000))`,
        [],
      );
    },
  });

  const giveBack = async (ids: readonly string[]): Promise<void> => {
    if (ids.length === 0) return;
    await database
      .query("select miyabi.release_budgets($1::uuid[])", [ids])
      .catch((error: unknown) => log.warn({ ids, error: String(error) }, "reservation not given back"));
  };

  return {
    ...keep,
    reserve: async (reservation) => {
      if (await advances.take(reservation)) return { state: "reserved" };
      return new Promise((resolve, reject) => {
        waiting.push({ reservation, resolve, reject });
        void drain();
      });
    },
    release: async (call) => {
      if (advances.release(call)) return;
      open.delete(call);
      await giveBack([call]);
    },
    stop: async () => {
      await keep.stop();
      await giveBack(advances.dropIdle(true));
    },
    settle: async (charges, warnAt, record) => {
      const batch = charges.map(({ call, micros, limits }) => ({
        call,
        micros,
        advance: advances.idOf(call),
        wants: limits.map((one) => ({ account: one.account, warn: Math.ceil(one.limitMicros * warnAt) })),
      }));
      const { rows } = await database.query<{ account: string; spent: number }>(
        `with written as (${record.sql})
         select account, spent_micros::float8 as spent
         from miyabi.settle_calls($${record.values.length + 1}::jsonb, array(select id from written))`,
        [...record.values, JSON.stringify(batch)],
      );
      for (const { call, micros } of charges) {
        open.delete(call);
        advances.settled(call, micros);
      }
      return rows.map((row) => ({ account: row.account, spentMicros: row.spent }));
    },
  };
}

function outcomeOf(reservation: Reservation, row: ReservedRow | undefined): Reserved {
  if (row?.refused_by == null) return { state: "reserved" };
  const spentMicros = row.spent ?? 0;
  const limit = reservation.limits.find((one) => one.account === row.refused_by);
  const exhausted = spentMicros >= (limit?.limitMicros ?? 0);
  return { state: exhausted ? "exhausted" : "busy", account: row.refused_by, spentMicros };
}
