import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createTestDatabase } from "../../src/store/testing.ts";
import { findProcesses } from "../crash/victims.ts";
import { git } from "../github-server/git.ts";
import { addRepository, labelIssue, openIssue, passChecks, pullsOf } from "../github-server/people.ts";
import { startGitHubServer } from "../github-server/server.ts";
import { createInstallation, eventually, type TestInstallation } from "../support/installation.ts";
import { createTestRepository } from "../support/repository.ts";
import { hasEnded, waitForTask, waitUntilIdle, type TaskFacts } from "../support/task-facts.ts";

const SAMPLE = path.join(import.meta.dirname, "..", "..", "examples", "sample-project", "project");

/** Reviewed once, sent back, and then at work for a while. */
const recipe = (file: string): string => `Add a file.

\`\`\`miyabi-recipe
implement:
  - write:
      path: ${file}
      content: "Kaede Tea House\\n"
  - commit: "docs: who made the menu card"
review:
  - changes: Say where, too.
  - approve: As asked.
changes-requested:
  - wait: 12000
  - append:
      path: ${file}
      content: "Kyoto\\n"
  - commit: "docs: where"
\`\`\``;

const agentsOf = async (product: TestInstallation): Promise<readonly string[]> =>
  ((await product.get<{ items: { slot: string }[] }>("/api/agents"))?.items ?? []).map(({ slot }) => slot);

/** Two data directories, each with a control plane and agents, on one PostgreSQL and one GitHub. */
async function setup() {
  const root = await mkdtemp(path.join(os.tmpdir(), "miyabi-machines-"));
  const { connectionUrl } = await createTestDatabase();
  const work = path.join(root, "work");
  await mkdir(work);
  await cp(SAMPLE, work, { recursive: true });
  await createTestRepository(work, {});
  const server = await startGitHubServer({ root });
  const repository = await addRepository(server, {
    root,
    name: "octo/menu",
    from: work,
    people: { hanako: "write" },
  });
  const checks = setInterval(() => void passChecks(server, repository).catch(() => {}), 200);
  const products = await Promise.all([1, 2].map(() => createInstallation({ DATABASE_URL: connectionUrl })));
  onTestFinished(async () => {
    clearInterval(checks);
    await Promise.all(
      products.map(async (product) => {
        await product.cli("shutdown");
        await product.destroy();
      }),
    );
    await server.close();
    await rm(root, { recursive: true, force: true });
  });
  for (const product of products) {
    const settings = {
      github: {
        apiUrl: server.url,
        token: "GITHUB_TOKEN",
        pollSeconds: 1,
        repositories: [{ name: "octo/menu", merge: "when-green" }],
      },
    };
    await writeFile(path.join(product.home, "miyabi.yaml"), JSON.stringify(settings));
    await writeFile(path.join(product.home, ".env"), `GITHUB_TOKEN=${server.state.token}\n`, { mode: 0o600 });
    product.up();
    await waitUntilIdle(product);
  }
  const label = (title: string, file: string) => {
    const issue = openIssue(repository, { title, body: recipe(file), by: "hanako" });
    labelIssue(server, issue, { name: "miyabi", by: "hanako" });
    return issue;
  };
  return { products, server, repository, label, work };
}

const taskOf = (product: TestInstallation, title: string) =>
  eventually(`"${title}" is a task`, 60_000, async () => {
    const tasks = await product.get<{ items: { id: string; title: string }[] }>("/api/tasks");
    return tasks?.items.find((task) => task.title === title);
  });
const runOf = ({ runs }: TaskFacts) => runs.find(({ state }) => state === "running");

test("two machines on one database: each knows its own agents, a dead one's work goes on at the other, and all happens once", async () => {
  const { products, server, repository, label, work } = await setup();
  const [one, other] = products as [TestInstallation, TestInstallation];
  const teams = await Promise.all(products.map(agentsOf));
  expect(new Set(teams.flat()).size).toBe(teams.flat().length);

  // A local repository's task is carried out where the repository lies, whoever asks.
  const local = await mkdtemp(path.join(os.tmpdir(), "miyabi-local-"));
  onTestFinished(() => rm(local, { recursive: true, force: true }));
  await cp(work, local, { recursive: true });
  const added = await other.post<{ id: string }>("/api/tasks", {
    repositoryPath: local,
    title: "Who made it",
    body: recipe("AUTHORS"),
  });

  const issue = label("Say who made it", "AUTHORS");
  const begun = await waitForTask(
    one,
    (await taskOf(one, issue.title)).id,
    (task) => task.rounds > 0 && runOf(task)?.step === "implement",
    120_000,
  );
  const slot = runOf(begun)?.slot ?? "";

  // The machine that works on the issue dies: supervisor and control plane; its agents live on and reach nobody.
  const [dead, alive] = teams[0]?.includes(slot) === true ? [one, other] : [other, one];
  const [explained, { stderr }] = await Promise.all([
    alive.get<{ reasons: { code: string }[] }>(`/api/tasks/${begun.id}/explain`),
    alive.cli("takeover", begun.id),
  ]);
  expect(explained?.reasons.map(({ code }) => code)).toContain("machine.works");
  expect(stderr).toContain("do it there");
  const parts = ["supervisor", "control-plane"] as const;
  const pids = (await Promise.all(parts.map((kind) => findProcesses(dead, kind))))
    .flat()
    .map(({ pid }) => pid);
  for (const signal of ["SIGSTOP", "SIGKILL"] as const) for (const pid of pids) process.kill(pid, signal);

  const done = await waitForTask(alive, begun.id, hasEnded, 120_000);
  expect(done.state).toBe("done");
  expect(done.runs.filter(({ state }) => state === "lost")).toHaveLength(1);
  await eventually("its issue says so", 30_000, () =>
    Promise.resolve(issue.state === "closed" && issue.labels.includes("miyabi:delivered")),
  );

  // It comes back to find its work done, and nothing of it left alive.
  dead.up();
  await waitUntilIdle(dead);
  await eventually(
    "no agent of it is left",
    30_000,
    async () => (await findProcesses(dead, "agent")).length === 0,
  );
  const ended = await waitForTask(other, added.id, hasEnded, 120_000);
  expect(ended.state).toBe("done");
  for (const run of ended.runs) expect(teams[1]).toContain(run.slot);
  const next = label("Say who printed it", "PRINTERS");
  const again = await taskOf(dead, next.title);
  expect((await waitForTask(dead, again.id, hasEnded, 120_000)).state).toBe("done");

  await eventually("both issues are closed", 30_000, () => Promise.resolve(next.state === "closed"));
  expect(pullsOf(repository).map(({ pull }) => pull?.merged)).toEqual([true, true]);
  for (const { comments } of [issue, next])
    expect(comments.filter(({ user }) => user === server.state.login)).toHaveLength(1);
  expect(await git(repository.gitDir, "rev-list", "--count", "main")).toBe("3");
});
