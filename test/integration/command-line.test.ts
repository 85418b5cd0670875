import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createInstallation, type TestInstallation } from "../support/installation.ts";
import { createTestRepository } from "../support/repository.ts";
import { hasEnded, waitForTask, waitUntilIdle } from "../support/task-facts.ts";

/*
 * Every command of the built product, found by its own help: each takes --json, prints one JSON value on standard output
 * and nothing else, and says by its exit code and a problem on standard error what went wrong.
 */
const ISSUE = (steps: string): string => `Write a word.

\`\`\`miyabi-recipe
implement:
${steps}
review:
  - approve: One word.
\`\`\`
`;
const WRITES = ISSUE('  - write: { path: word.txt, content: "word\\n" }\n  - commit: "feat: word"');
const WAITS = ISSUE("  - wait: 600000");

let product: TestInstallation;
/** Where nothing runs. */
let idle: TestInstallation;
let scratch: string;
let repository: string;
/** A finished task, one at work, and two that have not begun. */
let done: string;
let working: string;
let blocked: string;
let spare: string;
beforeAll(async () => {
  [product, idle, scratch] = await Promise.all([
    createInstallation(),
    createInstallation(),
    mkdtemp(path.join(os.tmpdir(), "miyabi-command-")),
  ]);
  await writeFile(
    path.join(product.home, "miyabi.yaml"),
    JSON.stringify({
      gateway: { providers: { local: { kind: "openai-compatible", baseUrl: "http://127.0.0.1:9/v1" } } },
    }),
  );
  repository = (await createTestRepository(path.join(scratch, "words"))).dir;
  product.up();
  await waitUntilIdle(product);
  const add = async (body: string, dependsOn: readonly string[] = []): Promise<string> => {
    const task = { repositoryPath: repository, title: "A word", body, dependsOn };
    return (await product.post<{ id: string }>("/api/tasks", task)).id;
  };
  done = await add(WRITES);
  expect(await waitForTask(product, done, hasEnded)).toMatchObject({ state: "done" });
  working = await add(WAITS);
  blocked = await add(WRITES, [working]);
  spare = await add(WRITES, [working]);
  await waitForTask(product, working, ({ state }) => state === "running");
}, 120_000);
afterAll(async () => {
  await Promise.all([product.destroy(), idle.destroy()]);
  await rm(scratch, { recursive: true, force: true });
});

interface Usage {
  /** Without the product's name, e.g. `task add`; empty for the product itself. */
  readonly command: string;
  readonly isLeaf: boolean;
  readonly help: string;
}

/** All commands below one, by what their help says. */
async function commandsBelow(command: string): Promise<readonly Usage[]> {
  const { code, stdout } = await idle.cli(...command.split(" ").filter(Boolean), "--help");
  expect(code, command).toBe(0);
  // Of an unknown command the help is its parent's, and this would never end.
  expect(stdout).toMatch(new RegExp(`^Usage: miyabi${command === "" ? "" : " "}${command}(?![^ \\n|])`));
  const listed = /\nCommands:\n([^]*)$/.exec(stdout)?.[1] ?? "";
  const names = [...listed.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map((match) => match[1] ?? "");
  const below = await Promise.all(
    names.filter((name) => name !== "help").map((name) => commandsBelow(`${command} ${name}`.trim())),
  );
  // A command with an action of its own has no `help` below it, or no commands at all.
  return [{ command, isLeaf: !names.includes("help"), help: stdout }, ...below.flat()];
}

interface Run {
  readonly command: string;
  readonly args?: () => readonly string[];
  /** Where it is not 0. */
  readonly exit?: number;
  /** One JSON value a line, instead of one in all. */
  readonly lines?: true;
}

/** In this order on one installation. */
const RUNS: readonly Run[] = [
  { command: "status" },
  { command: "doctor" },
  { command: "login" },
  { command: "init", args: () => ["--repo", repository, "--yes"] },
  { command: "setup", args: () => ["codex", "--dry-run", "--home", scratch] },
  {
    command: "task add",
    args: () => ["--repo", repository, "--title", "Another", "--depends-on", working],
  },
  { command: "task list", args: () => ["--state", "done,running"] },
  { command: "task show", args: () => [done] },
  { command: "task explain", args: () => [blocked] },
  { command: "task diff", args: () => [done] },
  { command: "task depend", args: () => [blocked, "--on", working] },
  { command: "task priority", args: () => [blocked, "P0"] },
  { command: "task cancel", args: () => [spare, "--reason", "for the test"] },
  { command: "task retry", args: () => [spare] },
  { command: "ask list" },
  { command: "agents" },
  { command: "attach", args: () => ["kaede"] },
  { command: "tell", args: () => ["kaede", "Hello"] },
  { command: "takeover", args: () => [working] },
  { command: "handback", args: () => [working] },
  { command: "drain", args: () => ["botan"] },
  { command: "restart", args: () => ["botan"] },
  { command: "providers" },
  { command: "providers key", args: () => ["local", "--remove"] },
  { command: "keys add", args: () => ["--name", "mine"] },
  { command: "keys list" },
  { command: "keys revoke", args: () => ["K1"] },
  { command: "calls" },
  { command: "dead-letters list" },
  { command: "cache" },
  { command: "cache clear", args: () => ["--all"] },
  { command: "logs", args: () => ["--task", done], lines: true },
  { command: "logs", args: () => ["--system"], lines: true },
  { command: "demo" },
  { command: "shutdown" },
  { command: "start", args: () => ["--no-demo", "--port", String(product.port)] },
];
const DEAD_LETTERS = ["show", "retry", "discard"].map((name) => `dead-letters ${name}`);
/** Nothing waits for an answer or an approval here, nothing was called or given up, and `up` stays; their failures are below. */
const NOT_RUN: readonly string[] = ["ask answer", "task approve", "calls show", ...DEAD_LETTERS, "up"];

const NO_CALL = "00000000-0000-4000-8000-000000000000";

interface Refusal {
  readonly line: string;
  readonly args: () => readonly string[];
  readonly exit: number;
  readonly code: string;
}
const refusal = (exit: number, code: string, line: string, args?: () => readonly string[]): Refusal => ({
  line,
  args: args ?? (() => line.split(" ")),
  exit,
  code,
});

const REFUSALS: readonly Refusal[] = [
  refusal(64, "usage.invalid", "frobnicate"),
  refusal(64, "usage.invalid", "status --frobnicate"),
  refusal(64, "usage.invalid", "task show"),
  refusal(64, "usage.invalid", "task show first"),
  refusal(64, "usage.invalid", "task list --state sleeping"),
  refusal(64, "usage.invalid", "task add --title x"),
  refusal(64, "usage.invalid", "task add --repo . --title x --body-file /nowhere"),
  refusal(64, "usage.invalid", "task priority T1 P9"),
  refusal(64, "usage.invalid", "up --port 99999"),
  refusal(64, "usage.invalid", "cache clear"),
  refusal(64, "usage.invalid", "keys add --name x --kind robot"),
  refusal(64, "usage.invalid", "setup emacs"),
  refusal(65, "repository.unusable", "init --repo /nowhere --yes"),
  ...["show", "explain", "diff", "cancel", "retry", "approve"].map((name) =>
    refusal(66, "not_found", `task ${name} T999`),
  ),
  refusal(66, "not_found", "task depend T999 --on T1"),
  refusal(66, "not_found", "task priority T999 P0"),
  refusal(66, "not_found", "takeover T999"),
  refusal(66, "not_found", "handback T999"),
  refusal(66, "not_found", "attach nobody"),
  refusal(66, "not_found", "tell nobody hello"),
  refusal(66, "not_found", "drain nobody"),
  refusal(66, "not_found", "restart nobody"),
  refusal(66, "not_found", "ask answer Q999 yes"),
  refusal(66, "not_found", "keys revoke K999"),
  refusal(66, "not_found", `calls show ${NO_CALL}`),
  ...DEAD_LETTERS.map((line) => refusal(66, "not_found", `${line} outbox-999`)),
  refusal(64, "usage.invalid", "calls show first"),
  refusal(66, "not_found", "providers key nobody --remove"),
  refusal(66, "not_found", "logs --task T999"),
  refusal(66, "not_found", "logs --agent nobody"),
  refusal(66, "not_found", "demo --agent nobody"),
  refusal(65, "conflict.state", "task retry DONE", () => ["task", "retry", done]),
  refusal(65, "conflict.state", "task cancel DONE", () => ["task", "cancel", done]),
  refusal(65, "conflict.state", "task approve WORKING", () => ["task", "approve", working]),
  refusal(65, "conflict.state", "handback WORKING", () => ["handback", working]),
  refusal(75, "daemon.already_running", "up --no-demo"),
  refusal(75, "daemon.already_running", "start --no-demo"),
];

/** Commands that need the product; `demo`, `start` and `up` start it. */
const NEEDS_IT: readonly string[] = [
  ...["status", "login", "task list", "task show T1", "task explain T1", "task diff T1", "task cancel T1"],
  ...["task retry T1", "task approve T1", "task depend T1 --on T2", "task priority T1 P1"],
  ...[
    "task add --repo . --title x",
    "ask list",
    "ask answer Q1 yes",
    "agents",
    "attach kaede",
    "tell kaede hi",
  ],
  ...["takeover T1", "handback T1", "drain kaede", "restart", "restart kaede", "providers"],
  ...["providers key local --remove", "keys add --name x", "keys list", "keys revoke K1", "cache"],
  ...["cache clear --all", "logs", "shutdown", "calls", `calls show ${NO_CALL}`, "dead-letters list"],
  ...DEAD_LETTERS.map((line) => `${line} outbox-1`),
];

const problemIn = (stderr: string): unknown => {
  expect(stderr.trim().split("\n"), stderr).toHaveLength(1);
  return JSON.parse(stderr) as unknown;
};

describe("the commands", () => {
  it("are the ones that are tried here, and each takes --json", async () => {
    const found = await commandsBelow("");
    for (const { command, help } of found) expect(help, command).toContain("--json");
    const leaves = found.filter(({ isLeaf }) => isLeaf).map(({ command }) => command);
    const tried = [...new Set([...RUNS.map(({ command }) => command), ...NOT_RUN])];
    expect(tried.toSorted()).toEqual(leaves.toSorted());
  });

  it.concurrent.each(REFUSALS)(
    "$line is refused with exit code $exit and a problem",
    async ({ args, exit, code }) => {
      const { code: status, stdout, stderr } = await product.cli(...args(), "--json");
      expect(problemIn(stderr)).toMatchObject({ code, detail: expect.stringMatching(/\S/) });
      expect(status).toBe(exit);
      expect(stdout).toBe("");
    },
  );

  it("say that the product does not run, with the command that starts it", async () => {
    await Promise.all(
      [0, 1, 2, 3].map(async (part) => {
        for (const line of NEEDS_IT.filter((_, index) => index % 4 === part)) {
          const { code, stdout, stderr } = await idle.cli(...line.split(" "), "--json");
          expect(problemIn(stderr), line).toMatchObject({
            code: "daemon.not_running",
            fix: expect.stringContaining("up --detach"),
          });
          expect(code, line).toBe(69);
          expect(stdout, line).toBe("");
        }
      }),
    );
  });

  it.each(RUNS.map((run, index) => ({ ...run, index })))(
    "$command prints JSON and nothing else ($index)",
    async ({ command, args, exit = 0, lines }) => {
      const { code, stdout, stderr } = await product.cli(
        ...command.split(" "),
        ...(args?.() ?? []),
        "--json",
      );
      expect(stderr).toBe("");
      expect(code).toBe(exit);
      for (const part of lines === true ? stdout.trim().split("\n") : [stdout])
        expect(JSON.parse(part)).toBeTypeOf("object");
    },
  );
});
