import { AppError } from "../base/index.ts";
import type { Queryable } from "../store/index.ts";
import { filterLedger, type LedgerFilter } from "./ledger-filter.ts";
import type { FailedTry } from "./pipeline/call.ts";
import type { UsedPrice } from "./price.ts";
import type { CallOutcome } from "./relay/answer.ts";

/** A call as lists show it. Names are those of `ModelCall`. */
export interface LedgerEntry {
  readonly id: string;
  readonly startedAt: Date;
  readonly caller: string | null;
  readonly keyId: string | null;
  readonly team: string | null;
  readonly taskId: string | null;
  readonly runId: string | null;
  readonly provider: string;
  readonly endpoint: string;
  readonly askedModel: string | null;
  readonly model: string | null;
  readonly status: number | null;
  readonly outcome: CallOutcome;
  readonly error: string | null;
  readonly tokensIn: number | null;
  readonly tokensOut: number | null;
  readonly tokensCacheRead: number | null;
  readonly tokensCacheWrite: number | null;
  readonly tokensReasoning: number | null;
  readonly costMicros: number | null;
  readonly usageComplete: boolean;
  readonly firstByteMs: number | null;
  readonly totalMs: number;
  readonly attempts: number;
  /** Tries that brought nothing and targets that were passed over, in order. */
  readonly tried: readonly FailedTry[];
  readonly cache: "hit" | "miss" | "joined" | null;
  /** Size out / size in; null: it was not to be trimmed. */
  readonly compressRatio: number | null;
  /** At the beginning the same as in the request before it; null: it was not to be trimmed. */
  readonly prefixStableTokens: number | null;
  /** How much of the meaning trimming has left, 0 to 1; null: not measured, or not yet. */
  readonly retention: number | null;
  /** Name of the chain that the call is a step of, and of the step; null: of none. */
  readonly chain: string | null;
  readonly chainStep: string | null;
  /** The call that the caller made. */
  readonly chainOf: string | null;
  /** That the cost was worked out with; null: none was known. */
  readonly price: UsedPrice | null;
}

export interface ListCallsParams {
  readonly filter: LedgerFilter;
  readonly limit: number;
  readonly cursor: string | null;
}

const CURSOR = /^(\d{4}-\d{2}-\d{2}T[\d:.]+Z) ([0-9a-f-]{36})$/;

const COLUMNS = `id, started_at as "startedAt", caller, key_id as "keyId", team, task_id as "taskId", run_id as "runId",
  provider, endpoint, asked_model as "askedModel", model, status, outcome, error, tokens_in::float8 as "tokensIn",
  tokens_out::float8 as "tokensOut", tokens_cache_read::float8 as "tokensCacheRead",
  tokens_cache_write::float8 as "tokensCacheWrite", tokens_reasoning::float8 as "tokensReasoning",
  cost_micros::float8 as "costMicros", usage_complete as "usageComplete", first_byte_ms as "firstByteMs",
  total_ms as "totalMs", attempts, cache, compress_ratio as "compressRatio",
  prefix_stable_tokens::float8 as "prefixStableTokens", retention, chain, chain_step as "chainStep", chain_of as "chainOf",
  coalesce(tried, '[]') as tried, price`;

/** One call; null: the ledger has none of this id. */
export async function findCall(database: Queryable, id: string): Promise<LedgerEntry | null> {
  const { rows } = await database.query<LedgerEntry>(
    `select ${COLUMNS} from miyabi.model_calls where id = $1`,
    [id],
  );
  return rows[0] ?? null;
}

/** A page of the ledger, newest first. @throws input.invalid for a cursor that is none of ours */
export async function listCalls(
  database: Queryable,
  params: Readonly<ListCallsParams>,
): Promise<{ readonly items: readonly LedgerEntry[]; readonly nextCursor: string | null }> {
  const [, before, beforeId] = params.cursor === null ? [] : (CURSOR.exec(params.cursor) ?? []);
  if (params.cursor !== null && before === undefined)
    throw new AppError({
      code: "input.invalid",
      message: "cursor: it is not one of this list.",
      details: { field: "cursor" },
    });
  const { condition, values } = filterLedger(params.filter, 4);
  const { rows } = await database.query<LedgerEntry & { readonly at: string }>(
    `select ${COLUMNS},
       to_char(started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at
     from miyabi.model_calls
     where ($1::timestamptz is null or (started_at, id) < ($1::timestamptz, $2::uuid))
       and ${condition}
     order by started_at desc, id desc limit $3`,
    [before ?? null, beforeId ?? null, params.limit, ...values],
  );
  const last = rows.length === params.limit ? rows.at(-1) : undefined;
  return {
    items: rows.map(({ at: _at, ...entry }) => entry),
    nextCursor: last === undefined ? null : `${last.at} ${last.id}`,
  };
}
