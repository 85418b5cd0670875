import type { Queryable } from "../store/index.ts";
import { filterLedger, type LedgerFilter } from "./ledger-filter.ts";

/** Sums over calls. */
export interface LedgerSums {
  readonly calls: number;
  /** Calls that did not end well, those that the caller ended included. */
  readonly failed: number;
  /** Calls that were answered without asking a provider. */
  readonly cacheHits: number;
  /** USD × 10⁻⁶ of the calls whose cost is known. */
  readonly costMicros: number;
  /** Calls whose cost is not known. */
  readonly costUnknown: number;
  readonly tokensIn: number;
  readonly tokensOut: number;
  /** Part of `tokensIn` that the provider had in its own cache. */
  readonly tokensCacheRead: number;
}

export interface LedgerSummary {
  readonly spans: readonly (LedgerSums & { readonly from: Date })[];
  readonly total: LedgerSums & {
    /** To the first byte of an answer; null where nothing was answered. */
    readonly firstByteP50Ms: number | null;
    readonly firstByteP95Ms: number | null;
  };
  /** What the calls of these spans name, most used first, whatever the filter: choices for one. */
  readonly models: readonly string[];
  readonly providers: readonly string[];
}

interface SummaryParams {
  readonly filter: LedgerFilter;
  readonly from: Date;
  readonly stepMs: number;
  readonly count: number;
}

const SUMS = `count(*)::int as calls, count(*) filter (where outcome <> 'ok')::int as failed,
  count(*) filter (where cache in ('hit', 'joined'))::int as "cacheHits",
  coalesce(sum(cost_micros), 0)::float8 as "costMicros", count(*) filter (where cost_micros is null)::int as "costUnknown",
  coalesce(sum(tokens_in), 0)::float8 as "tokensIn", coalesce(sum(tokens_out), 0)::float8 as "tokensOut",
  coalesce(sum(tokens_cache_read), 0)::float8 as "tokensCacheRead"`;
const NONE: LedgerSums = {
  calls: 0,
  failed: 0,
  cacheHits: 0,
  costMicros: 0,
  costUnknown: 0,
  tokensIn: 0,
  tokensOut: 0,
  tokensCacheRead: 0,
};
const MOST_CHOICES = 100;

/** Sums of the ledger, whole and for `count` spans of `stepMs` from `from` on. */
export async function summarizeCalls(
  db: Queryable,
  { filter, from, stepMs, count }: Readonly<SummaryParams>,
): Promise<LedgerSummary> {
  const { condition, values } = filterLedger({ ...filter, since: from }, 3);
  const [spans, total, models, providers] = await Promise.all([
    db.query<LedgerSums & { readonly span: number }>(
      `select floor(extract(epoch from started_at - $1::timestamptz) * 1000 / $2)::int as span, ${SUMS}
       from miyabi.model_calls where ${condition} group by 1`,
      [from, stepMs, ...values],
    ),
    db.query<LedgerSummary["total"]>(
      `select ${SUMS},
         percentile_disc(0.5) within group (order by first_byte_ms) filter (where cache is distinct from 'hit') as "firstByteP50Ms",
         percentile_disc(0.95) within group (order by first_byte_ms) filter (where cache is distinct from 'hit') as "firstByteP95Ms"
       from miyabi.model_calls where $1::timestamptz is not null and $2::float8 is not null and ${condition}`,
      [from, stepMs, ...values],
    ),
    choices(db, "model", from),
    choices(db, "provider", from),
  ]);
  const known = new Map(spans.rows.map(({ span, ...sums }) => [span, sums]));
  return {
    spans: Array.from({ length: count }, (_, span) => ({
      from: new Date(from.getTime() + span * stepMs),
      ...(known.get(span) ?? NONE),
    })),
    total: total.rows[0] ?? { ...NONE, firstByteP50Ms: null, firstByteP95Ms: null },
    models,
    providers,
  };
}

async function choices(db: Queryable, column: "model" | "provider", from: Date): Promise<readonly string[]> {
  const { rows } = await db.query<{ name: string }>(
    `select ${column} as name from miyabi.model_calls where started_at >= $1 and ${column} is not null
     group by 1 order by count(*) desc, 1 limit ${MOST_CHOICES}`,
    [from],
  );
  return rows.map(({ name }) => name);
}
