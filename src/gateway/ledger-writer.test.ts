import { describe, expect, test, vi } from "vitest";
import { createSeededRandom, silentLog, systemClock } from "../base/index.ts";
import type { ModelCall } from "./ledger-store.ts";
import { createLedgerWriter } from "./ledger-writer.ts";
import { UNKNOWN_USAGE } from "./usage/usage.ts";

const call = (id: string): ModelCall => ({
  id,
  keyId: null,
  caller: "run R1",
  team: null,
  asked: null,
  attempts: 1,
  cache: null,
  trimmed: null,
  chain: null,
  chargedMicros: null,
  limits: [],
  runId: null,
  taskId: null,
  provider: "openai",
  endpoint: "responses",
  model: null,
  status: 200,
  usage: UNKNOWN_USAGE,
  usageComplete: true,
  price: null,
  costMicros: 0,
  firstByteMs: null,
  totalMs: 1,
  outcome: "ok",
  error: null,
  startedAt: new Date(),
});

function setup(stopDeadlineMs = 5_000) {
  const written: string[][] = [];
  let failures = 0;
  const writer = createLedgerWriter({
    insert: async (calls) => {
      if (failures > 0) {
        failures -= 1;
        throw new Error("away");
      }
      written.push(calls.map(({ id }) => id));
    },
    clock: systemClock,
    random: createSeededRandom(1),
    log: silentLog,
    stopDeadlineMs,
  });
  return { writer, written, failNext: (times: number) => void (failures = times) };
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

  test("stop gives up at its deadline and room ends when too much waits", async () => {
    const { writer, written, failNext } = setup(50);
    failNext(Number.POSITIVE_INFINITY);
    for (let index = 0; index < 20_000; index += 1) writer.add(call(String(index)));
    expect(writer.hasRoom()).toBe(false);
    await writer.stop();
    expect(written).toEqual([]);
  });
});
