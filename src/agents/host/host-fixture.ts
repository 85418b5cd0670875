import type { ChildProcess } from "node:child_process";
import { mkdtemp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import {
  isProcessAlive,
  spawnProcess,
  systemClock,
  systemProcessRunner,
  systemRandom,
} from "../../base/index.ts";
import { createGit, ensureCache, type Git } from "../../repositories/index.ts";
import { resolveProfile } from "../profiles/index.ts";
import { killSandboxesOf } from "../sandbox/index.ts";
import type { AgentProfile } from "../profile.ts";
import type { RunSpec } from "../protocol.ts";
import { type FakeControlPlane, HOST_TOKEN, openFakeControlPlane } from "./control-plane-fixture.ts";
import { hostCommand } from "./options.ts";
import { sampleSpec } from "./sample-spec.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const PATH = process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin";

/** A real host process with a real repository and a fake control plane. */
export interface HostFixture {
  readonly plane: FakeControlPlane;
  readonly home: string;
  readonly git: Git;
  readonly cacheDir: string;
  readonly commit: string;
  startHost(): Promise<ChildProcess>;
  /** What starts the host, for a runtime. */
  command(slot?: string): ReturnType<typeof hostCommand>;
  /** What the host printed. */
  output(): string;
  /** A run of the sample agent that follows `recipe` (YAML), or of `profile`. */
  agentSpec(recipe: string, changes?: Partial<RunSpec>, profile?: AgentProfile): RunSpec;
  commandSpec(commands: readonly string[], changes?: Partial<RunSpec>): RunSpec;
  /** Live processes of a run's sandboxes. */
  survivors(): Promise<number>;
  spooled(): Promise<string | null>;
  /** The run's journal as it is on the disk. */
  journal(): Promise<string>;
  close(): Promise<void>;
}

interface FixtureParams {
  /** Another program than `main.ts`, e.g. its bundle. */
  readonly program?: string;
}

export async function openHostFixture({ program }: FixtureParams = {}): Promise<HostFixture> {
  const home = await mkdtemp(path.join(os.tmpdir(), "mh-"));
  const plane = await openFakeControlPlane();
  const git = createGit({ processes: systemProcessRunner, searchPath: PATH });
  const repository = path.join(home, "repository");
  await mkdir(repository);
  await writeFile(path.join(repository, "README.md"), "# Sample\n");
  const run = async (...args: readonly string[]): Promise<string> => {
    const result = await systemProcessRunner.run({
      command: "git",
      args: ["-c", "user.name=H", "-c", "user.email=h@example.com", "-c", "init.defaultBranch=main", ...args],
      cwd: repository,
      env: { PATH, HOME: home },
      timeoutMs: 10_000,
    });
    if (result.code !== 0) throw new Error(result.stderr);
    return result.stdout.trim();
  };
  await run("init", "-q");
  await run("add", "-A");
  await run("commit", "-q", "-m", "first");
  const commit = await run("rev-parse", "HEAD");
  const cacheDir = await ensureCache(git, {
    repositoryId: "sample",
    sourcePath: repository,
    cachesDir: path.join(home, "repositories"),
  });
  await git.text({
    gitDir: cacheDir,
    args: ["fetch", "-q", repository, `+refs/heads/main:refs/miyabi/target/main`],
    allowFileTransport: true,
  });
  const tokenFile = path.join(home, "host.token");
  await writeFile(tokenFile, `${HOST_TOKEN}\n`, { mode: 0o600 });
  const hosts: ChildProcess[] = [];
  let output = "";
  const runs = new Set<string>();

  const spec = (changes: Partial<RunSpec>): RunSpec => {
    const made = sampleSpec(changes);
    runs.add(`${made.runId}.${made.attempt}`);
    return made;
  };
  const workspace = (mode: RunSpec["workspace"]["mode"]): RunSpec["workspace"] => ({
    ...sampleSpec().workspace,
    cacheDir,
    mode,
    dir: path.join(home, "sessions", mode),
    commit,
    base: commit,
  });

  const hostOf = (slot: string): ReturnType<typeof hostCommand> =>
    hostCommand({
      slot,
      role: "code",
      name: "Kaede カエデ",
      color: "#ff8800",
      url: plane.url,
      machine: "test",
      nodeFile: process.execPath,
      program: program ?? path.join(import.meta.dirname, "main.ts"),
      tokenFile,
      agentsDir: path.join(home, "agents"),
      sampleAgentDir: path.join(ROOT, "examples/sample-agent"),
      readOnly: [path.join(ROOT, "node_modules")],
      cli: null,
      home: { root: home },
      env: { PATH, NODE_NO_WARNINGS: "1" },
    });

  return {
    command: (slot = "kaede") => hostOf(slot),
    plane,
    home,
    git,
    cacheDir,
    commit,
    output: () => output,
    startHost: async () => {
      const { command, env } = hostOf("kaede");
      const [file = "", ...args] = command;
      const before = plane.all("hello").length;
      const child = spawnProcess(file, args, { env, stdio: ["ignore", "pipe", "pipe"] });
      hosts.push(child);
      for (const stream of [child.stdout, child.stderr])
        stream?.on("data", (chunk: Buffer) => {
          output += chunk.toString("utf8");
        });
      await plane.waitFor("hello", () => plane.all("hello").length > before);
      return child;
    },
    agentSpec: (recipe, changes = {}, profile = resolveProfile("sample")) =>
      spec({
        workspace: workspace("session"),
        agent: {
          profile,
          resumeSessionId: null,
          prompt: `Role: code\nStep: implement\nReason: implement\nRound: 1\nAttempt: 1\n\n\`\`\`miyabi-recipe\n${recipe}\n\`\`\`\n`,
          followUp: "",
          summary: "",
        },
        ...changes,
      }),
    commandSpec: (commands, changes = {}) =>
      spec({ workspace: workspace("checkout"), kind: "check", commands: [...commands], ...changes }),
    survivors: async () => {
      let found = 0;
      for (const id of runs) found += await killSandboxesOf({ id, clock: systemClock });
      return found;
    },
    spooled: () => readFile(path.join(home, "spool/kaede/run/spec.json"), "utf8").catch(() => null),
    journal: () => readFile(path.join(home, "spool/kaede/run/journal.jsonl"), "utf8").catch(() => ""),
    close: async () => {
      for (const host of hosts) {
        host.kill("SIGCONT");
        host.kill("SIGKILL");
        await until(async () => !(await isProcessAlive(host.pid ?? -1)));
      }
      for (const id of runs) await killSandboxesOf({ id, clock: systemClock });
      await plane.goAway();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Polls until the condition holds. */
export async function until(condition: () => Promise<boolean> | boolean, timeoutMs = 10_000): Promise<void> {
  const deadline = systemClock.monotonicMs() + timeoutMs;
  while (!(await condition())) {
    if (systemClock.monotonicMs() > deadline) throw new Error(`not in time: ${condition.toString()}`);
    await systemClock.sleep(15 + 10 * systemRandom.fraction());
  }
}
