import type { Queryable } from "../store/index.ts";

export interface SpanParams {
  readonly from: Date;
  readonly stepMs: number;
  readonly count: number;
}

/** Sums of the ledger for lists: one statement for many. */
export interface CostQueries {
  /** USD × 10⁻⁶ by task; null where the sum is not known exactly. A task without calls cost 0. */
  ofTasks(ids: readonly string[]): Promise<ReadonlyMap<string, number | null>>;
  ofRuns(ids: readonly string[]): Promise<ReadonlyMap<string, number | null>>;
  /** One sum for each span of `stepMs` from `from` on. */
  perSpan(params: Readonly<SpanParams>): Promise<readonly (number | null)[]>;
}

const SUM =
  "case when bool_and(usage_complete and cost_micros is not null) then sum(cost_micros)::float8 end as cost";

export function createCostQueries(db: Queryable): CostQueries {
  const by = async (
    column: "task_id" | "run_id",
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, number | null>> => {
    const { rows } = await db.query<{ id: string; cost: number | null }>(
      `select ${column} as id, ${SUM} from miyabi.model_calls where ${column} = any($1) group by 1`,
      [ids],
    );
    const known = new Map(rows.map((row) => [row.id, row.cost]));
    return new Map(ids.map((id) => [id, known.has(id) ? (known.get(id) ?? null) : 0]));
  };
  return {
    ofTasks: (ids) => by("task_id", ids),
    ofRuns: (ids) => by("run_id", ids),
    perSpan: async ({ from, stepMs, count }) => {
      const { rows } = await db.query<{ span: number; cost: number | null }>(
        `select floor(extract(epoch from started_at - $1::timestamptz) * 1000 / $2)::int as span, ${SUM}
         from miyabi.model_calls where started_at >= $1 group by 1`,
        [from, stepMs],
      );
      const known = new Map(rows.map((row) => [row.span, row.cost]));
      return Array.from({ length: count }, (_, span) => (known.has(span) ? (known.get(span) ?? null) : 0));
    },
  };
}
