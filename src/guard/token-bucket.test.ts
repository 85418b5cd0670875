import { expect, test } from "vitest";
import { createFakeClock } from "../base/index.ts";
import { createTokenBucket } from "./token-bucket.ts";

test("allows a minute's worth at once, then the rate, and says when to come back", () => {
  const clock = createFakeClock();
  const bucket = createTokenBucket({ perMinute: 60, clock });
  for (let count = 0; count < 60; count += 1) expect(bucket.take(1).state).toBe("taken");
  expect(bucket.take(1)).toEqual({ state: "empty", retryAfterMs: 1_000 });
  clock.advance(1_000);
  expect(bucket.take(1).state).toBe("taken");
  expect(bucket.take(1).state).toBe("empty");
});

test("a single large amount is taken and paid back before the next", () => {
  const clock = createFakeClock();
  const bucket = createTokenBucket({ perMinute: 1_000, clock });
  expect(bucket.take(1_500).state).toBe("taken");
  expect(bucket.take(1)).toEqual({ state: "empty", retryAfterMs: 30_060 });
  bucket.correct(-1_400);
  expect(bucket.take(1).state).toBe("taken");
  clock.advance(600_000);
  expect(bucket.left()).toBe(1_000);
});
