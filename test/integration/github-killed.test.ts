import { spawn } from "node:child_process";
import path from "node:path";
import { expect, test } from "vitest";
import type { DyingWorkerParams, KillPoint } from "../github-server/dying-worker.ts";
import { git } from "../github-server/git.ts";
import { setupGitHub } from "../github-server/scenario.ts";
import { systemRandom } from "../../src/base/index.ts";
import { addToOutbox } from "../../src/tasks/index.ts";
import { QUEUES } from "../../src/tasks/tasks-fixture.ts";

/*
 * A process that writes back to GitHub is SIGKILLed at each named point, in the middle of every kind of write-back at once. Another process
 * carries on when the lease is over, and GitHub shows one of everything.
 */

const PROGRAM = path.join(import.meta.dirname, "..", "github-server", "dying-worker.ts");
const KINDS = ["comment-answer", "intake-notice", "merge", "progress", "progress-comment", "pull-request"];

interface Died {
  /** Kinds of the entries that it had in hand at the point. */
  readonly arrived: readonly string[];
  /** Entries that it could take. */
  readonly entries: number;
  /** All that the product has. */
  readonly kinds: readonly string[];
}

function dieAt(params: DyingWorkerParams): Promise<Died> {
  const child = spawn(process.execPath, [PROGRAM, JSON.stringify(params)], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 60_000,
  });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (signal === "SIGKILL") resolve(JSON.parse(said) as Died);
      else reject(new Error(`the worker did not come to ${params.point}: ${signal ?? code ?? "?"} ${said}`));
    });
  });
}

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
  await database.query("update miyabi.outbox set due_at = now() where state = 'pending'");
  return { ...scenario, taskOf, issues: { merged, changed, opened, fresh, refused }, asked };
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
    const { own, database, outbox, settle, tasks, taskOf, issues, asked, pulls, server, gitDir } =
      await setup();
    for (const point of points) {
      const died = await dieAt({ point, queues: QUEUES, ...own });
      expect([...died.kinds].sort()).toEqual(KINDS);
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
    expect(await git(gitDir, "rev-list", "--count", "main")).toBe("2");
  },
);
