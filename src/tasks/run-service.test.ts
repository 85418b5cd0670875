import { expect, test } from "vitest";
import { RESULT, successOf } from "./decide-fixture.ts";
import { because } from "./reasons.ts";
import type { ClaimedRun } from "./run-service.ts";
import { setupTasks, type TasksBundle } from "./tasks-fixture.ts";

const DONE = { ...RESULT, ...successOf("implement") };
const LOST = because("lease.expired", "It was silent.");

async function claimed({ claim }: TasksBundle, queue = "code"): Promise<ClaimedRun> {
  const run = await claim(queue);
  if (run === null) throw new Error(`nothing was due in ${queue}`);
  return run;
}

async function stateOfRun({ database }: TasksBundle, runId: string): Promise<string | undefined> {
  const { rows } = await database.query<{ state: string }>("select state from miyabi.runs where id = $1", [
    runId,
  ]);
  return rows[0]?.state;
}

test("runs are claimed by deadline, each once, whoever asks at the same time", async () => {
  const bundle = await setupTasks();
  const days = [5, 1, 4, 2, 3];
  const ids = new Map<number, string>();
  for (const day of days) ids.set(day, await bundle.add({ dueAt: new Date(`2026-01-0${day}T00:00:00Z`) }));
  expect((await claimed(bundle)).taskId).toBe(ids.get(1));
  const rest = await Promise.all(Array.from({ length: 8 }, () => bundle.claim("code")));
  const taken = rest.flatMap((run) => (run === null ? [] : [run.taskId]));
  expect(taken.sort()).toEqual([2, 3, 4, 5].map((day) => ids.get(day)).sort());
  expect(await bundle.claim("code")).toBeNull();
});

test("a claim moves task, run and job together, and its token stands for the run until that ends", async () => {
  const bundle = await setupTasks();
  const id = await bundle.add();
  const run = await claimed(bundle);
  expect(await bundle.stateOf(id)).toBe("running");
  expect(await stateOfRun(bundle, run.runId)).toBe("leased");
  expect((await bundle.database.query("select 1 from pgboss.job where name like 'run-%'")).rowCount).toBe(0);
  expect(await bundle.runs.identify(run.token)).toMatchObject({
    runId: run.runId,
    taskId: id,
    slot: "kaede",
  });
  expect(await bundle.runs.started(run, { sandbox: null, sessionId: "s", profile: "claude" })).toBe(
    "recorded",
  );
  await bundle.runs.finish(run, DONE);
  expect(await bundle.runs.identify(run.token)).toBeNull();
});

test("a claim that is rolled back leaves task, run and job as they were", async () => {
  const bundle = await setupTasks();
  const id = await bundle.add();
  const crash = bundle.database.transaction(async (tx) => {
    const job = await bundle.queue.take(tx, "code");
    expect(job).not.toBeNull();
    await bundle.tasks.happenIn(tx, id, () => ({ type: "leased", slot: "kaede" }));
    throw new Error("crash");
  });
  await expect(crash).rejects.toThrow("crash");
  expect(await bundle.stateOf(id)).toBe("ready");
  expect((await claimed(bundle)).taskId).toBe(id);
});

test("a late worker's words change nothing", async () => {
  const bundle = await setupTasks();
  const id = await bundle.add();
  const first = await claimed(bundle);
  expect(await bundle.runs.lose(first, LOST)).toBe("recorded");
  const second = await claimed(bundle);
  expect(second).toMatchObject({ taskId: id, attempt: first.attempt + 1 });
  const late = [
    bundle.runs.finish(first, DONE),
    bundle.runs.lose(first, LOST),
    bundle.runs.renew(first, 60_000),
    bundle.runs.started(first, { sandbox: null, sessionId: null, profile: null }),
    bundle.runs.recordVerdict(first, "done", "late"),
    bundle.runs.finish({ runId: second.runId, attempt: first.attempt }, DONE),
  ];
  expect(await Promise.all(late)).toEqual(late.map(() => "lost"));
  expect(await stateOfRun(bundle, second.runId)).toBe("leased");
  expect(await bundle.runs.finish(second, DONE)).toBe("recorded");
});

test("an end that is said twice is recorded once, also where both come together", async () => {
  const bundle = await setupTasks();
  const id = await bundle.add();
  const run = await claimed(bundle);
  const answers = await Promise.all(Array.from({ length: 4 }, () => bundle.runs.finish(run, DONE)));
  expect(answers.sort()).toEqual(["already", "already", "already", "recorded"]);
  expect(await bundle.runs.finish(run, { ...RESULT, outcome: "failed" })).toBe("already");
  expect((await bundle.database.query("select 1 from miyabi.runs where task_id = $1", [id])).rowCount).toBe(
    2,
  );
});

test("a lease that is not renewed expires by the database's clock", async () => {
  const bundle = await setupTasks();
  await bundle.add();
  const run = await claimed(bundle);
  expect(await bundle.runs.expired()).toEqual([]);
  await bundle.database.query("update miyabi.runs set lease_expires_at = now() - interval '1 s'");
  expect(await bundle.runs.expired()).toMatchObject([
    { runId: run.runId, attempt: run.attempt, slot: "kaede" },
  ]);
  expect(await bundle.runs.renew(run, 60_000)).toBe("recorded");
  expect(await bundle.runs.expired()).toEqual([]);
  await bundle.database.query("update miyabi.runs set lease_expires_at = now() - interval '1 s'");
  await bundle.runs.extendAll(60_000);
  expect(await bundle.runs.expired()).toEqual([]);
});

test("a cancelled task's queued run is never claimed, and its leased one is lost to its holder", async () => {
  const bundle = await setupTasks();
  const queued = await bundle.add();
  await bundle.tasks.happen(queued, { type: "cancel", by: "mari", note: "" });
  expect(await bundle.claim("code")).toBeNull();
  const leased = await bundle.add();
  const run = await claimed(bundle);
  await bundle.tasks.happen(leased, { type: "cancel", by: "mari", note: "" });
  expect(await bundle.runs.finish(run, DONE)).toBe("lost");
  expect(await bundle.stateOf(leased)).toBe("cancelled");
});

test("what the agent reported counts where its host says nothing else", async () => {
  const bundle = await setupTasks();
  const id = await bundle.add();
  const run = await claimed(bundle);
  expect(await bundle.runs.recordVerdict(run, "blocked", "Which colour?")).toBe("recorded");
  await bundle.runs.finish(run, RESULT);
  expect(await bundle.stateOf(id)).toBe("waiting");
});

test("a try that waits for its time is not claimed before, and runs when it is leased after a retry", async () => {
  const bundle = await setupTasks();
  const id = await bundle.add();
  await bundle.runs.finish(await claimed(bundle), { ...RESULT, outcome: "failed", message: "exit 1" });
  expect(await bundle.stateOf(id)).toBe("waiting");
  expect(await bundle.claim("code")).toBeNull();
  // Its time has come.
  await bundle.database.query("update pgboss.job set start_after = now()");
  const run = await claimed(bundle);
  expect(await bundle.stateOf(id)).toBe("running");
  await bundle.runs.finish(run, { ...RESULT, outcome: "failed", message: "exit 1" });
  await bundle.tasks.happen(id, { type: "retry", by: "mari" });
  expect((await claimed(bundle)).taskId).toBe(id);
});

test("the history tells of every change, in the transaction of the change", async () => {
  const bundle = await setupTasks();
  const id = await bundle.add();
  await bundle.complete(id);
  const { rows } = await bundle.database.query<{ type: string; to: string | null }>(
    "select type, data ->> 'to' as to from miyabi.events where task_id = $1 and type in ('task.created', 'task.changed', 'task.merged') order by id",
    [id],
  );
  expect(rows.map((row) => row.to ?? row.type)).toEqual([
    "task.created",
    ...["ready", "running", "ready", "running", "ready", "running", "ready", "running"],
    "task.merged",
    "done",
  ]);
});
