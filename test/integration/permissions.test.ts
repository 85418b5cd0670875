import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createInstallation, eventually, type TestInstallation } from "../support/installation.ts";
import { createTestRepository, type TestRepository } from "../support/repository.ts";
import { hasEnded, transcriptOf, waitForTask, waitUntilIdle, type TaskFacts } from "../support/task-facts.ts";

/* An agent asks for permission; the installation's policy for its profile answers, or a person does. */
const ISSUE = (word: string): string => `Write a word.

\`\`\`miyabi-recipe
implement:
  - permission: Write the word ${word}?
  - write: { path: ${word}.txt, content: "${word}\\n" }
  - commit: "feat: ${word}"
review:
  - approve: One word.
\`\`\`
`;

interface Question {
  readonly id: string;
  readonly kind: string;
  readonly taskId: string;
  readonly asker: string;
  readonly text: string;
  readonly options: readonly string[];
}

let product: TestInstallation;
let repository: TestRepository;
beforeAll(async () => {
  product = await createInstallation();
  repository = await createTestRepository(path.join(product.home, "words"));
  await writeFile(
    path.join(product.home, "miyabi.yaml"),
    JSON.stringify({
      agents: {
        profiles: {
          asks: { based: "sample", permissions: "ask" },
          forbids: { based: "sample", permissions: "forbid" },
        },
      },
    }),
  );
  product.up();
  await waitUntilIdle(product);
});
afterAll(() => product.destroy());

const add = async (word: string, profile: string): Promise<string> => {
  const { id } = await product.post<{ id: string }>("/api/tasks", {
    repositoryPath: repository.dir,
    title: `A word: ${word}`,
    body: ISSUE(word),
    profile,
  });
  return id;
};
const openQuestions = async (taskId: string): Promise<readonly Question[] | null> => {
  const page = await product.get<{ items: Question[] }>("/api/questions?open=true");
  return page === null ? null : page.items.filter((one) => one.taskId === taskId);
};
const question = (taskId: string): Promise<Question> =>
  eventually(`${taskId} asks`, 30_000, async () => (await openQuestions(taskId))?.[0]);
const decisionsOf = async (task: TaskFacts): Promise<readonly string[]> =>
  (await transcriptOf(product, task)).flatMap((body) =>
    body.kind === "permission" ? [`${body.decision} by ${body.by}`] : [],
  );

describe("permission requests", () => {
  it("wait for a person, are answered by command, also across a killed control plane, and the agent goes on", async () => {
    const id = await add("hello", "asks");
    const asked = await question(id);
    expect(asked).toMatchObject({
      kind: "permission",
      text: "Write the word hello?",
      options: ["Allow", "Do not allow"],
    });
    const { stdout: list } = await product.cli("ask", "list");
    expect(list).toContain("Write the word hello?");
    expect(list).toContain(`ask answer ${asked.id}`);
    const { stdout: why } = await product.cli("task", "explain", id);
    expect(why).toContain("Its agent asks: Write the word hello?");

    const wrong = await product.cli("ask", "answer", asked.id, "Perhaps");
    expect(wrong.code).not.toBe(0);
    expect(wrong.stderr).toContain("one of: Allow, Do not allow");

    const { pid } = JSON.parse(
      await readFile(path.join(product.home, "run", "control-plane.json"), "utf8"),
    ) as { pid: number };
    process.kill(pid, "SIGKILL");
    const answered = await eventually("the answer is taken", 20_000, async () => {
      const result = await product.cli("ask", "answer", asked.id, "Allow");
      return result.code === 0 && result;
    });
    expect(answered.stdout).toContain(`${id} goes on`);
    const task = await waitForTask(product, id, hasEnded);
    expect(task.state).toBe("done");
    // The agent waited in its first run all the time.
    expect(task.runs.filter((run) => run.step === "implement")).toHaveLength(1);
    expect(await repository.git("show", "main:hello.txt")).toBe("hello\n");
    expect(await decisionsOf(task)).toEqual(["asked by null", "allowed by person"]);
    expect(await openQuestions(id)).toEqual([]);
  });

  it("that a person refuses are refused to the agent", async () => {
    const id = await add("never", "asks");
    const asked = await question(id);
    await product.post(`/api/questions/${asked.id}/answer`, { answer: "Do not allow" });
    const task = await waitForTask(product, id, hasEnded);
    expect(task).toMatchObject({ state: "waiting", waitsFor: "person" });
    expect(await decisionsOf(task)).toEqual(["asked by null", "denied by person"]);
  });

  it("are granted by a policy that allows, and denied by one that forbids, without asking anybody", async () => {
    const [allowed, denied] = [await add("yes", "sample"), await add("no", "forbids")];
    const done = await waitForTask(product, allowed, hasEnded);
    expect(done.state).toBe("done");
    expect(await decisionsOf(done)).toEqual(["allowed by policy"]);
    const blocked = await waitForTask(product, denied, hasEnded);
    expect(blocked).toMatchObject({ state: "waiting", waitsFor: "person" });
    expect(await decisionsOf(blocked)).toEqual(["denied by policy"]);
    const all = await product.get<{ items: Question[] }>("/api/questions?open=false");
    expect(all?.items.filter((one) => [allowed, denied].includes(one.taskId))).toEqual([]);
  });

  it("of a run that ends are withdrawn, so that nobody is asked in vain", async () => {
    const id = await add("later", "asks");
    const asked = await question(id);
    expect((await product.cli("task", "cancel", id)).code).toBe(0);
    await waitForTask(product, id, (task) => task.state === "cancelled");
    expect(await openQuestions(id)).toEqual([]);
    const late = await product.cli("ask", "answer", asked.id, "Allow");
    expect(late.code).not.toBe(0);
    expect(late.stderr).toContain("needs no answer any more");
  });
});
