import { describe, expect, test, vi } from "vitest";
import { createSeededRandom, silentLog, systemClock } from "../base/index.ts";
import { modelCall } from "../../test/support/model-call.ts";
import { createLedgerWriter } from "./ledger-writer.ts";

const call = (id: string) => modelCall({ id });

function setup(stopDeadlineMs = 5_000) {
  const written: string[][] = [];
  const aside: string[] = [];
  let failures = 0;
  const writer = createLedgerWriter({
    insert: async (calls) => {
      if (failures > 0) {
        failures -= 1;
        throw new Error("away");
      }
      if (calls.some(({ id }) => id.startsWith("bad"))) throw new RangeError("refused");
      written.push(calls.map(({ id }) => id));
    },
    isRefused: (error) => error instanceof RangeError,
    setAside: async ({ id }, reason) => void aside.push(`${id}: ${reason}`),
    clock: systemClock,
    random: createSeededRandom(1),
    log: silentLog,
    stopDeadlineMs,
  });
  return { writer, written, aside, failNext: (times: number) => void (failures = times) };
}

describe("the ledger writer", () => {
  test("writes at once and groups what comes meanwhile", async () => {
    const { writer, written } = setup();
    for (const id of ["a", "b", "c"]) writer.add(call(id));
    await writer.flushed();
    expect(written).toEqual([["a"], ["b", "c"]]);
  });

  test("repeats a failed write with the same rows, in order, and loses nothing on stop", async () => {
    const { writer, written, failNext } = setup();
    failNext(2);
    for (const id of ["a", "b"]) writer.add(call(id));
    await writer.stop();
    await writer.stop();
    expect(written.flat()).toEqual(["a", "b"]);
    writer.add(call("c"));
    await vi.waitUntil(() => written.length === 3);
  });

  test("a row that is refused is set aside, and all others are written in their order", async () => {
    const { writer, written, aside, failNext } = setup();
    const ids = Array.from({ length: 100 }, (_, index) =>
      index === 37 || index === 38 ? `bad${index}` : `${index}`,
    );
    failNext(1);
    for (const id of ids) writer.add(call(id));
    await writer.flushed();
    expect(aside).toEqual(["bad37: refused", "bad38: refused"]);
    expect(written.flat()).toEqual(ids.filter((id) => !id.startsWith("bad")));
  });

  test("stop gives up at its deadline and room ends when too much waits", async () => {
    const { writer, written, failNext } = setup(50);
    failNext(Number.POSITIVE_INFINITY);
    for (let index = 0; index < 20_000; index += 1) writer.add(call(String(index)));
    expect(writer.hasRoom()).toBe(false);
    await writer.stop();
    expect(written).toEqual([]);
  });
});
