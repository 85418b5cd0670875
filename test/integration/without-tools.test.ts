import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createInstallation, eventually, type TestInstallation } from "../support/installation.ts";
import { createTestRepository } from "../support/repository.ts";
import { hasEnded, waitForTask, waitUntilIdle, type TaskFacts } from "../support/task-facts.ts";

/*
 * Machines that lack tmux or bubblewrap: the product runs in a mount namespace in which these programs cannot be
 * executed, which needs no other machine and changes nothing on this one.
 */
let installation: TestInstallation | null = null;
afterEach(async () => {
  await installation?.destroy();
  installation = null;
});

const locate = (program: string): string =>
  spawnSync("/bin/sh", ["-c", `command -v ${program}`], { encoding: "utf8" }).stdout.trim();

/** Words before a command that run it where these programs are not. */
function without(...programs: readonly string[]): readonly string[] {
  const isRoot = process.getuid?.() === 0;
  const hide = programs
    .map(locate)
    .filter((file) => file !== "")
    .map((file) => `mount --bind /dev/null ${file}`)
    .join(" && ");
  return [
    ...["unshare", ...(isRoot ? [] : ["--user", "--map-current-user", "--keep-caps"]), "--mount", "--"],
    ...["/bin/sh", "-c", `${hide} && exec "$@"`, "sh"],
  ];
}

/** What a plain program does for its role; not the sample, so a sandbox is wanted for it. */
const PROGRAM = `
if [ "$MIYABI_ROLE" = review ]; then verdict=approve; else verdict=done; echo hello > hello.txt; fi
echo "{\\"verdict\\":\\"$verdict\\",\\"notes\\":\\"By a program.\\"}" > "$MIYABI_RESULT"
`;

async function setup(hidden: readonly string[], ...flags: readonly string[]): Promise<TestInstallation> {
  const product = await createInstallation({}, undefined, without(...hidden));
  installation = product;
  await writeFile(
    path.join(product.home, "miyabi.yaml"),
    JSON.stringify({
      agent: "program",
      agents: { profiles: { program: { driver: "command", command: "/bin/sh", args: ["-c", PROGRAM] } } },
    }),
  );
  product.up(...flags);
  await waitUntilIdle(product);
  return product;
}

async function addTask(product: TestInstallation): Promise<{ readonly id: string; readonly dir: string }> {
  const repository = await createTestRepository(path.join(product.home, "words"));
  const { stdout, stderr } = await product.cli(
    "task",
    "add",
    "--json",
    "--repo",
    repository.dir,
    "--title",
    "Hello",
  );
  expect(stderr).toBe("");
  return { id: (JSON.parse(stdout) as { id: string }).id, dir: repository.dir };
}

interface Health {
  readonly components: readonly {
    readonly name: string;
    readonly state: string;
    readonly fix: string | null;
  }[];
}
const healthOf = async (product: TestInstallation, name: string) =>
  (await product.get<Health>("/api/health"))?.components.find((one) => one.name === name);

describe("without tmux", () => {
  it("the sample is carried to merged commits in plain processes, and what needs a pane says so", async () => {
    const product = await setup(["tmux"]);
    expect(await healthOf(product, "panes")).toMatchObject({
      state: "degraded",
      fix: expect.stringContaining("tmux"),
    });
    const { taskIds } = await product.post<{ taskIds: string[] }>("/api/demo", {});
    expect(taskIds.length).toBeGreaterThanOrEqual(6);
    // Whoever works now may be done before the command gets there.
    const refused = await eventually("a takeover is refused for want of a pane", 60_000, async () => {
      const agents = await product.get<{ items: { taskId: string | null }[] }>("/api/agents");
      const taskId = agents?.items.find((one) => one.taskId !== null)?.taskId;
      const answer = taskId == null ? null : await product.cli("takeover", taskId);
      return answer?.code === 69 && answer;
    });
    expect(refused.stderr).toContain("tmux");
    for (const id of taskIds) {
      const task = await waitForTask(product, id, hasEnded, 120_000);
      expect(task).toMatchObject({ id, state: "done" });
    }
    const agents = await product.get<{ items: { runtime: string; attachCommand: string | null }[] }>(
      "/api/agents",
    );
    expect(agents?.items.every((one) => one.runtime === "process" && one.attachCommand === null)).toBe(true);
    const { code, stderr } = await product.cli("shutdown");
    expect(code, stderr).toBe(0);
    await eventually("no process is left", 20_000, async () => (await product.processes()).length === 0);
  });
});

describe("without a sandbox that works", () => {
  it("only the sample runs; another task waits and is told what is missing", async () => {
    const product = await setup(["bwrap"]);
    const { id } = await addTask(product);
    const { stdout: why } = await product.cli("task", "explain", id);
    expect(why).toContain("Only the sample runs.");
    expect(await healthOf(product, "sandbox")).toMatchObject({ state: "degraded", fix: expect.any(String) });
    const { taskIds } = await product.post<{ taskIds: string[] }>("/api/demo", {});
    await waitForTask(product, taskIds[0] ?? "", ({ runs }) => runs.some((run) => run.state === "succeeded"));
    const held = await waitForTask(product, id, () => true);
    expect(held.state).not.toBe("done");
    expect(held.runs.some((run) => run.state === "running")).toBe(false);
  });

  it("--unsafe-no-sandbox runs every agent, and leaves no process of theirs behind", async () => {
    const product = await setup(["bwrap"], "--unsafe-no-sandbox");
    const { id } = await addTask(product);
    const task: TaskFacts = await waitForTask(product, id, hasEnded);
    expect(task.state).toBe("done");

    // At the same time on one loopback, each reports as itself: one that is done before the other's first word.
    const repository = await createTestRepository(path.join(product.home, "side-by-side"));
    const words = ["slow", "quick"];
    const ids = await Promise.all(
      words.map(async (word) => {
        const body = `\`\`\`miyabi-recipe\nimplement:\n  - wait: ${word === "slow" ? 2_000 : 500}\n  - write: { path: ${word}.txt, content: ${word} }\n  - commit: "${word}"\nreview:\n  - approve: Good.\n\`\`\`\n`;
        const wanted = { repositoryPath: repository.dir, title: word, body, profile: "sample" };
        return (await product.post<{ id: string }>("/api/tasks", wanted)).id;
      }),
    );
    for (const id of ids) {
      const both = await waitForTask(product, id, hasEnded);
      expect(both).toMatchObject({ state: "done" });
      expect(both.runs.every((run) => run.state === "succeeded")).toBe(true);
    }
    for (const word of words) expect(await repository.git("show", `main:${word}.txt`)).toBe(word);
    const { code, stderr } = await product.cli("shutdown");
    expect(code, stderr).toBe(0);
    await eventually("no process is left", 20_000, async () => (await product.processes()).length === 0);
  });
});
