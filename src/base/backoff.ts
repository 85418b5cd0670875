import type { Random } from "./random.ts";

interface BackoffParams {
  /** 1 for the first retry. */
  readonly attempt: number;
  readonly baseMs: number;
  readonly maxMs: number;
  readonly random: Pick<Random, "fraction">;
}

/** Exponential back-off with jitter: between half of and all of `base · 2^(attempt−1)`, never above `maxMs`. */
export function backoffMs({ attempt, baseMs, maxMs, random }: Readonly<BackoffParams>): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(ceiling / 2 + (ceiling / 2) * random.fraction());
}
