import { beforeEach, expect, test } from "vitest";
import { setupTasks, type TasksBundle } from "../tasks-fixture.ts";
import { createRunService, type RunService } from "../run-service.ts";
import { systemRandom } from "../../base/index.ts";
import { joinMachines } from "./machines.ts";

let bundle: TasksBundle;
beforeEach(async () => {
  bundle = await setupTasks();
});

const join = (identity: string) =>
  joinMachines({
    database: bundle.database,
    identity,
    computer: "Web-1.example.com",
    directory: `/srv/${identity}`,
  });

/** Two machines, each with one agent that has been connected. */
async function two(): Promise<{ readonly first: RunService; readonly second: RunService }> {
  const machines = [await join("a"), await join("b")];
  const [first, second] = machines.map((machine) =>
    createRunService({ ...bundle, random: systemRandom, machine: machine.name }),
  );
  await bundle.database.query(
    "insert into miyabi.slots (slot, machine) values ('kaede', 'web-1'), ('kaede-web-1-2', 'web-1-2')",
  );
  if (first === undefined || second === undefined) throw new Error("there are two");
  return { first, second };
}

const claim = (runs: RunService, slot: string) => runs.claim({ slot, queues: ["code"], leaseMs: 60_000 });
const forget = (name: string) =>
  bundle.database.query("update miyabi.machines set seen_at = now() - interval '1 minute' where name = $1", [
    name,
  ]);
const hosted = () => bundle.database.query("update miyabi.repositories set remote = '{}', machine = null");
const expire = () =>
  bundle.database.query("update miyabi.runs set lease_expires_at = now() - interval '1 second'");

test("a data directory keeps its name; the agents of all but the first carry it", async () => {
  expect(await join("a")).toEqual({ name: "web-1", suffix: "" });
  expect(await join("b")).toEqual({ name: "web-1-2", suffix: "web-1-2" });
  expect(await join("a")).toEqual({ name: "web-1", suffix: "" });
});

test("two that join at once get different names", async () => {
  const names = (await Promise.all(["a", "b", "c", "d"].map(join))).map(({ name }) => name);
  expect(new Set(names).size).toBe(4);
});

test("a local repository's run goes to the machine where that lies, also when the other one asks first", async () => {
  const { first, second } = await two();
  await bundle.add();
  await join("a");
  expect(await claim(second, "kaede-web-1-2")).toBe(null);
  await forget("web-1");
  expect(await claim(second, "kaede-web-1-2")).toBe(null);
  expect(await claim(first, "kaede")).toMatchObject({ taskId: "T1" });
});

test("a hosted task stays on its machine as long as that lives", async () => {
  const { first, second } = await two();
  await bundle.add();
  await hosted();
  const begun = await claim(first, "kaede");
  if (begun === null) throw new Error("nothing was due");
  await first.lose(begun, { code: "host.died", message: "", params: {}, fix: null });
  expect(await claim(second, "kaede-web-1-2")).toBe(null);
  await forget("web-1");
  // What was left to it need not wait for it.
  expect(await claim(second, "kaede-web-1-2")).toMatchObject({ taskId: "T1", attempt: 2 });
});

test("a lease that ran out is the business of its machine, and of the others when that is gone", async () => {
  const { first, second } = await two();
  await bundle.add();
  await hosted();
  await claim(first, "kaede");
  await expire();
  expect(await first.expired()).toMatchObject([{ runId: "R1", elsewhere: null }]);
  expect(await second.expired()).toEqual([]);
  await forget("web-1");
  expect(await second.expired()).toMatchObject([{ runId: "R1", elsewhere: "web-1" }]);
});

test("a machine that starts gives time to its own hosts only", async () => {
  const { first, second } = await two();
  await bundle.add();
  await hosted();
  await claim(first, "kaede");
  await expire();
  await second.extendAll(60_000);
  expect(await first.expired()).toHaveLength(1);
  await first.extendAll(60_000);
  expect(await first.expired()).toEqual([]);
});
