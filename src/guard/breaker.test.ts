import { describe, expect, test } from "vitest";
import { createFakeClock } from "../base/index.ts";
import { createBreaker } from "./breaker.ts";

const setup = () => {
  const clock = createFakeClock();
  const breaker = createBreaker({ failures: 3, openMs: 1_000, maxOpenMs: 3_000, clock });
  const fail = (times: number): void => {
    for (let count = 0; count < times; count += 1) breaker.failure();
  };
  return { clock, breaker, fail };
};

describe("breaker", () => {
  test("opens after consecutive failures only", () => {
    const { breaker, fail } = setup();
    fail(2);
    breaker.success();
    fail(2);
    expect(breaker.enter().state).toBe("allowed");
    fail(1);
    expect(breaker.enter()).toEqual({ state: "open", retryAfterMs: 1_000 });
  });

  test("lets exactly one call try again, and closes when it succeeds", () => {
    const { breaker, clock, fail } = setup();
    fail(3);
    clock.advance(1_000);
    expect(breaker.enter().state).toBe("allowed");
    expect(breaker.enter().state).toBe("open");
    breaker.success();
    expect(breaker.enter().state).toBe("allowed");
    expect(breaker.state).toBe("closed");
  });

  test("stays open twice as long after each failed try, up to the longest time", () => {
    const { breaker, clock, fail } = setup();
    fail(3);
    for (const [waitMs, nextMs] of [
      [1_000, 2_000],
      [2_000, 3_000],
      [3_000, 3_000],
    ] as const) {
      clock.advance(waitMs);
      expect(breaker.enter().state).toBe("allowed");
      breaker.failure();
      expect(breaker.enter()).toEqual({ state: "open", retryAfterMs: nextMs });
    }
  });

  test("a try that is given up, or never reports, does not block for ever", () => {
    const { breaker, clock, fail } = setup();
    fail(3);
    clock.advance(1_000);
    breaker.enter();
    breaker.release();
    expect(breaker.enter().state).toBe("allowed");
    clock.advance(1_000);
    expect(breaker.enter().state).toBe("allowed");
  });

  test("failures of calls that began before it opened change nothing", () => {
    const { breaker, fail } = setup();
    fail(10);
    expect(breaker.enter()).toEqual({ state: "open", retryAfterMs: 1_000 });
  });
});
