import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createInstallation, eventually, type TestInstallation } from "../support/installation.ts";
import { createTestRepository, type TestRepository } from "../support/repository.ts";
import { hasEnded, transcriptOf, waitForTask, waitUntilIdle, type TaskFacts } from "../support/task-facts.ts";

/*
 * Bad agents on one installation, all at once: each is contained within its step's time, `explain` says what it did,
 * nothing of it lives on, and good tasks are carried through beside them and after them.
 */
const MEBIBYTE = 1024 * 1024;
/** Agents that never end are given little time; the others enough for a machine that is busy otherwise. */
const SHORT_SECONDS = 4;
const LONG_SECONDS = 60;
const OUTPUT_BYTES = 20 * MEBIBYTE;
const workflowOf = (seconds: number): string => `version: 1
steps:
  - { name: implement, kind: agent, role: code, retries: 0, timeout: ${seconds}s }
  - { name: review, kind: agent, role: review, onChanges: implement }
  - { name: merge, kind: merge, onConflict: implement }
`;
const GOOD_ISSUE = (name: string): string => `Write a word.

\`\`\`miyabi-recipe
implement:
  - write: { path: ${name}.txt, content: "${name}\\n" }
  - commit: "feat: ${name}"
review:
  - approve: One word.
\`\`\`
`;
/** Nobody else sleeps for as long. */
const NAP = `86399.${process.pid}`;
const report = (verdict: string): string =>
  `echo '{"verdict":"${verdict}","notes":"By a program."}' > "$MIYABI_RESULT"`;

interface BadAgent {
  readonly does: string;
  /** A shell script of the command driver, or the name of a program that speaks ACP, with an argument. */
  readonly by: { readonly script: string } | { readonly acp: string };
  readonly state: "failed" | "done" | "waiting";
  readonly code: string | null;
  /** `explain` says so. */
  readonly says: RegExp;
}

type End = Pick<BadAgent, "state" | "code" | "says">;
const NO_VERDICT: End = { state: "failed", code: "agent.no_verdict", says: /without reporting a result/ };
const TOO_LONG: End = { state: "failed", code: "run.timeout", says: /longer than 4 s and was ended/ };
const TOO_MUCH: End = { state: "failed", code: "run.output_limit", says: /More than 20 MiB were printed/ };

const AGENTS: readonly BadAgent[] = [
  {
    does: "exits at once",
    by: { script: "echo no license >&2; exit 3" },
    state: "failed",
    code: "agent.exited",
    says: /exited with code 3[^]*no license/,
  },
  {
    does: "is not there",
    by: { script: "exec /nowhere/agent" },
    state: "failed",
    code: "agent.exited",
    says: /exited with code 127/,
  },
  { does: "never answers", by: { script: "trap '' TERM INT HUP; while :; do sleep 1; done" }, ...TOO_LONG },
  {
    does: "prints binary and ends in order",
    by: { script: "head -c 3000000 /dev/urandom; head -c 100000 /dev/urandom >&2" },
    ...NO_VERDICT,
  },
  {
    does: "prints 100 MB in one line",
    by: { script: `head -c 100000000 /dev/zero | tr '\\0' x; ${report("done")}` },
    ...TOO_MUCH,
  },
  {
    does: "prints without end on standard error",
    by: { script: "yes 'something went wrong' >&2" },
    ...TOO_MUCH,
  },
  {
    does: "leaves children in sessions of their own",
    by: { script: `for i in 1 2 3; do setsid -f sleep ${NAP}; (sleep ${NAP} &) ; done` },
    ...NO_VERDICT,
  },
  {
    does: "forks without end",
    // Copies of the shell that wait for one another cost less than programs.
    by: { script: `mkfifo "$HOME/f"; while :; do read nap < "$HOME/f" & : ${NAP}; done` },
    state: "failed",
    code: null,
    // A normal user meets the kernel's limit first.
    says: /runs \d+ processes and threads|exited with code/,
  },
  {
    does: "leaves children and reports done",
    by: {
      script: `if [ "$MIYABI_ROLE" = review ]; then ${report("approve")}; else
        echo ok > ok.txt; setsid -f sleep ${NAP}; ${report("done")}; fi`,
    },
    state: "done",
    code: null,
    says: /merged into main/,
  },
  {
    does: "reports by a link to a file outside",
    by: { script: `ln -sf /etc/passwd "$MIYABI_RESULT"` },
    state: "failed",
    code: "agent.exited",
    says: /MIYABI_RESULT is not valid/,
  },
  {
    does: "hands over links to paths outside its clone",
    by: { script: `ln -s /etc/passwd outside; git add outside; git commit -qm outside; ${report("done")}` },
    state: "failed",
    code: null,
    says: /outside/,
  },
  {
    does: "writes outside its clone",
    by: { script: `echo x > "$OUTSIDE"` },
    state: "failed",
    code: "agent.exited",
    says: /exited with code/,
  },
  {
    does: "speaks ACP and exits at once",
    by: { acp: "exits-at-once" },
    state: "failed",
    code: "agent.protocol",
    says: /exited with code 3/,
  },
  { does: "speaks ACP and never answers the handshake", by: { acp: "never-answers" }, ...TOO_LONG },
  { does: "speaks ACP and never ends its turn", by: { acp: "ignores-cancel" }, ...TOO_LONG },
  {
    does: "speaks ACP and prints binary",
    by: { acp: "binary" },
    state: "failed",
    code: "agent.protocol",
    says: /not the Agent Client Protocol/,
  },
  {
    does: "speaks ACP and prints 100 MB as one message",
    by: { acp: "endless-line" },
    state: "failed",
    // It floods on until it is dead, which may meet the limit of all output first.
    code: null,
    says: /more than 16 MiB|More than 20 MiB were printed/,
  },
  { does: "speaks ACP and prints 100 MB as messages", by: { acp: "floods-messages" }, ...TOO_MUCH },
  {
    does: "speaks ACP and dies in its turn",
    by: { acp: "dies-mid-turn" },
    state: "failed",
    code: "agent.exited",
    says: /exited with code 139/,
  },
  { does: "speaks ACP and leaves children", by: { acp: `leaves-children ${NAP}` }, ...NO_VERDICT },
  { does: "speaks ACP and asks for a path outside", by: { acp: "reaches-outside OUTSIDE" }, ...NO_VERDICT },
];

let product: TestInstallation;
let repository: TestRepository;
let impatient: TestRepository;
let outside: string;
const ids = new Map<string, string>();
const nameOf = (index: number): string => `bad-${index}`;

beforeAll(async () => {
  product = await createInstallation();
  [repository, impatient] = (await Promise.all(
    [LONG_SECONDS, SHORT_SECONDS].map((seconds) =>
      createTestRepository(path.join(product.home, `words-${seconds}`), {
        ".miyabi/workflow.yaml": workflowOf(seconds),
      }),
    ),
  )) as [TestRepository, TestRepository];
  outside = path.join(product.home, "outside.txt");
  await writeFile(outside, "secret");
  const programs = Object.fromEntries(
    await Promise.all(
      ["acp.mjs", "misbehaving.mjs"].map(async (name) => [
        name,
        await readFile(path.join(import.meta.dirname, "../support/agents", name), "utf8"),
      ]),
    ),
  ) as Record<string, string>;
  const profileOf = ({ by }: BadAgent): object =>
    "script" in by
      ? { driver: "command", command: "/bin/sh", args: ["-c", by.script], env: { OUTSIDE: outside } }
      : {
          driver: "acp",
          command: "{node}",
          args: ["{home}/misbehaving.mjs", ...by.acp.replace("OUTSIDE", outside).split(" ")],
          files: programs,
        };
  await writeFile(
    path.join(product.home, "miyabi.yaml"),
    JSON.stringify({
      limits: { outputBytes: OUTPUT_BYTES },
      agents: {
        profiles: Object.fromEntries(AGENTS.map((agent, index) => [nameOf(index), profileOf(agent)])),
      },
    }),
  );
  product.up();
  await waitUntilIdle(product);
  for (const [index, { does, code }] of AGENTS.entries())
    ids.set(does, await add(does, nameOf(index), code === "run.timeout" ? impatient : repository));
  ids.set("good", await add("good", "sample"));
});
afterAll(() => product.destroy());

const add = async (title: string, profile: string, where = repository): Promise<string> => {
  const { id } = await product.post<{ id: string }>("/api/tasks", {
    repositoryPath: where.dir,
    title,
    body: GOOD_ISSUE(title),
    profile,
  });
  return id;
};

/** Command lines on this machine with the nap in them, whatever their parents and directories are. */
async function nappers(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const args = await readFile(`/proc/${name}/cmdline`, "latin1").catch(() => "");
    if (args.includes(NAP)) found.push(`${name} ${args.replaceAll("\0", " ")}`);
  }
  return found;
}

describe("an agent that", () => {
  it.each(AGENTS)("$does", async ({ does, state, code, says }) => {
    const task: TaskFacts = await waitForTask(product, ids.get(does) ?? "", hasEnded, 120_000);
    expect(task.state, JSON.stringify(task.reason)).toBe(state);
    if (code !== null) expect(task.reason?.code).toBe(code);
    const { code: exit, stdout } = await product.cli("task", "explain", task.id);
    expect(exit).toBe(0);
    expect(stdout).toMatch(says);
    expect(task.runs.filter((run) => run.step === "implement")).toHaveLength(1);
    const said = (await transcriptOf(product, task)).map((body) => JSON.stringify(body)).join("\n");
    expect(said.length).toBeLessThan(OUTPUT_BYTES * 1.2);
    // Control characters are escaped in JSON, and a backslash of the text is doubled.
    expect(said).not.toMatch(/(?<!\\)\\u00(0[0-8bcef]|1)/);
    expect(said).not.toContain("secret");
  });
});

describe("after bad agents", () => {
  it("no process of theirs is left, and no file outside was touched", async () => {
    await eventually("nobody naps", 5_000, async () => (await nappers()).length === 0);
    expect(await readFile(outside, "utf8")).toBe("secret");
    expect(await repository.git("ls-tree", "--name-only", "main")).not.toContain("outside");
    const programs = (await product.processes()).filter(({ args }) => args.includes("misbehaving.mjs"));
    expect(programs).toEqual([]);
  });

  it("the task beside them is done, and the next one too, on the same hosts", async () => {
    const later = await add("later", "sample");
    for (const id of [ids.get("good") ?? "", later])
      expect(await waitForTask(product, id, hasEnded)).toMatchObject({ state: "done" });
    expect(await repository.git("show", "main:good.txt")).toBe("good\n");
    await waitUntilIdle(product);
  });
});
