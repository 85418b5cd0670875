import { expect, test } from "vitest";
import { RESULT } from "./decide-fixture.ts";
import { priorityOf } from "./deadline.ts";
import { setupTasks, type TasksBundle } from "./tasks-fixture.ts";

const P0_DUE = new Date("2026-01-02T00:00:00Z");

async function rowOf(bundle: TasksBundle, taskId: string) {
  const { rows } = await bundle.database.query<{
    deadline_at: Date;
    deadline_from: string | null;
    reason: { code: string } | null;
    priority: number | null;
    report: string | null;
  }>(
    `select t.deadline_at, t.deadline_from, t.reason, t.report, j.priority from miyabi.tasks t
     left join miyabi.runs r on r.task_id = t.id and r.state = 'queued'
     left join pgboss.job j on j.id = r.job_id where t.id = $1`,
    [taskId],
  );
  return rows[0];
}

test("a task is accepted once per idempotency key, also by requests that come together", async () => {
  const { tasks, add, database } = await setupTasks();
  const draft = { title: "Once", idempotencyKey: "k" };
  const ids = await Promise.all(Array.from({ length: 6 }, () => add(draft)));
  expect(new Set(ids).size).toBe(1);
  expect((await database.query("select 1 from miyabi.runs")).rowCount).toBe(1);
  await expect(add({ ...draft, title: "Other" })).rejects.toMatchObject({ code: "conflict.state" });
  await expect(add({ dependsOn: ["T99"] })).rejects.toMatchObject({
    code: "not_found",
    details: { missing: ["T99"] },
  });
  await expect(tasks.happen("T99", { type: "retry", by: "mari" })).rejects.toMatchObject({
    code: "not_found",
  });
});

test("a dependent starts when all that it depends on is done, not before", async () => {
  const bundle = await setupTasks();
  const { add, complete, stateOf, reach, claim } = bundle;
  const first = await add();
  const second = await add();
  const dependent = await add({ dependsOn: [first, second] });
  expect(await stateOf(dependent)).toBe("blocked");
  await reach(first, "check");
  await bundle.tasks.happen(second, { type: "cancel", by: "mari", note: "" });
  expect((await rowOf(bundle, dependent))?.reason?.code).toBe("dependency.stuck");
  await complete(first);
  expect(await stateOf(dependent)).toBe("blocked");
  await bundle.tasks.happen(second, { type: "retry", by: "mari" });
  expect((await rowOf(bundle, dependent))?.reason?.code).toBe("dependency.not_merged");
  await complete(second);
  expect(await stateOf(dependent)).toBe("ready");
  expect(await claim("code")).toMatchObject({ taskId: dependent });
});

test("a dependency that is done already does not hold a new task", async () => {
  const { add, complete, stateOf } = await setupTasks();
  const first = await add();
  await complete(first);
  expect(await stateOf(await add({ dependsOn: [first, first] }))).toBe("ready");
});

test("a cycle is refused with its path, and what was there before stays", async () => {
  const { tasks, add, stateOf, database } = await setupTasks();
  const root = await add();
  const a = await add({ dependsOn: [root] });
  const b = await add({ dependsOn: [a] });
  const c = await add({ dependsOn: [b] });
  await expect(tasks.setDependencies(a, [c])).rejects.toMatchObject({
    code: "dependency.cycle",
    details: { path: [a, c, b, a] },
  });
  await expect(tasks.setDependencies(a, [a])).rejects.toMatchObject({ details: { path: [a, a] } });
  await expect(tasks.setDependencies(root, [])).rejects.toMatchObject({ code: "conflict.state" });
  const { rows } = await database.query(
    "select depends_on from miyabi.task_dependencies where task_id = $1",
    [a],
  );
  expect(rows).toEqual([{ depends_on: root }]);
  await tasks.setDependencies(a, []);
  expect([await stateOf(a), await stateOf(b)]).toEqual(["ready", "blocked"]);
});

test("two changes that close a cycle together are not both accepted", async () => {
  const { tasks, add } = await setupTasks();
  const root = await add();
  const a = await add({ dependsOn: [root] });
  const b = await add({ dependsOn: [root] });
  const outcomes = await Promise.allSettled([tasks.setDependencies(a, [b]), tasks.setDependencies(b, [a])]);
  expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
});

test("a task is due when the most urgent task that waits for it is due, in its queue too", async () => {
  const bundle = await setupTasks();
  const { add, tasks, claim } = bundle;
  const root = await add();
  const middle = await add({ dependsOn: [root] });
  const other = await add({ class: "P1" });
  const urgent = await add({ dependsOn: [middle], class: "P0", dueAt: P0_DUE });
  for (const id of [root, middle])
    expect(await rowOf(bundle, id)).toMatchObject({ deadline_at: P0_DUE, deadline_from: urgent });
  expect((await rowOf(bundle, root))?.priority).toBe(priorityOf(P0_DUE));
  await tasks.happen(urgent, { type: "cancel", by: "mari", note: "" });
  const lent = await rowOf(bundle, root);
  expect(lent?.deadline_from).toBeNull();
  expect(lent?.priority).toBe(priorityOf(lent?.deadline_at ?? P0_DUE));
  await tasks.happen(urgent, { type: "retry", by: "mari" });
  expect(await rowOf(bundle, root)).toMatchObject({ deadline_at: P0_DUE, deadline_from: urgent });
  expect((await claim("code"))?.taskId).toBe(root);
  expect((await claim("code"))?.taskId).toBe(other);
});

test("a change of class moves the task in its queue", async () => {
  const { add, tasks, claim } = await setupTasks();
  await add();
  const raised = await add();
  await tasks.setClass(raised, "P0", null);
  expect((await claim("code"))?.taskId).toBe(raised);
});

test("a retry clears the report of the end before", async () => {
  const bundle = await setupTasks();
  const id = await bundle.add();
  await bundle.tasks.happen(id, { type: "cancel", by: "mari", note: "" });
  await bundle.database.query("update miyabi.tasks set report = 'cancelled' where id = $1", [id]);
  await bundle.tasks.happen(id, { type: "retry", by: "mari" });
  expect((await rowOf(bundle, id))?.report).toBeNull();
});

test("the merge queue is told once the change has committed, and not where it was rolled back", async () => {
  const { add, tasks, reach, runs, claim, mergeCalls, database } = await setupTasks();
  const id = await add();
  await reach(id, "review");
  const review = await claim("review");
  expect(review).not.toBeNull();
  const approve = { outcome: "succeeded", verdict: "approve" } as const;
  const failing = database.transaction(async (tx) => {
    await tasks.happenIn(tx, id, () => ({ type: "finished", result: { ...RESULT, ...approve } }));
    throw new Error("crash");
  });
  await expect(failing).rejects.toThrow("crash");
  expect(mergeCalls()).toBe(0);
  if (review !== null) await runs.finish(review, { ...RESULT, ...approve });
  expect(mergeCalls()).toBe(1);
});
