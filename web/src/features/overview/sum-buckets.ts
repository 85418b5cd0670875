import type { StatusView } from "../../../../src/contract/index.ts";

export interface ThroughputTotal {
  readonly merged: number;
  readonly failed: number;
  /** Sum of the known costs; null where none is known. */
  readonly costMicros: number | null;
}

/** Totals of a range. */
export function sumBuckets(buckets: StatusView["throughput"]): ThroughputTotal {
  const known = buckets.map(({ costMicros }) => costMicros).filter((cost) => cost !== null);
  return {
    merged: buckets.reduce((sum, { merged }) => sum + merged, 0),
    failed: buckets.reduce((sum, { failed }) => sum + failed, 0),
    costMicros: known.length === 0 ? null : known.reduce((sum, cost) => sum + cost, 0),
  };
}
