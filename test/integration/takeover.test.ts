import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createInstallation, eventually, type TestInstallation } from "../support/installation.ts";
import { createTestRepository, type TestRepository } from "../support/repository.ts";
import { hasEnded, transcriptOf, waitForTask, waitUntilIdle } from "../support/task-facts.ts";

/* A person takes an agent's terminal over in its pane, works in its clone and hands it back. */
const ISSUE = `Write a word.

\`\`\`miyabi-recipe
implement:
  - write: { path: begun.txt, content: "begun\\n" }
  - commit: "feat: begin"
  - wait: 600000
continue:
  - write: { path: ended.txt, content: "ended\\n" }
  - commit: "feat: end"
review:
  - approve: Good.
\`\`\`
`;
/** Any program: waits in its first run until somebody takes over, and reports in the next. */
const PROGRAM = `
if [ "$MIYABI_ROLE" = review ]; then verdict=approve; else
  verdict=done
  if [ ! -e person.txt ]; then touch waiting.txt; sleep 600; fi
fi
echo "{\\"verdict\\":\\"$verdict\\",\\"notes\\":\\"By a program.\\"}" > "$MIYABI_RESULT"
`;

const run = promisify(execFile);
let product: TestInstallation;
let repository: TestRepository;
beforeAll(async () => {
  product = await createInstallation();
  repository = await createTestRepository(path.join(product.home, "words"));
  await writeFile(
    path.join(product.home, "miyabi.yaml"),
    JSON.stringify({
      agents: { profiles: { program: { driver: "command", command: "/bin/sh", args: ["-c", PROGRAM] } } },
    }),
  );
  product.up();
  await waitUntilIdle(product);
});
afterAll(() => product.destroy());

const add = async (title: string, profile: string): Promise<string> => {
  const { id } = await product.post<{ id: string }>("/api/tasks", {
    repositoryPath: repository.dir,
    title,
    body: ISSUE,
    profile,
  });
  return id;
};

/** Waits until the agent of the task is in the middle of its work: a file of its own is in the clone. */
const isInTheMiddle = (id: string, file: string): Promise<unknown> =>
  eventually(`${id} is in the middle of its work`, 30_000, () =>
    readFile(path.join(product.home, "sessions", `${id}-code`, "clone", file)).catch(() => null),
  );

interface Taken {
  readonly slot: string;
  readonly attachCommand: string;
}

const takeOver = async (id: string): Promise<Taken> => {
  const { code, stdout, stderr } = await product.cli("takeover", id, "--json");
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Taken;
};

/** The pane of a slot, with somebody at its keyboard. */
const keyboard = ({ slot, attachCommand }: Taken) => {
  const socket = /-S\s*'?([^\s']+)/.exec(attachCommand)?.[1] ?? "";
  const tmux = (...args: readonly string[]) => run("tmux", ["-S", socket, ...args]);
  const pane = async (): Promise<string> => {
    const { stdout } = await tmux("list-panes", "-a", "-F", "#{pane_id} #{@miyabi_slot}");
    return (
      stdout
        .split("\n")
        .find((line) => line.endsWith(` ${slot}`))
        ?.split(" ")[0] ?? ""
    );
  };
  return {
    type: async (line: string): Promise<void> => {
      await tmux("send-keys", "-t", await pane(), "-l", line);
      await tmux("send-keys", "-t", await pane(), "Enter");
    },
    shows: (text: string | RegExp): Promise<string> => {
      let shown = "";
      return eventually(`the pane shows ${text}`, 15_000, async () => {
        const screen = await product.get<{ content: string }>(`/api/agents/${slot}/screen`);
        shown = (screen?.content ?? "").replaceAll(/\x1b\[[0-9;]*m/g, "");
        return (typeof text === "string" ? shown.includes(text) : text.test(shown)) && shown;
      }).catch((error: unknown) => {
        throw new Error(`${String(error)}, but this:\n${shown}`, { cause: error });
      });
    },
  };
};

const stateOf = async (slot: string): Promise<string | undefined> => {
  const agents = await product.get<{ items: { slot: string; state: string }[] }>("/api/agents");
  return agents?.items.find((agent) => agent.slot === slot)?.state;
};

describe("takeover", () => {
  it("gives a person the agent's own terminal, across a killed control plane, and takes their commits back", async () => {
    const id = await add("A word", "sample");
    await isInTheMiddle(id, "begun.txt");
    const before = await waitForTask(product, id, (task) => task.state === "running");
    expect(before.actions).toContain("takeover");
    const taken = await takeOver(id);
    const { type, shows } = keyboard(taken);
    await shows("This is the sample agent");
    await waitForTask(product, id, (task) => task.takenOver && task.waitsFor === "person");
    await eventually(
      "the agent is shown as taken over",
      10_000,
      async () => (await stateOf(taken.slot)) === "taken-over",
    );
    const { stdout: why } = await product.cli("task", "explain", id);
    expect(why).toContain(`handback ${id}`);
    await type(
      "id -un; cat begun.txt; echo mine > mine.txt && git add mine.txt && git commit -qm 'feat: mine' && echo committed",
    );
    const screen = await shows(/^committed/m);
    expect(screen).toMatch(/^agent$/m);
    expect(screen).toMatch(/^begun$/m);

    const { pid } = JSON.parse(
      await readFile(path.join(product.home, "run", "control-plane.json"), "utf8"),
    ) as { pid: number };
    process.kill(pid, "SIGKILL");
    await eventually("the host is adopted", 20_000, async () => (await stateOf(taken.slot)) === "taken-over");
    await type("echo left > left.txt; echo still here");
    await shows(/^still here/m);
    const kept = await waitForTask(product, id, (task) => task.takenOver);
    expect(kept.runs.map((one) => one.id)).toEqual(before.runs.map((one) => one.id));
    expect(await takeOver(id)).toEqual(taken);

    const back = await product.cli("handback", id);
    expect(back.code, back.stderr).toBe(0);
    const task = await waitForTask(product, id, hasEnded);
    expect(task.state).toBe("done");
    expect(task.runs.filter((one) => one.step === "implement")).toHaveLength(1);
    const files = await repository.git("ls-tree", "--name-only", "main");
    for (const file of ["begun.txt", "mine.txt", "left.txt", "ended.txt"]) expect(files).toContain(file);
    const prompts = (await transcriptOf(product, task)).flatMap((body) =>
      body.kind === "prompt" ? [body.text] : [],
    );
    expect(prompts[1]).toContain("handed it back");
    expect(prompts[1]).toContain("feat: mine");

    const late = await product.cli("takeover", id);
    expect(late.code).not.toBe(0);
    expect(late.stderr).toContain(`${id} is done: no agent works on it any more.`);
  });

  it("opens a shell for an agent that has no terminal, and a new session with a summary afterwards", async () => {
    const id = await add("Another word", "program");
    await isInTheMiddle(id, "waiting.txt");
    const early = await product.cli("handback", id);
    expect(early.code).not.toBe(0);
    expect(early.stderr).toContain("nothing to hand back");
    const { type, shows } = keyboard(await takeOver(id));
    await shows("miyabi $");
    await type("rm waiting.txt; echo mine > person.txt; exit");
    await shows("Press Enter to open it again");
    await type("");
    await shows(/^miyabi \$\s*$/m);
    const back = await product.cli("handback", id);
    expect(back.code, back.stderr).toBe(0);
    const task = await waitForTask(product, id, hasEnded);
    expect(task.state).toBe("done");
    expect(await repository.git("show", "main:person.txt")).toBe("mine\n");
    const prompts = (await transcriptOf(product, task)).flatMap((body) =>
      body.kind === "prompt" ? [body.text] : [],
    );
    expect(prompts[1]).toContain("Another word");
    expect(prompts[1]).toContain("handed it back");
  });

  it("ends with the agent host that is killed; what the person did is kept, and the task goes on", async () => {
    const id = await add("A third word", "sample");
    await isInTheMiddle(id, "begun.txt");
    const taken = await takeOver(id);
    const { type, shows } = keyboard(taken);
    await shows("This is the sample agent");
    await type("echo mine > third.txt; echo written");
    await shows(/^written/m);
    const agents = await product.get<{ items: { slot: string; hostPid: number }[] }>("/api/agents");
    process.kill(agents?.items.find((agent) => agent.slot === taken.slot)?.hostPid ?? 0, "SIGKILL");
    await waitForTask(product, id, (task) => !task.takenOver && task.state === "running");
    await isInTheMiddle(id, "third.txt");
    const gone = await product.cli("handback", id);
    expect(gone.stderr).toContain("nothing to hand back");
    expect((await product.cli("task", "cancel", id)).code).toBe(0);
  });

  it("names a task that does not exist", async () => {
    const { code, stderr } = await product.cli("takeover", "T9999");
    expect(code).toBe(66);
    expect(stderr).toContain("There is no task T9999");
  });
});
