import { expect, test } from "vitest";
import { ownRuns } from "../github-server/checks.ts";
import { dieAt } from "../github-server/die-at.ts";
import type { KillPoint } from "../github-server/dying-worker.ts";
import { git } from "../github-server/git.ts";
import { startThread } from "../github-server/review-threads.ts";
import { setupGitHub } from "../github-server/scenario.ts";
import { systemRandom } from "../../src/base/index.ts";
import { addToOutbox } from "../../src/tasks/index.ts";
import { QUEUES } from "../../src/tasks/tasks-fixture.ts";

/*
 * A process that writes back to GitHub is SIGKILLed at each named point, in the middle of every kind of write-back at once. Another process
 * carries on when the lease is over, and GitHub shows one of everything.
 */

const KINDS = [
  "check-run",
  "comment-answer",
  "intake-notice",
  "merge",
  "progress",
  "progress-comment",
  "pull-request",
  "thread-answer",
];
/** For these nothing waits here: they need a merge queue (github-merge-queue.test.ts) or a model that chooses labels. */
const ELSEWHERE = ["leave-merge-queue", "classified-labels"];

/** An entry of every kind waits; of progress one that begins and one that changes what is there. */
async function setup() {
  const scenario = await setupGitHub();
  const { openIssue, settle, agents, outbox, database, poll } = scenario;
  const labelled = () => openIssue({ labelledBy: "hanako" });
  const taskOf = async (number: number): Promise<string> => {
    const { rows } = await database.query<{ task_id: string }>(
      "select task_id from miyabi.github_issues where number = $1",
      [number],
    );
    return rows[0]?.task_id ?? "";
  };
  /** Brings a task's progress to its issue, and leaves everything else waiting. */
  const show = async (taskId: string): Promise<void> => {
    await database.query(
      `update miyabi.outbox set due_at = case when target = 'progress:' || $1 then now() else 'infinity' end where state = 'pending'`,
      [taskId],
    );
    await outbox.tick();
  };
  const merged = labelled();
  await settle();
  await agents();
  await settle();
  await scenario.check("success", "");
  await settle();
  const opened = labelled();
  await poll?.tick();
  await agents();
  await show(await taskOf(opened.number));
  const changed = labelled();
  await poll?.tick();
  await show(await taskOf(changed.number));
  await scenario.reach(await taskOf(changed.number), "review");
  await scenario.review("hanako", "APPROVED", "");
  await database.query("update miyabi.github_pull_requests set looked_at = null");
  await scenario.watch?.tick();
  const fresh = labelled();
  const refused = openIssue({ labelledBy: "stranger" });
  const asked = scenario.comment(merged, "hanako", "/miyabi explain");
  await poll?.tick();
  // Comments follow their labels; here both are under way when the process dies.
  for (const { number } of [changed, fresh]) {
    const taskId = await taskOf(number);
    const entry = { taskId, kind: "progress-comment", target: `progress-comment:${taskId}` };
    await database.transaction((tx) => addToOutbox(tx, systemRandom, entry));
  }
  const { server, repository } = scenario;
  repository.mayWriteChecks = true;
  const [pull] = scenario.pulls();
  if (pull === undefined) throw new Error("no pull request");
  const said = { by: "hanako", path: "menu.txt", line: 1, body: "In yen." };
  const thread = await startThread({ state: server.state, repository }, pull, said);
  const taskId = await taskOf(merged.number);
  const payload = { repository: "octo/menu", thread: thread.id, text: "Done.", resolve: true };
  await database.transaction(async (tx) => {
    await addToOutbox(tx, systemRandom, { taskId, kind: "check-run", target: `check-run:${taskId}` });
    const target = `thread:${thread.id}`;
    await addToOutbox(tx, systemRandom, { taskId, kind: "thread-answer", target, payload });
  });
  await database.query("update miyabi.outbox set due_at = now() where state = 'pending'");
  return { ...scenario, taskOf, issues: { merged, changed, opened, fresh, refused }, asked, thread };
}

/** Deaths one after the other of those who carry on with the same entries. Not every kind writes twice. */
const DEATHS: readonly (readonly KillPoint[])[] = [
  ["claimed", "before 1", "after 1", "recording"],
  ["before 2", "after 2"],
  ["sent"],
  ["recorded"],
];

test.each(DEATHS.map((points) => [points.join(", "), points] as const))(
  "killed at “%s”: one visible effect of every kind",
  async (_name, points) => {
    const scenario = await setup();
    const { own, database, outbox, settle, tasks, taskOf, issues, asked, pulls, server, gitDir } = scenario;
    for (const point of points) {
      const died = await dieAt({ point, queues: QUEUES, ...own });
      expect(died.kinds.filter((kind) => !ELSEWHERE.includes(kind)).sort()).toEqual(KINDS);
      // Not every kind writes twice, not every entry has something to write, and two records of one task wait for each other.
      if (point === "recording" || point.endsWith("2")) expect(died.arrived.length).toBeGreaterThanOrEqual(3);
      else expect([...new Set(died.arrived)].sort()).toEqual(KINDS);
      if (["claimed", "sent", "recorded"].includes(point)) expect(died.arrived).toHaveLength(died.entries);
      await database.query(
        "update miyabi.outbox set lease_expires_at = now() - interval '1 second' where lease_token is not null",
      );
    }

    // While nobody carries on, life goes on: what it was about to say is no longer so.
    await tasks.happen(await taskOf(issues.changed.number), { type: "cancel", by: "Hanako", note: "" });
    await outbox.tick();
    for (let round = 0; round < 2; round += 1) await settle();

    const { rows } = await database.query("select distinct state from miyabi.outbox");
    expect(rows).toEqual([{ state: "done" }]);
    const seen = Object.entries(issues).map(([name, { labels, comments }]) => [
      name,
      [...labels].sort(),
      comments.filter(({ user }) => user === server.state.login).length,
    ]);
    expect(seen).toEqual([
      ["merged", ["miyabi", "miyabi:delivered"], 2],
      ["changed", ["miyabi"], 1],
      ["opened", ["miyabi", "miyabi:running"], 1],
      ["fresh", ["miyabi", "miyabi:running"], 1],
      ["refused", ["miyabi"], 1],
    ]);
    expect(issues.changed.comments[0]?.body).toContain("**cancelled**");
    expect(asked.reactions).toHaveLength(1);
    expect(pulls().map(({ pull }) => pull?.merged)).toEqual([true, false]);
    expect(scenario.thread.comments.map(({ user }) => user)).toEqual(["hanako", server.state.login]);
    expect(scenario.thread.isResolved).toBe(true);
    const ids = ownRuns(scenario.repository).map(({ external_id: id }) => id);
    expect(ids.length).toBeGreaterThan(0);
    expect(new Set(ids).size).toBe(ids.length);
    expect(await git(gitDir, "rev-list", "--count", "main")).toBe("2");
  },
);
