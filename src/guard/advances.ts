import type { Clock, Random } from "../base/index.ts";
import type { Queryable } from "../store/index.ts";
import type { BudgetLimit, Reservation } from "./budget.ts";

/**
 * Reserves for many calls at once, so that a call need not wait for the database: what this process has taken ahead it
 * hands out by itself. What is out is reserved in the database all the while, so no limit holds any less.
 */
export interface Advances {
  /** False: nothing can be taken ahead, as a budget is nearly used up; the call is to be reserved by itself. */
  take(reservation: Reservation): Promise<boolean>;
  /** Gives back what a call has that was not made. False: it has nothing of an advance. */
  release(call: string): boolean;
  /** The advance that a call was given of; null: none. */
  idOf(call: string): string | null;
  /** A call was charged, and its advance in the database is smaller by that. */
  settled(call: string, micros: number): void;
  /** Ids that must be renewed. */
  ids(): readonly string[];
  /** They were renewed by a statement that was sent at that time. */
  renewed(ids: ReadonlySet<string>, sentMs: number): void;
  /** Takes those out that nobody has used for a while, or all without open calls; gives their ids, to be released. */
  dropIdle(all: boolean): readonly string[];
}

interface AdvancesParams {
  readonly database: Queryable;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly random: Pick<Random, "uuid">;
  readonly leaseMs: number;
}

interface Advance {
  readonly id: string;
  readonly limits: readonly BudgetLimit[];
  /** In the database, as far as we know. */
  heldMicros: number;
  /** Of it, with calls. */
  outMicros: number;
  /** What calls wait for. */
  wantedMicros: number;
  growing: Promise<boolean> | null;
  openCalls: number;
  usedMs: number;
  /** Until then it can be relied on; others may release it afterwards. */
  validUntilMs: number;
  /** Until then it is not asked for more. */
  restsUntilMs: number;
}

/** Most that is taken ahead: a part of what is left, so that little is held back from others, and so many calls' worth. */
const SHARE = 0.05;
const CALLS_AHEAD = 64;
/** After a refusal. */
const REST_MS = 1_000;
const IDLE_MS = 10_000;
/** Share of the lease in which we rely on it. */
const RELIED_ON = 0.9;

export function createAdvances(params: Readonly<AdvancesParams>): Advances {
  const { database, clock } = params;
  const advances = new Map<string, Advance>();
  /** Callers keep their lists of limits. */
  const keys = new WeakMap<readonly BudgetLimit[], string>();
  const open = new Map<string, { readonly advance: Advance; readonly micros: number }>();

  const advanceFor = (limits: readonly BudgetLimit[]): Advance => {
    const key = keys.get(limits) ?? limits.map((one) => `${one.account} ${one.limitMicros}`).join("\n");
    keys.set(limits, key);
    const known = advances.get(key);
    if (known !== undefined && (known.heldMicros === 0 || known.validUntilMs > clock.monotonicMs()))
      return known;
    const advance: Advance = {
      id: params.random.uuid(),
      limits,
      heldMicros: 0,
      outMicros: 0,
      wantedMicros: 0,
      growing: null,
      openCalls: 0,
      usedMs: 0,
      validUntilMs: 0,
      restsUntilMs: 0,
    };
    advances.set(key, advance);
    return advance;
  };

  const grow = async (advance: Advance, leastMicros: number): Promise<boolean> => {
    // Those that ask in the same moment are asked for together.
    await Promise.resolve();
    const most = advance.wantedMicros + CALLS_AHEAD * leastMicros;
    advance.wantedMicros = 0;
    const sentMs = clock.monotonicMs();
    const { rows } = await database.query<{ granted: number }>(
      "select miyabi.advance_budgets($1, $2::jsonb, $3, $4, $5, $6)::float8 as granted",
      [
        advance.id,
        JSON.stringify(advance.limits.map((one) => ({ account: one.account, limit: one.limitMicros }))),
        most,
        leastMicros,
        SHARE,
        params.leaseMs,
      ],
    );
    const granted = rows[0]?.granted ?? 0;
    if (granted > 0) {
      advance.heldMicros += granted;
      advance.validUntilMs = sentMs + params.leaseMs * RELIED_ON;
      return true;
    }
    advance.restsUntilMs = clock.monotonicMs() + REST_MS;
    return false;
  };

  /** Near the end every micro counts: calls are let through as if there were no advance. */
  const giveFreeBack = async (advance: Advance): Promise<void> => {
    const free = advance.heldMicros - advance.outMicros;
    if (free <= 0) return;
    advance.heldMicros -= free;
    await database.query("select miyabi.shrink_advances($1::jsonb)", [
      JSON.stringify([{ advance: advance.id, micros: free }]),
    ]);
  };

  return {
    take: async ({ call, micros, limits }) => {
      if (open.has(call)) return true;
      // What costs nothing is still refused where a budget is used up, which only the database knows.
      while (micros > 0) {
        const advance = advanceFor(limits);
        const nowMs = clock.monotonicMs();
        advance.usedMs = nowMs;
        if (advance.heldMicros - advance.outMicros >= micros) {
          advance.outMicros += micros;
          advance.openCalls += 1;
          open.set(call, { advance, micros });
          return true;
        }
        if (nowMs >= advance.restsUntilMs) {
          advance.wantedMicros += micros;
          advance.growing ??= grow(advance, micros).finally(() => {
            advance.growing = null;
          });
          if (await advance.growing) continue;
        }
        await giveFreeBack(advance);
        return false;
      }
      return false;
    },
    release: (call) => {
      const known = open.get(call);
      if (known === undefined) return false;
      close(call, known);
      return true;
    },
    idOf: (call) => open.get(call)?.advance.id ?? null,
    settled: (call, micros) => {
      const known = open.get(call);
      if (known === undefined) return;
      known.advance.heldMicros = Math.max(0, known.advance.heldMicros - micros);
      close(call, known);
    },
    ids: () => [...advances.values()].map((one) => one.id),
    renewed: (ids, sentMs) => {
      for (const advance of advances.values())
        if (ids.has(advance.id)) advance.validUntilMs = sentMs + params.leaseMs * RELIED_ON;
    },
    dropIdle: (all) => {
      const nowMs = clock.monotonicMs();
      const idle = [...advances].filter(
        ([, one]) => one.openCalls === 0 && one.growing === null && (all || nowMs - one.usedMs > IDLE_MS),
      );
      for (const [key] of idle) advances.delete(key);
      return idle.map(([, one]) => one.id);
    },
  };

  function close(
    call: string,
    { advance, micros }: { readonly advance: Advance; readonly micros: number },
  ): void {
    open.delete(call);
    advance.outMicros -= micros;
    advance.openCalls -= 1;
  }
}
