import { expect, test } from "vitest";
import { createFakeClock } from "../../base/index.ts";
import { createAlarms } from "./alarms.ts";

test("alarms ring once when their time has come, and not when cancelled", async () => {
  const clock = createFakeClock();
  const alarms = createAlarms(clock);
  const rung: string[] = [];
  alarms.set(100, () => rung.push("a"));
  const cancel = alarms.set(50, () => rung.push("b"));
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 25) {
      clock.advance(25);
      await new Promise(setImmediate);
    }
  };
  await pass(25);
  cancel();
  await pass(50);
  expect(rung).toEqual([]);
  await pass(50);
  expect(rung).toEqual(["a"]);
  alarms.set(30, () => rung.push("c"));
  await pass(100);
  expect(rung).toEqual(["a", "c"]);
});
