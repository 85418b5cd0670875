import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { createInstallation, eventually, type TestInstallation } from "../support/installation.ts";
import { expectSoon } from "./diagnosis.ts";
import { openCuttableLine, speakLate } from "./host-line.ts";
import { openRecords, type Records, type RunRecord } from "./records.ts";
import { findProcesses, signal } from "./victims.ts";

/*
 * A host that is stopped, or cut off from the control plane while it lives, is replaced; what it and its agent do
 * afterwards changes neither rows nor files. The agent here has a program that goes on writing into the session's home
 * for as long as its sandbox lives, under a name of its own for each run.
 */
const ISSUE = `Write a word.

\`\`\`miyabi-recipe
implement:
  - run: "name=$(date +%s%N); (while :; do echo $name >> $HOME/written; sleep 0.02; done) > /dev/null 2>&1 & sleep 0.2"
  - wait: 6000
  - write: { path: word.txt, content: "word\\n" }
  - commit: "feat: a word"
review:
  - approve: One word.
\`\`\`
`;
/** Silence is seen after four heartbeats of 2 s; within 10 s more somebody works on the task again. */
const REPLACED_MS = 18_000;

const run = promisify(execFile);
const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface Setup {
  readonly product: TestInstallation;
  readonly records: Records;
  readonly soon: <T>(
    what: string,
    ms: number,
    probe: () => Promise<T | null | undefined | false>,
  ) => Promise<T>;
  /** Adds the task and waits until its agent's program writes. */
  begin(): Promise<RunRecord>;
}

async function setup(...flags: readonly string[]): Promise<Setup> {
  const product = await createInstallation();
  cleanUps.push(() => product.destroy());
  const records = openRecords(product);
  const soon: Setup["soon"] = (what, ms, probe) => expectSoon(product, records, what, ms, probe);
  product.up(...flags);
  await soon("every agent is connected", 60_000, async () => {
    const agents = await product.get<{ items: { state: string }[] }>("/api/agents");
    return agents !== null && agents.items.every(({ state }) => state === "idle");
  });
  return {
    product,
    records,
    soon,
    begin: async () => {
      const repositoryPath = await createRepository(product);
      const { id } = await product.post<{ id: string }>("/api/tasks", {
        repositoryPath,
        title: "A word",
        body: ISSUE,
      });
      return soon("the agent's program writes", 30_000, async () => {
        const found = await records.runs("r.task_id = $1 and r.state = 'running' and r.kind = 'agent'", [id]);
        return (await writtenBy(product, id)).length > 3 ? found?.[0] : null;
      });
    },
  };
}

async function createRepository(product: TestInstallation): Promise<string> {
  const directory = path.join(product.home, "project");
  await mkdir(directory);
  await writeFile(path.join(directory, "README.md"), "# Words\n");
  const git = (...args: readonly string[]) =>
    run("git", ["-C", directory, "-c", "user.name=t", "-c", "user.email=t@t.invalid", ...args]);
  await git("init", "--quiet", "--initial-branch=main");
  await git("add", "--all");
  await git("commit", "--quiet", "--message", "start");
  return directory;
}

/** Names of the runs' programs in the order of their lines. */
async function writtenBy(product: TestInstallation, taskId: string): Promise<readonly string[]> {
  const file = path.join(product.home, "sessions", `${taskId}-code`, "home", "written");
  return (await readFile(file, "utf8").catch(() => "")).split("\n").filter((line) => line !== "");
}

const rowsOf = (records: Records, runId: string): Promise<readonly object[] | null> =>
  records.rows(
    `select to_jsonb(r) as run, (select count(*)::int from miyabi.transcripts x where x.run_id = r.id) as items
     from miyabi.runs r where r.id = $1`,
    [runId],
  );

/** From the replaced host on everything is as if it had never been: the same for a stopped and for a cut-off one. */
async function expectReplaced(
  { product, records, soon }: Setup,
  old: RunRecord,
  oldHost: number,
): Promise<void> {
  const startedMs = performance.now();
  const next = await soon("somebody else works on the task", REPLACED_MS, async () => {
    const found = await records.runs("r.task_id = $1 and r.attempt > $2 and r.state = 'running'", [
      old.taskId,
      old.attempt,
    ]);
    return found?.[0];
  });
  process.stderr.write(`replaced after ${Math.round(performance.now() - startedMs)} ms\n`);
  const lost = (await rowsOf(records, old.id)) ?? [];
  expect(lost).toMatchObject([{ run: { state: "lost", verdict: null } }]);
  expect(next.agentSessionId, "the agent's session is resumed").toBe(old.agentSessionId);
  // Told to go on, it is not there to do so.
  expect(() => process.kill(oldHost, "SIGCONT")).toThrow("ESRCH");

  const late = await speakLate(product, { slot: "botan", runId: old.id, attempt: old.attempt });
  expect(late.answers.map(({ type }) => type)).toEqual(["welcome", "lost", "lost", "lost", "lost", "lost"]);
  expect(late.answers[0]).toMatchObject({ run: "drop" });
  expect(late.handover).toBe(409);

  const ended = await soon("the task ends", 60_000, async () => {
    const task = await product.get<{ state: string }>(`/api/tasks/${old.taskId}`);
    return task !== null && ["done", "failed", "waiting"].includes(task.state) ? task : null;
  });
  expect(ended.state).toBe("done");
  expect(await rowsOf(records, old.id)).toEqual(lost);
}

/** Lines of one run never follow those of the next: its namespace was dead before the next one began. */
function expectNobodyWroteLate(written: readonly string[]): void {
  const blocks = written.filter((name, index) => name !== written[index - 1]);
  expect(blocks.length).toBeGreaterThan(1);
  expect(new Set(blocks).size).toBe(blocks.length);
}

/** The home of a session is collected when its task is done: its lines are read while the task goes on. */
function follow(product: TestInstallation, taskId: string): { stop(): Promise<readonly string[]> } {
  let last: readonly string[] = [];
  let isOver = false;
  const reading = (async () => {
    while (!isOver) {
      const written = await writtenBy(product, taskId);
      if (written.length >= last.length) last = written;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  return {
    stop: async () => {
      isOver = true;
      await reading;
      return last;
    },
  };
}

describe("a host that does not go on", () => {
  it("is replaced when it is stopped, and changes nothing afterwards", { timeout: 180_000 }, async () => {
    // tmux lets a stopped program of a pane go on at once, so panes cannot be stopped; plain processes can.
    const all = await setup("--runtime", "process");
    const old = await all.begin();
    const written = follow(all.product, old.taskId);
    const hosts = await findProcesses(all.product, "host");
    const host = hosts.find(({ slot }) => slot === old.slot);
    if (host === undefined) throw new Error(`nobody is in ${old.slot}`);
    signal(host.pid, "SIGSTOP");
    await expectReplaced(all, old, host.pid);
    expectNobodyWroteLate(await written.stop());
  });

  it("is replaced when it is cut off, and changes nothing afterwards", { timeout: 180_000 }, async () => {
    const all = await setup();
    const { product, records, soon } = all;
    await product.post("/api/agents/kaede-2/drain", { drain: true });
    // A second host takes the slot over a line of its own; the one in the pane is refused from then on.
    const line = await openCuttableLine(product.port);
    cleanUps.push(() => line.close());
    const own = (await findProcesses(product, "host")).find(({ slot }) => slot === "kaede");
    if (own === undefined) throw new Error("nobody is in kaede");
    const second = await startHostOver(line.port, own.pid);
    await soon("the second host has the slot", 10_000, async () => {
      const found = await records.rows<{ host_pid: number }>(
        "select host_pid from miyabi.slots where slot = 'kaede'",
      );
      return found?.[0]?.host_pid === second;
    });
    const old = await all.begin();
    expect(old.slot).toBe("kaede");
    const written = follow(product, old.taskId);
    line.cut();
    await expectReplaced(all, old, second);
    expectNobodyWroteLate(await written.stop());
  });
});

/** The host's own program and words, but another spool and another way to the control plane. Returns its pid. */
async function startHostOver(port: number, like: number): Promise<number> {
  const home = await mkdtemp(path.join(os.tmpdir(), "miyabi-cut-"));
  cleanUps.push(() => rm(home, { recursive: true, force: true }));
  const words = (await readFile(`/proc/${like}/cmdline`, "utf8")).split("\0").slice(0, -1);
  const environment = (await readFile(`/proc/${like}/environ`, "utf8")).split("\0").slice(0, -1);
  const env = Object.fromEntries(
    environment.map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
  );
  const [command = "", ...args] = words.map((word) =>
    word.startsWith("--url=") ? `--url=http://127.0.0.1:${port}` : word,
  );
  const child = spawn(command, args, { env: { ...env, MIYABI_HOME: home }, stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  cleanUps.push(async () => {
    child.kill("SIGKILL");
    await eventually("the second host ends", 5_000, () => ended.then(() => true));
  });
  return child.pid ?? 0;
}
