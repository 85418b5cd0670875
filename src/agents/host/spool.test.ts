import { appendFile, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { sampleSpec } from "./sample-spec.ts";
import { openSlotSpool, type SlotSpool } from "./spool.ts";

const directories: string[] = [];
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const run of opened.splice(0)) await run.close();
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
});

async function setup() {
  const directory = await mkdtemp(path.join(os.tmpdir(), "miyabi-spool-"));
  directories.push(directory);
  return { directory, spool: await openSpool(directory) };
}

/** The slot's spool, closing at the end of the test whatever it opened. */
async function openSpool(directory: string): Promise<SlotSpool> {
  const spool = await openSlotSpool(path.join(directory, "kaede"));
  return {
    ...spool,
    load: async () => {
      const run = await spool.load();
      if (run !== null) opened.push(run);
      return run;
    },
    create: async (spec) => {
      const run = await spool.create(spec);
      opened.push(run);
      return run;
    },
  };
}

const item = (seq: number, text = `line ${seq}`) => ({
  type: "item" as const,
  item: { seq, at: "2026-11-21T01:02:03.000Z", body: { kind: "text" as const, text } },
});

describe("slot spool", () => {
  test("has no run before one was created", async () => {
    const { spool } = await setup();
    expect(await spool.load()).toBeNull();
  });

  test("a later host finds the run with what was not acknowledged", async () => {
    const { directory, spool } = await setup();
    const run = await spool.create(sampleSpec());
    for (const seq of [1, 2, 3]) run.record(item(seq));
    run.record({ type: "acked", seq: 2 });
    run.record({ type: "sandbox", sandbox: { initPid: 12, startTicks: "34" } });
    run.record({ type: "delivered", messageId: "m1" });
    run.record({ type: "delivered", messageId: "m1" });
    await run.sync();
    const found = await (await openSpool(directory)).load();
    expect(found?.spec).toEqual(sampleSpec());
    expect(found?.state.unacked.map((entry) => entry.seq)).toEqual([3]);
    expect(found?.state).toMatchObject({
      ackedSeq: 2,
      lastSeq: 3,
      sandboxes: [{ initPid: 12, startTicks: "34" }],
      delivered: ["m1"],
      finished: null,
    });
    expect(found?.state.recent).toHaveLength(3);
  });

  test("cuts off a line that a crash tore and goes on after it", async () => {
    const { directory, spool } = await setup();
    const run = await spool.create(sampleSpec());
    run.record(item(1));
    await run.sync();
    const journal = path.join(directory, "kaede", "run", "journal.jsonl");
    await appendFile(journal, '{"type":"item","item":{"seq":2,"at":"20');
    const second = await (await openSpool(directory)).load();
    expect(second?.state.lastSeq).toBe(1);
    second?.record(item(2));
    await second?.sync();
    const third = await (await openSpool(directory)).load();
    expect(third?.state.lastSeq).toBe(2);
  });

  test("keeps the token to itself", async () => {
    const { directory, spool } = await setup();
    await spool.create(sampleSpec());
    expect((await stat(path.join(directory, "kaede"))).mode & 0o077).toBe(0);
    expect((await stat(path.join(directory, "kaede", "run", "spec.json"))).mode & 0o077).toBe(0);
  });

  test("forgets a removed run but remembers its last words", async () => {
    const { spool } = await setup();
    const run = await spool.create(sampleSpec());
    run.record(item(1));
    await run.remove();
    await run.remove();
    run.record(item(2));
    expect(await spool.load()).toBeNull();
    expect((await spool.recent()).map((entry) => entry.seq)).toEqual([1]);
  });

  test("rewrites a grown journal without losing what still counts", async () => {
    const { directory, spool } = await setup();
    const run = await spool.create(sampleSpec());
    const text = "x".repeat(100_000);
    for (let seq = 1; seq <= 400; seq += 1) {
      run.record(item(seq, text));
      if (seq % 10 === 0) run.record({ type: "acked", seq: seq - 2 });
      if (seq % 50 === 0) await run.flush();
    }
    await run.sync();
    const again = await (await openSpool(directory)).load();
    expect(again?.state.lastSeq).toBe(400);
    expect(again?.state.unacked.map((entry) => entry.seq)).toEqual([399, 400]);
    const journal = await readFile(path.join(directory, "kaede", "run", "journal.jsonl"));
    expect(journal.length).toBeLessThan(40_000_000);
  });
});
