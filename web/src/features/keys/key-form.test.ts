import { expect, test } from "vitest";
import { EMPTY_KEY, toNewKey } from "./key-form.ts";

test("an empty field is no limit, and money becomes whole micro-dollars", () => {
  expect(toNewKey({ ...EMPTY_KEY, name: " aider " })).toEqual({
    name: "aider",
    kind: "tool",
    team: null,
    taskId: null,
    models: null,
    budgetDayMicros: null,
    budgetMonthMicros: null,
    budgetTaskMicros: null,
    requestsPerMinute: null,
    tokensPerMinute: null,
    expiresAt: null,
    cache: false,
  });
  const typed = { ...EMPTY_KEY, name: "x", day: 0, month: "0.3", task: 1.1, requests: 60, models: ["gpt-*"] };
  expect(toNewKey(typed)).toMatchObject({
    budgetDayMicros: 0,
    budgetMonthMicros: 300_000,
    budgetTaskMicros: 1_100_000,
    requestsPerMinute: 60,
    models: ["gpt-*"],
  });
});

test("an end is given in the viewer's zone and sent as an instant", () => {
  const at = new Date(2026, 11, 31, 18, 30);
  expect(toNewKey({ ...EMPTY_KEY, name: "x", expires: "2026-12-31T18:30" }).expiresAt).toBe(at.toISOString());
});
