import { expect, test } from "vitest";
import { gainOf } from "./heap.ts";

test("what is seen gains what a line through it gains, however it swings", () => {
  expect(gainOf([100, 100, 100])).toBe(0);
  expect(gainOf([100, 110, 120, 130])).toBeCloseTo(30);
  expect(gainOf([90, 110, 90, 110, 90])).toBeCloseTo(0);
  expect(gainOf([100])).toBe(0);
});
