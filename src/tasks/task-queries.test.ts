import { expect, test } from "vitest";
import { ROUTES, statusView, TASK_STATES } from "../contract/index.ts";
import { RESULT, successOf } from "./decide-fixture.ts";
import type { SlotFact } from "./explain-facts.ts";
import { createTaskQueries, type TaskQueries } from "./task-queries.ts";
import { setupTasks, type TasksBundle } from "./tasks-fixture.ts";

const SAKURA: SlotFact = {
  slot: "sakura",
  name: "Sakura",
  takes: ["review"],
  state: "busy",
  host: "connected",
  taskId: "T9",
  reason: null,
};

async function setup(): Promise<TasksBundle & { readonly reads: TaskQueries }> {
  const bundle = await setupTasks();
  const reads = createTaskQueries({
    database: bundle.database,
    costs: {
      ofTasks: async (ids) => new Map(ids.map((id) => [id, 1_000])),
      ofRuns: async (ids) => new Map(ids.map((id) => [id, 400])),
      perSpan: async ({ count }) => Array.from({ length: count }, () => 7),
    },
    team: { slots: async () => [SAKURA], cannotRun: async () => null },
  });
  return { ...bundle, reads };
}

test("a task is shown with its steps, its runs and its links", async () => {
  const { reads, add, complete, reach } = await setup();
  const root = await add({ title: "Root", labels: ["menu"] });
  const dependent = await add({ dependsOn: [root] });
  await reach(root, "review");
  const detail = await reads.detail(root);
  expect(ROUTES.getTask.response.parse(detail)).toEqual(detail);
  expect(detail).toMatchObject({
    title: "Root",
    state: "ready",
    step: "review",
    attempts: 3,
    rounds: 0,
    headCommit: `head-${root}`,
    costMicros: 1_000,
    dependents: [{ id: dependent, state: "blocked" }],
    actions: ["prioritise", "cancel"],
  });
  expect(detail.steps.map((step) => [step.name, step.state])).toEqual([
    ["implement", "passed"],
    ["check", "passed"],
    ["review", "running"],
    ["merge", "pending"],
  ]);
  expect(detail.runs.map((run) => [run.step, run.attempt, run.state])).toEqual([
    ["implement", 1, "succeeded"],
    ["check", 2, "succeeded"],
    ["review", 3, "queued"],
  ]);
  expect(await reads.run(detail.runs[0]?.id ?? "")).toEqual(detail.runs[0]);
  await complete(root);
  expect(await reads.detail(root)).toMatchObject({
    state: "done",
    mergeCommit: `merge-${root}`,
    actions: [],
  });
  expect((await reads.detail(dependent)).dependsOn).toMatchObject([{ id: root, state: "done" }]);
});

test("what does not exist is said so", async () => {
  const { reads } = await setup();
  const asks = [() => reads.detail("T1"), () => reads.run("R1"), () => reads.explain("T1", new Date())];
  for (const ask of asks) await expect(ask()).rejects.toMatchObject({ code: "not_found" });
});

test("a state offers exactly what it allows", async () => {
  const { reads, add, claim, runs, tasks } = await setup();
  const actions = async (id: string): Promise<readonly string[]> => (await reads.detail(id)).actions;
  const id = await add();
  const run = await claim("code");
  expect(await actions(id)).toEqual(["takeover", "prioritise", "cancel"]);
  await tasks.happen(id, { type: "taken-over" });
  expect(await actions(id)).toEqual(["handback", "prioritise", "cancel"]);
  await tasks.happen(id, { type: "handed-back" });
  if (run !== null) await runs.finish(run, { ...RESULT, verdict: "blocked", notes: "Which?" });
  expect(await actions(id)).toEqual(["retry", "prioritise", "cancel"]);
  await tasks.happen(id, { type: "cancel", by: "mari", note: "" });
  expect(await actions(id)).toEqual(["retry"]);
});

test("the overview counts, orders what comes next with the reason, and names who needs a person", async () => {
  const { reads, add, claim, runs, complete } = await setup();
  const done = await add();
  await complete(done);
  const late = await add({ dueAt: new Date("2026-01-01T00:00:00Z") });
  const needs = await add({ dueAt: new Date("2026-01-02T00:00:00Z") });
  const running = await claim("code");
  expect(running?.taskId).toBe(late);
  const asks = await claim("code");
  if (asks !== null) await runs.finish(asks, { ...RESULT, verdict: "blocked", notes: "Which?" });
  const normal = await add({ class: "P1" });
  const root = await add();
  const urgent = await add({ dependsOn: [root], class: "P0" });
  const overview = await reads.overview({ range: "24h", now: new Date() });
  expect(overview.counts).toEqual({
    ...Object.fromEntries(TASK_STATES.map((state) => [state, 0])),
    done: 1,
    running: 1,
    waiting: 1,
    ready: 2,
    blocked: 1,
  });
  expect(overview.next.map((task) => [task.id, task.orderReason.code])).toEqual([
    [root, "order.inherited"],
    [normal, "order.class"],
  ]);
  expect(overview.next[0]?.orderReason.params).toMatchObject({ from: urgent, position: 1, queue: "code" });
  expect(overview.running.map((task) => task.id)).toEqual([late]);
  expect(overview.needsYou.map((task) => task.id)).toEqual([needs]);
  expect(overview.breach).toMatchObject({ taskId: late });
  expect(overview.today).toEqual({ merged: 1, failed: 0, costMicros: 7 });
  expect(overview.throughput).toHaveLength(24);
  expect(overview.throughput.at(-1)).toMatchObject({ merged: 1, failed: 0, costMicros: 7 });
  expect((await reads.overview({ range: "7d", now: new Date() })).throughput).toHaveLength(7);
  const { needsYou, ...rest } = overview;
  expect(
    statusView.pick({ counts: true, next: true, throughput: true, breach: true }).parse(rest),
  ).toBeTruthy();
  expect(needsYou[0]?.reason?.message).toBe("Which?");
});

test("a repository is listed with its open tasks", async () => {
  const { reads, add, complete } = await setup();
  await complete(await add());
  await add();
  const items = await reads.repositories();
  expect(ROUTES.listRepositories.response.parse({ items })).toEqual({ items });
  expect(items).toMatchObject([{ id: "r", name: "menu", openTasks: 1 }]);
});

test("an explanation says where the run stands in its queue and follows chains of dependencies", async () => {
  const { reads, add, claim, runs } = await setup();
  const first = await add({ class: "P0" });
  const second = await add();
  const middle = await add({ dependsOn: [second] });
  const last = await add({ dependsOn: [middle] });
  expect(await reads.explain(second, new Date())).toMatchObject({ state: "ready", queuePosition: 2 });
  expect((await reads.explain(last, new Date())).summary).toContain(`${middle} → ${second}`);
  const run = await claim("code");
  expect(run?.taskId).toBe(first);
  if (run !== null) await runs.finish(run, { ...RESULT, ...successOf("implement") });
  const check = await claim("check");
  if (check !== null) await runs.finish(check, RESULT);
  const review = await reads.explain(first, new Date());
  expect(review.reasons[0]).toMatchObject({ code: "agents.busy", params: { tasks: ["T9"] } });
});
