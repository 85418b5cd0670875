import type { Clock } from "../base/index.ts";
import type { BudgetLimit, Budgets, RecordStatement, Warned } from "../guard/index.ts";
import { isRefusedData, type Database } from "../store/index.ts";
import type { ChainStep, FailedTry, Trimmed } from "./pipeline/call.ts";
import type { UsedPrice } from "./price.ts";
import type { CallOutcome } from "./relay/answer.ts";
import type { TokenUsage } from "./usage/usage.ts";

/** One model call, as the ledger keeps it. */
export interface ModelCall {
  /** UUID; writing the same call again changes nothing. */
  readonly id: string;
  /** Of the virtual key; null: a run's own. */
  readonly keyId: string | null;
  /** For people, e.g. `run R12`. */
  readonly caller: string;
  readonly team: string | null;
  readonly runId: string | null;
  readonly taskId: string | null;
  readonly provider: string;
  readonly endpoint: string;
  /** Model as the caller named it. */
  readonly asked: string | null;
  /** As the provider named it in its answer, else as it was asked for. */
  readonly model: string | null;
  readonly status: number | null;
  readonly usage: Omit<TokenUsage, "cacheWriteHour" | "webSearches">;
  /** False where the call ended before the provider named its usage. */
  readonly usageComplete: boolean;
  readonly price: UsedPrice | null;
  /** USD × 10⁻⁶; null: unknown; a lower bound where `usageComplete` is false. */
  readonly costMicros: number | null;
  readonly firstByteMs: number | null;
  readonly totalMs: number;
  /** Tries at providers; 0: answered from the cache. */
  readonly attempts: number;
  /** Those before the last one, and targets that were passed over. */
  readonly failedTries: readonly FailedTry[];
  readonly cache: "hit" | "miss" | "joined" | null;
  /** Null: it was not to be trimmed. */
  readonly trimmed: Trimmed | null;
  readonly chain: ChainStep | null;
  /** What its budgets are charged with: the cost where it is known, else what it may have been. USD × 10⁻⁶. */
  readonly chargedMicros: number | null;
  /** Budgets that hold for the call; empty: none. */
  readonly limits: readonly BudgetLimit[];
  readonly outcome: CallOutcome;
  readonly error: string | null;
  readonly startedAt: Date;
}

export interface CostSum {
  readonly calls: number;
  /** USD × 10⁻⁶ of the calls whose cost is known. */
  readonly knownMicros: number;
  /** The sum where it is exact; null where the cost of a call is unknown or only a lower bound of it is known. */
  readonly costMicros: number | null;
  /** Calls whose cost is unknown, or known only as a lower bound. */
  readonly unknownCalls: number;
  /** Known tokens; null where no call named any. */
  readonly tokensIn: number | null;
  readonly tokensOut: number | null;
}

/**
 * Writes calls and charges their budgets in one statement; those written before are left alone and not charged again,
 * so it may be repeated after an unknown outcome. A call whose run or task is gone keeps its cost without them. Gives the
 * budgets that have passed `warnAt` of their limit by it.
 */
export function writeCalls(
  database: Database,
  budgets: Pick<Budgets, "settle">,
  calls: readonly ModelCall[],
  warnAt: number,
): Promise<readonly Warned[]> {
  return writeAndCharge(database, budgets, calls, warnAt, recordOf(calls));
}

/**
 * Keeps a call that the ledger's table refuses beside it, and charges its budgets; where they cannot be charged with it
 * either, what it had reserved is given back. Repeating it changes nothing.
 */
export async function setCallAside(
  database: Database,
  budgets: Pick<Budgets, "settle" | "release">,
  call: ModelCall,
  reason: string,
  warnAt: number,
): Promise<readonly Warned[]> {
  const record = (charged: boolean): RecordStatement => ({
    sql: SET_ASIDE,
    values: [call.id, storable(JSON.stringify(call)), storable(reason), charged],
  });
  try {
    return await writeAndCharge(database, budgets, [call], warnAt, record(true));
  } catch (error) {
    if (!isRefusedData(error)) throw error;
    await database.query(SET_ASIDE, record(false).values);
    await budgets.release(call.id);
    return [];
  }
}

const SET_ASIDE = `
  insert into miyabi.model_calls_set_aside (id, call, reason, charged) values ($1::uuid, $2::text, $3::text, $4::boolean)
  on conflict (id) do nothing returning id`;

async function writeAndCharge(
  database: Database,
  budgets: Pick<Budgets, "settle">,
  calls: readonly ModelCall[],
  warnAt: number,
  record: RecordStatement,
): Promise<readonly Warned[]> {
  const charges = calls
    .filter((call) => call.limits.length > 0)
    .map((call) => ({ call: call.id, micros: call.chargedMicros ?? 0, limits: call.limits }));
  if (charges.length > 0) return budgets.settle(charges, warnAt, record);
  await database.query(record.sql, record.values);
  return [];
}

/** Gives the ids of those that were not there before. */
function recordOf(calls: readonly ModelCall[]): RecordStatement {
  const rows = calls.map((call) => ({
    id: call.id,
    key_id: call.keyId,
    caller: storable(call.caller),
    team: storable(call.team),
    asked: storable(call.asked),
    attempts: call.attempts,
    tried:
      call.failedTries.length === 0
        ? null
        : call.failedTries.map((one) => ({ ...one, model: storable(one.model), error: storable(one.error) })),
    cache: call.cache,
    compress_ratio: call.trimmed?.compressRatio ?? null,
    prefix_stable_tokens: call.trimmed?.prefixStableTokens ?? null,
    chain: call.chain?.name ?? null,
    chain_step: call.chain?.step ?? null,
    chain_of: call.chain?.of ?? null,
    charged_micros: call.chargedMicros,
    run_id: call.runId,
    task_id: call.taskId,
    provider: call.provider,
    endpoint: call.endpoint,
    model: storable(call.model),
    status: call.status,
    tokens_in: call.usage.input,
    tokens_out: call.usage.output,
    tokens_cache_read: call.usage.cacheRead,
    tokens_cache_write: call.usage.cacheWrite,
    tokens_reasoning: call.usage.reasoning,
    usage_complete: call.usageComplete,
    price: call.price === null ? null : { ...call.price, model: storable(call.price.model) },
    cost_micros: call.costMicros,
    first_byte_ms: call.firstByteMs === null ? null : Math.round(call.firstByteMs),
    total_ms: Math.round(call.totalMs),
    outcome: call.outcome,
    error: storable(call.error),
    started_at: call.startedAt.toISOString(),
  }));
  return { sql: INSERT, values: [JSON.stringify(rows)] };
}

/** What callers and providers name may hold characters that PostgreSQL does not take; one such row would hold up all others. */
export function storable(text: string | null): string | null {
  return text === null ? null : text.toWellFormed().replaceAll("\0", "\uFFFD");
}

const INSERT = `
  insert into miyabi.model_calls (id, run_id, task_id, provider, endpoint, model, status, tokens_in, tokens_out,
       tokens_cache_read, tokens_cache_write, tokens_reasoning, usage_complete, price, cost_micros, first_byte_ms,
       total_ms, outcome, error, started_at,
       key_id, caller, team, asked_model, attempts, cache, charged_micros, compress_ratio, prefix_stable_tokens,
       chain, chain_step, chain_of, tried)
     select c.id, r.id, t.id, c.provider, c.endpoint, c.model, c.status, c.tokens_in, c.tokens_out,
       c.tokens_cache_read, c.tokens_cache_write, c.tokens_reasoning, c.usage_complete, c.price, c.cost_micros,
       c.first_byte_ms, c.total_ms, c.outcome, c.error, c.started_at,
       c.key_id, c.caller, c.team, c.asked, c.attempts, c.cache, c.charged_micros, c.compress_ratio,
       c.prefix_stable_tokens, c.chain, c.chain_step, c.chain_of, c.tried
     from jsonb_to_recordset($1::jsonb) as c (id uuid, run_id text, task_id text, provider text, endpoint text,
       model text, status int, tokens_in bigint, tokens_out bigint, tokens_cache_read bigint,
       tokens_cache_write bigint, tokens_reasoning bigint, usage_complete boolean, price jsonb, cost_micros bigint,
       first_byte_ms int, total_ms int, outcome text, error text, started_at timestamptz,
       key_id text, caller text, team text, asked text, attempts int, cache text, charged_micros bigint,
       compress_ratio real, prefix_stable_tokens bigint,
       chain text, chain_step text, chain_of uuid, tried jsonb)
     left join miyabi.runs r on r.id = c.run_id
     left join miyabi.tasks t on t.id = c.task_id
     on conflict (id) do nothing
     returning id`;

const LATE_MS = 200;
const MOST_LOOKS = 25;

/** Adds what was measured after a call to its row, which may come a little later. */
export async function noteRetention(
  database: Database,
  clock: Pick<Clock, "sleep">,
  callId: string,
  retention: number,
): Promise<void> {
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    const { rowCount } = await database.query("update miyabi.model_calls set retention = $2 where id = $1", [
      callId,
      retention,
    ]);
    if (rowCount > 0) return;
    await clock.sleep(LATE_MS);
  }
}

export type CostOf = { readonly taskId: string } | { readonly runId: string } | { readonly since: Date };

/** Sum over the calls of a task, of a run, or since an instant. */
export async function sumCost(database: Database, of: CostOf): Promise<CostSum> {
  const [condition, value] =
    "taskId" in of
      ? ["task_id = $1", of.taskId]
      : "runId" in of
        ? ["run_id = $1", of.runId]
        : ["started_at >= $1", of.since];
  const { rows } = await database.query<{
    calls: number;
    known: number;
    unknown: number;
    tokens_in: number | null;
    tokens_out: number | null;
  }>(
    `select count(*)::int as calls,
       coalesce(sum(cost_micros), 0)::float8 as known,
       (count(*) filter (where cost_micros is null or not usage_complete))::int as unknown,
       sum(tokens_in)::float8 as tokens_in,
       sum(tokens_out)::float8 as tokens_out
     from miyabi.model_calls where ${condition}`,
    [value],
  );
  const sum = rows[0] ?? { calls: 0, known: 0, unknown: 0, tokens_in: null, tokens_out: null };
  return {
    calls: sum.calls,
    knownMicros: sum.known,
    costMicros: sum.unknown === 0 ? sum.known : null,
    unknownCalls: sum.unknown,
    tokensIn: sum.tokens_in,
    tokensOut: sum.tokens_out,
  };
}
