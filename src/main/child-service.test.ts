import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createLog, systemClock, systemRandom, type Clock } from "../base/index.ts";
import { createChildService } from "./child-service.ts";
import { READY } from "./supervision.ts";

/** A child that writes a line at each start and then does as `then` says. */
async function setup(then: string) {
  const root = await mkdtemp(path.join(tmpdir(), "miyabi-child-"));
  const starts = path.join(root, "starts");
  const program = path.join(root, "child.mjs");
  await writeFile(
    program,
    `import { appendFileSync } from "node:fs"; appendFileSync(${JSON.stringify(starts)}, process.pid + "\\n"); ${then}`,
  );
  const pausesMs: number[] = [];
  const clock: Clock = {
    ...systemClock,
    sleep: (ms, signal) => {
      pausesMs.push(ms);
      return systemClock.sleep(Math.min(ms, 10), signal);
    },
  };
  const given: number[] = [];
  const service = createChildService({
    name: "child",
    args: [program],
    env: {},
    clock,
    random: systemRandom,
    log: createLog({ name: "test", level: "silent" }),
    onGivenUp: (code) => given.push(code),
  });
  onTestFinished(async () => {
    await service.stop();
    await rm(root, { recursive: true, force: true });
  });
  const pids = async (): Promise<number[]> =>
    (await readFile(starts, "utf8").catch(() => "")).split("\n").filter(Boolean).map(Number);
  return { service, pids, pausesMs, given };
}

test("starts a child that served again at once, however often it is killed", async () => {
  const { service, pids, pausesMs } = await setup(
    `process.send(${JSON.stringify(READY)}); setTimeout(() => process.kill(process.pid, "SIGKILL"), 20);`,
  );
  await service.start();
  await expect.poll(async () => (await pids()).length, { timeout: 15_000 }).toBeGreaterThan(6);
  expect(pausesMs).toEqual([]);
});

test("backs off from a child that ends before it serves", async () => {
  const { service, pids, pausesMs } = await setup("process.exit(1);");
  await service.start();
  await expect.poll(async () => (await pids()).length, { timeout: 15_000 }).toBeGreaterThan(6);
  expect(pausesMs.length).toBeGreaterThanOrEqual(3);
  expect(pausesMs[0]).toBeGreaterThanOrEqual(250);
});

test("gives a child up that says that something must be changed first", async () => {
  const { service, pids, given } = await setup("process.exit(78);");
  await service.start();
  await expect.poll(() => given).toEqual([78]);
  expect(await pids()).toHaveLength(1);
});
