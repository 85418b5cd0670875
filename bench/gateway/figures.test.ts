import { expect, test } from "vitest";
import { resultsOf, tableOf, type Figure } from "./figures.ts";

const FIGURES: readonly Figure[] = [
  { name: "added p50", unit: "ms", values: { nginx: 0.1, ours: 0.4 }, goal: { atMost: 0.5 } },
  { name: "requests/s", unit: "1/s", values: { direct: 9_000, ours: 4_000 }, goal: { atLeast: 5_000 } },
];

test("every peer has a result, and ours a goal", () => {
  expect(resultsOf(FIGURES)).toEqual([
    { name: "nginx: added p50", value: 0.1, unit: "ms", goal: null, met: null },
    { name: "ours: added p50", value: 0.4, unit: "ms", goal: 0.5, met: true },
    { name: "direct: requests/s", value: 9_000, unit: "1/s", goal: null, met: null },
    { name: "ours: requests/s", value: 4_000, unit: "1/s", goal: 5_000, met: false },
  ]);
});

test("the table has the peers side by side", () => {
  expect(tableOf(FIGURES)).toBe(
    `            direct  nginx  portkey  ours       goal
added p50        –    0.1        –   0.4  ms   ≤ 0.5   met
requests/s    9000      –        –  4000  1/s  ≥ 5000  MISSED
`,
  );
});
