import { expect, test } from "vitest";
import { atLeast, atMost, median, percentile } from "./result.ts";

test("percentiles take the nearest rank and do not depend on the order", () => {
  const values = [5, 1, 4, 2, 3];
  expect([median(values), percentile(values, 0.99), percentile(values, 0)]).toEqual([3, 5, 1]);
  expect(values[0]).toBe(5);
  expect(() => median([])).toThrow(RangeError);
});

test("a goal is met on the boundary", () => {
  expect(atMost(2, { name: "x", value: 2, unit: "ms" }).met).toBe(true);
  expect(atLeast(2, { name: "x", value: 1.9999, unit: "ms" })).toMatchObject({ met: false });
});
