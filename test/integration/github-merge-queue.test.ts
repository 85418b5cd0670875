import { expect, test } from "vitest";
import { dieAt } from "../github-server/die-at.ts";
import { headOf } from "../github-server/git.ts";
import { mergeFromQueue, removeFromQueue } from "../github-server/merge-queue.ts";
import { setupGitHub } from "../github-server/scenario.ts";
import { QUEUES } from "../../src/tasks/tasks-fixture.ts";

/* A repository whose target branch has GitHub's merge queue: the pull request goes through it. */

async function setup(params: Parameters<typeof setupGitHub>[0] = {}) {
  const scenario = await setupGitHub({ policy: "when-green", ...params });
  const place = { state: scenario.server.state, repository: scenario.repository };
  const queue = { entries: [] as { number: number; enqueuedAt: string }[], enqueued: 0 };
  scenario.repository.mergeQueue = queue;
  scenario.openIssue({ labelledBy: "hanako" });
  await scenario.settle();
  await scenario.agents();
  await scenario.settle();
  const [pull] = scenario.pulls();
  if (pull === undefined) throw new Error("no pull request");
  /** Its checks pass: it may be merged. */
  const allowed = async (): Promise<void> => {
    await scenario.check("success", "");
    await scenario.settle();
  };
  return { ...scenario, place, queue, pull, allowed };
}

const IN_QUEUE = { state: "delivered", waits_for: "merge", reason: { code: "merge.in_queue" } };

test("a pull request is put into the merge queue once, stays delivered there, and is done when the queue merges it", async () => {
  const { allowed, settle, task, queue, place, pull, pulls, gitDir } = await setup();
  await allowed();
  for (let round = 0; round < 3; round += 1) await settle();
  expect(await task()).toMatchObject(IN_QUEUE);
  expect(queue).toMatchObject({ enqueued: 1, entries: [{ number: pull.number }] });
  const commit = await mergeFromQueue(place, pull);
  await settle();
  expect(await task()).toMatchObject({ state: "done", merge_commit: commit });
  expect(await headOf(gitDir, "main")).toBe(commit);
  expect(pulls()).toHaveLength(1);
});

test("a control plane that died after it had put it into the queue finds it there", async () => {
  const { settle, check, task, queue, pull, second, database } = await setup();
  await check("success", "");
  // What its last words brought about.
  queue.entries.push({ number: pull.number, enqueuedAt: new Date().toISOString() });
  await settle();
  expect(await task()).toMatchObject(IN_QUEUE);
  const other = await second();
  for (let round = 0; round < 2; round += 1) {
    await database.query("update miyabi.github_pull_requests set looked_at = null");
    for (const service of other.github.services) await service.tick();
    await other.outbox.tick();
  }
  expect(queue.enqueued).toBe(0);
  expect(await task()).toMatchObject(IN_QUEUE);
});

test("killed before and after each word to the queue, and before and after the record: in it once, and out of it once", async () => {
  const { settle, check, task, tasks, queue, watch, own, database, outbox } = await setup();
  const die = async (): Promise<void> => {
    for (const point of ["claimed", "before 1", "after 1", "recording"] as const) {
      await dieAt({ point, queues: QUEUES, ...own });
      await database.query(
        "update miyabi.outbox set lease_expires_at = now() - interval '1 second' where lease_token is not null",
      );
    }
    await outbox.tick();
  };
  const alone = (kind: string) =>
    database.query(
      "update miyabi.outbox set due_at = case when kind = $1 then now() else 'infinity' end where state = 'pending'",
      [kind],
    );
  await check("success", "");
  await database.query("update miyabi.github_pull_requests set looked_at = null");
  await watch?.tick();
  await alone("merge");
  await die();
  await settle();
  expect(await task()).toMatchObject(IN_QUEUE);
  expect(queue.enqueued).toBe(1);

  await tasks.happen("T1", { type: "cancel", by: "Hanako", note: "" });
  await alone("leave-merge-queue");
  await die();
  await settle();
  expect(queue.entries).toEqual([]);
  const { rows } = await database.query("select distinct state from miyabi.outbox");
  expect(rows).toEqual([{ state: "done" }]);
});

test("the merge and the removal are noticed by webhook", async () => {
  const { allowed, settle, deliver, task, place, pull, watch } = await setup({ webhooks: true });
  await deliver();
  await allowed();
  expect(await task()).toMatchObject(IN_QUEUE);
  await deliver();
  await watch?.tick();
  await settle({ polls: false });
  const commit = await mergeFromQueue(place, pull);
  // Only what tells of the queue arrives.
  const { hook } = place.state;
  const pending = hook?.pending.splice(0) ?? [];
  hook?.pending.push(...pending.filter(({ event }) => event === "merge_group"));
  await deliver();
  await watch?.tick();
  expect(await task()).toMatchObject({ state: "done", merge_commit: commit });
});

test("checks that fail in the queue go back to the session with their log, and the next commit into the queue", async () => {
  const { allowed, settle, task, queue, place, pull, agents } = await setup();
  await allowed();
  await removeFromQueue(place, pull, {
    reason: "failed_checks",
    by: "github-merge-queue[bot]",
    checks: [
      {
        id: 1,
        name: "ci",
        status: "completed",
        conclusion: "failure",
        output: { title: "red", summary: "expected ¥500 beside the new tea" },
      },
    ],
  });
  await settle();
  const [cause] = await agents();
  expect(cause).toMatch(/^ci-failed On the result of merging[\s\S]*expected ¥500 beside the new tea/);
  await settle();
  await allowed();
  expect(await task()).toMatchObject(IN_QUEUE);
  expect(queue.enqueued).toBe(2);
  const commit = await mergeFromQueue(place, pull);
  await settle();
  expect(await task()).toMatchObject({ state: "done", merge_commit: commit });
});

test("a conflict with what the queue merged before is rebased, checked again, and queued again", async () => {
  const { allowed, settle, task, queue, place, pull, agents, git, gitDir } = await setup();
  await allowed();
  await git("checkout", "--quiet", "main");
  await git("commit", "--quiet", "--allow-empty", "--message", "Somebody else's");
  await git("push", "--quiet", gitDir, "HEAD:main");
  await removeFromQueue(place, pull, { reason: "merge_conflict", by: "github-merge-queue[bot]" });
  const before = await headOf(gitDir, pull.pull?.head ?? "");
  await settle();
  await agents();
  await settle();
  expect(await headOf(gitDir, pull.pull?.head ?? "")).not.toBe(before);
  await allowed();
  expect(await task()).toMatchObject(IN_QUEUE);
  expect(queue.enqueued).toBe(2);
});

test("who took it out by hand is named, the task waits for a person, and a retry queues it again", async () => {
  const { allowed, settle, task, tasks, queue, place, pull } = await setup();
  await allowed();
  await removeFromQueue(place, pull, { reason: "manual", by: "taro" });
  for (let round = 0; round < 2; round += 1) await settle();
  expect(await task()).toMatchObject({
    state: "waiting",
    waits_for: "person",
    reason: { code: "merge.dequeued", message: "It was taken out of GitHub's merge queue by taro: manual." },
  });
  expect(queue.enqueued).toBe(1);
  await tasks.happen("T1", { type: "retry", by: "Hanako" });
  await settle();
  expect(await task()).toMatchObject(IN_QUEUE);
  expect(queue.enqueued).toBe(2);
});

test("a task that is stopped, or gets changes to make, leaves the queue", async () => {
  const { allowed, settle, task, tasks, queue, review, agents } = await setup();
  await allowed();
  await review("hanako", "CHANGES_REQUESTED", "Wait: in yen.");
  await settle();
  expect(queue.entries).toEqual([]);
  expect(await agents()).toEqual([expect.stringContaining("Wait: in yen.")]);
  await settle();
  await review("hanako", "APPROVED", "");
  await allowed();
  expect(queue.entries).toHaveLength(1);
  await tasks.happen("T1", { type: "cancel", by: "Hanako", note: "" });
  await settle();
  expect(await task()).toMatchObject({ state: "cancelled" });
  expect(queue.entries).toEqual([]);
});
