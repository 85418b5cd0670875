import type { Queryable } from "../store/index.ts";

/** What a virtual key was used for. */
export interface KeyUse {
  readonly keyId: string;
  /** Ever. */
  readonly lastUsedAt: Date;
  /** In the time that was looked at, as everything below. */
  readonly calls: number;
  /** USD × 10⁻⁶ of the calls whose cost is known. */
  readonly costMicros: number;
  readonly costUnknown: number;
  /** Most used first, at most five. */
  readonly models: readonly string[];
  /** Endpoints that were called: they tell which program it is. */
  readonly endpoints: readonly string[];
}

/** Use of every key that was ever used; calls are counted from `since` on. */
export async function useOfKeys(db: Queryable, since: Date): Promise<readonly KeyUse[]> {
  const { rows } = await db.query<KeyUse>(
    `select k.id as "keyId", last.at as "lastUsedAt", used.calls, used.cost as "costMicros", used.unknown as "costUnknown",
       coalesce(used.models, '{}') as models, coalesce(used.endpoints, '{}') as endpoints
     from miyabi.gateway_keys k
     cross join lateral (
       select started_at as at from miyabi.model_calls where key_id = k.id order by started_at desc limit 1) as last
     cross join lateral (
       select coalesce(sum(c.calls), 0)::int as calls, coalesce(sum(c.cost), 0)::float8 as cost,
         coalesce(sum(c.unknown), 0)::int as unknown,
         (array_agg(c.model order by c.calls desc) filter (where c.model is not null))[1:5] as models,
         array_agg(distinct c.endpoint) filter (where c.endpoint is not null) as endpoints
       from (
         select model, endpoint, count(*) as calls, sum(cost_micros) as cost, count(*) filter (where cost_micros is null) as unknown
         from miyabi.model_calls where key_id = k.id and started_at >= $1 group by 1, 2) as c) as used`,
    [since],
  );
  return rows.map((row) => ({ ...row, models: [...new Set(row.models)] }));
}

/** How calls of a model at a provider went. */
export interface ModelHealth {
  readonly provider: string;
  readonly model: string | null;
  readonly calls: number;
  /** Those that brought no answer or half of one. */
  readonly failed: number;
  readonly firstByteP50Ms: number | null;
  readonly lastAt: Date;
  readonly lastFailedAt: Date | null;
  readonly lastError: string | null;
}

/** How the calls since then went, by provider and model, most called first; those from our cache are left out. */
export async function healthOfModels(db: Queryable, since: Date): Promise<readonly ModelHealth[]> {
  const { rows } = await db.query<ModelHealth>(
    `select provider, model, count(*)::int as calls, count(*) filter (where failed)::int as failed,
       percentile_disc(0.5) within group (order by first_byte_ms) as "firstByteP50Ms", max(started_at) as "lastAt",
       max(started_at) filter (where failed) as "lastFailedAt",
       (array_agg(error order by started_at desc) filter (where failed and error is not null))[1] as "lastError"
     from (
       select *, outcome in ('failed', 'cut') as failed from miyabi.model_calls
       where started_at >= $1 and attempts > 0 and provider <> 'none') as c
     group by 1, 2 order by 3 desc, 1, 2 limit 500`,
    [since],
  );
  return rows;
}
