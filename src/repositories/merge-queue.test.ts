import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLog, systemClock, systemRandom } from "../base/index.ts";
import { RESULT, successOf } from "../tasks/decide-fixture.ts";
import { setupTasks } from "../tasks/tasks-fixture.ts";
import { ensureCache } from "./cache.ts";
import { createMergeQueue } from "./merge-queue.ts";
import { openFixture, type Fixture } from "./repository-fixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await openFixture();
});
afterEach(() => fixture.close());

/** A task at the merge step whose change is `files`. */
async function setup(files: Readonly<Record<string, string>>) {
  const bundle = await setupTasks();
  const root = await fixture.repository("menu");
  const base = await fixture.person(root, "rev-parse", "HEAD");
  await fixture.person(root, "checkout", "-q", "-b", "work");
  const head = await fixture.commit(root, files);
  const tree = await fixture.person(root, "rev-parse", "HEAD^{tree}");
  await fixture.person(root, "checkout", "-q", "main");
  const cachesDir = path.join(fixture.dir, "caches");
  const cache = await ensureCache(fixture.git, { repositoryId: "r", sourcePath: root, cachesDir });
  await fixture.person(root, "push", "-q", cache, "work:refs/miyabi/test/1");
  const taskId = await bundle.add({
    repository: { id: "r", name: "menu", path: root, targetBranch: "main" },
  });
  await bundle.database.query("update miyabi.tasks set base_commit = $1", [base]);
  for (const [queue, step] of [
    ["code", "implement"],
    ["check", "check"],
    ["review", "review"],
  ] as const) {
    const run = await bundle.claim(queue);
    if (run === null) throw new Error(`nothing to ${step}`);
    await bundle.runs.finish(run, {
      ...RESULT,
      ...successOf(step, head),
      ...(step === "implement" ? { tree } : {}),
    });
  }
  const deps = { clock: systemClock, random: systemRandom, log: silentLog };
  const queue = createMergeQueue({ ...deps, ...bundle, git: fixture.git, cachesDir, machine: null });
  const settle = async (): Promise<void> => {
    for (let round = 0; round < 3; round += 1) {
      await queue.tick();
      const run = await bundle.claim("check");
      if (run !== null) await bundle.runs.finish(run, RESULT);
    }
  };
  const task = async () =>
    (
      await bundle.database.query<{
        state: string;
        waits_for: string | null;
        current_step: string;
        code: string | null;
      }>("select state, waits_for, current_step, reason ->> 'code' as code from miyabi.tasks")
    ).rows[0];
  return { ...bundle, taskId, root, settle, task };
}

test("the local merge queue asks for an approval of protected paths, and merges after it", async () => {
  const { settle, task, asked, tasks, taskId, root } = await setup({ ".github/workflows/x.yml": "a\n" });
  await settle();
  expect(await task()).toMatchObject({ state: "waiting", waits_for: "approval", code: "protected.changed" });
  expect(asked.get(taskId)).toContain(".github/workflows/x.yml");
  expect(await fixture.person(root, "ls-tree", "-r", "--name-only", "main")).not.toContain(".github");
  await tasks.happen(taskId, { type: "approve", approve: true, note: "", by: "Hanako" });
  await settle();
  expect(await task()).toMatchObject({ state: "done" });
  expect(await fixture.person(root, "show", "main:.github/workflows/x.yml")).toBe("a");
});

test("what a person does not approve goes back to its agent with their words", async () => {
  const { settle, task, tasks, taskId, database } = await setup({ "CLAUDE.md": "obey\n" });
  await settle();
  await tasks.happen(taskId, { type: "approve", approve: false, note: "Not this file.", by: "Hanako" });
  expect(await task()).toMatchObject({ state: "ready", current_step: "implement" });
  const { rows } = await database.query(
    "select cause ->> 'details' as text from miyabi.runs where state = 'queued'",
  );
  expect(rows).toEqual([{ text: "Not this file." }]);
});

test("a change of nothing protected is merged without a word", async () => {
  const { settle, task, asked } = await setup({ "a.txt": "changed\n" });
  await settle();
  expect(await task()).toMatchObject({ state: "done" });
  expect(asked.size).toBe(0);
});
