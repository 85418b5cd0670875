import { expect, test } from "vitest";
import { createCoalescer } from "./coalescer.ts";

function setup() {
  let nowMs = 0;
  const timers: { readonly at: number; readonly callback: () => void }[] = [];
  const started: number[] = [];
  const ends: (() => void)[] = [];
  const coalescer = createCoalescer({
    run: () => {
      started.push(nowMs);
      return new Promise<void>((resolve) => ends.push(resolve));
    },
    intervalMs: 250,
    longestMs: 10_000,
    now: () => nowMs,
    later: (callback, delayMs) => void timers.push({ at: nowMs + delayMs, callback }),
  });
  const advance = async (ms: number) => {
    nowMs += ms;
    for (const timer of timers.splice(0)) {
      if (timer.at <= nowMs) timer.callback();
      else timers.push(timer);
    }
    await Promise.resolve();
  };
  const end = async () => {
    for (const one of ends.splice(0)) one();
    await Promise.resolve();
    await Promise.resolve();
  };
  return { coalescer, started, advance, end };
}

test("the first touch refreshes at once, those within the interval once at its end", async () => {
  const { coalescer, started, advance, end } = setup();
  coalescer.touch("tasks");
  await end();
  coalescer.touch("tasks");
  coalescer.touch("tasks");
  await advance(249);
  expect(started).toEqual([0]);
  await advance(1);
  expect(started).toEqual([0, 250]);
});

test("a refresh that takes longer than the interval arrives though events go on, and is followed by one more", async () => {
  const { coalescer, started, advance, end } = setup();
  for (let events = 0; events < 20; events += 1) {
    coalescer.touch("tasks");
    await advance(100);
  }
  expect(started).toEqual([0]);
  await end();
  expect(started).toEqual([0, 2_000]);
  await end();
  await advance(1_000);
  expect(started).toHaveLength(2);
});

test("one that never arrives holds nothing up for long, and its late end changes nothing", async () => {
  const { coalescer, started, advance, end } = setup();
  coalescer.touch("tasks");
  await advance(10_000);
  coalescer.touch("tasks");
  expect(started).toEqual([0, 10_000]);
  coalescer.touch("tasks");
  await end();
  await advance(250);
  expect(started).toEqual([0, 10_000, 10_250]);
});

test("while held keys collect, each for one refresh", async () => {
  const { coalescer, started } = setup();
  coalescer.hold();
  coalescer.touch("tasks");
  coalescer.touch("tasks");
  expect(started).toEqual([]);
  coalescer.release();
  expect(started).toEqual([0]);
});
