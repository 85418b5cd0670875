import { expect, test } from "vitest";
import { gatewaySettings } from "../settings.ts";
import { limitsOf } from "./budget-limits.ts";
import { runCaller } from "./run-callers.ts";

const AT = new Date("2026-11-21T00:00:00Z");
const limits = (budgetMicros: number | null, taskUsd: number | null) =>
  limitsOf(
    runCaller({ runId: "R1", taskId: "T1", budgetMicros }, false),
    gatewaySettings.parse({ budgets: { taskUsd } }).budgets,
    AT,
  ).map(({ account, limitMicros }) => [account, limitMicros]);

test("a task's own budget takes the place of the one that the settings give every task", () => {
  expect(limits(null, 2)).toEqual([["task:T1", 2_000_000]]);
  expect(limits(5_000_000, 2)).toEqual([["task:T1", 5_000_000]]);
  expect(limits(5_000_000, null)).toEqual([["task:T1", 5_000_000]]);
  expect(limits(null, null)).toEqual([]);
});
