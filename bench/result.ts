/** One measured figure. `goal` in the same unit; null where there is none, and `met` then too. */
export interface Result {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly goal: number | null;
  readonly met: boolean | null;
}

type Figure = Readonly<{ name: string; value: number; unit: string }>;

export const atMost = (goal: number, figure: Figure): Result => ({
  ...rounded(figure),
  goal,
  met: figure.value <= goal,
});
export const atLeast = (goal: number, figure: Figure): Result => ({
  ...rounded(figure),
  goal,
  met: figure.value >= goal,
});
export const noGoal = (figure: Figure): Result => ({ ...rounded(figure), goal: null, met: null });

function rounded(figure: Figure): Figure {
  return { ...figure, value: Number(figure.value.toPrecision(4)) };
}

/** Value below which the share `quantile` of the values lies (nearest rank). @throws RangeError for no values. */
export function percentile(values: readonly number[], quantile: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(quantile * sorted.length) - 1)];
  if (value === undefined) throw new RangeError("There are no values.");
  return value;
}

export const median = (values: readonly number[]): number => percentile(values, 0.5);
