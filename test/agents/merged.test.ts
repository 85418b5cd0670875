import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { systemProcessRunner, systemRandom } from "../../src/base/index.ts";
import { installAgentPackage, resolveProfile } from "../../src/agents/profiles/index.ts";
import { createInstallation, eventually } from "../support/installation.ts";
import {
  SCRIPTED_USAGE,
  startScriptedModel,
  type ModelAction,
  type Situation,
} from "../support/scripted-model.ts";

/*
 * A real agent program from npm, started by the whole product: supervisor, database, control plane, pane, agent host, sandbox, one
 * socket to the gateway, MCP. Only the model is a script.
 */
const AGENTS_DIR = path.join(tmpdir(), "miyabi-test-agents");
const SAMPLE_AGENT_DIR = path.resolve(import.meta.dirname, "../../examples/sample-agent");
const KEY = "sk-canary-5f1d2c";
const run = promisify(execFile);

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const report = (verdict: string, notes: string): ModelAction => ({
  mcp: "report_result",
  args: { verdict, notes },
});
const commit = (text: string): ModelAction => ({
  shell: `printf '%s\\n' '${text}' > greeting.txt && env > seen.txt; rm seen.txt; git add -A && git commit -q -m 'feat: say ${text}'`,
});

/** One change that the reviewer sends back once. */
const SCRIPTS: Readonly<Record<string, readonly ModelAction[]>> = {
  "code 1": [commit("hello"), report("done", "It says hello.")],
  "review 1": [report("changes", "It should say hello to the world.")],
  "code 2": [commit("hello world"), report("done", "It says hello to the world.")],
  "review 2": [report("approve", "Good.")],
};

const decide = ({ prompt, toolResults }: Situation): ModelAction => {
  const [, role, round] = /Role: (\w+)[\s\S]*Round: (\d+)/.exec(prompt) ?? [];
  return SCRIPTS[`${role} ${round}`]?.[toolResults] ?? { say: "That is all." };
};

interface Task {
  readonly state: string;
  readonly waitsFor: string | null;
  readonly mergeCommit: string | null;
  readonly rounds: number;
  readonly costMicros: number | null;
  readonly reason: unknown;
  readonly runs: readonly {
    readonly id: string;
    readonly kind: string;
    readonly step: string;
    readonly tokensIn: number | null;
  }[];
}

async function createRepository(directory: string): Promise<string> {
  const repository = path.join(directory, "greeter");
  await mkdir(repository, { recursive: true });
  await writeFile(
    path.join(repository, "package.json"),
    JSON.stringify({ name: "greeter", private: true, scripts: { test: "grep -q hello greeting.txt" } }),
  );
  const git = (...args: readonly string[]) =>
    run("git", ["-C", repository, "-c", "user.name=Hanako", "-c", "user.email=hanako@example.com", ...args]);
  await git("init", "--quiet", "--initial-branch=main");
  await git("add", "--all");
  await git("commit", "--quiet", "--message", "First commit");
  return repository;
}

describe.each(["claude", "codex"])("%s in the whole product", (agent) => {
  it("carries a task to a merged commit, in the same session after a review that sent it back", async () => {
    const product = await createInstallation();
    cleanUps.push(() => product.destroy());
    const packageDir = await installAgentPackage({
      profile: resolveProfile(agent),
      agentsDir: AGENTS_DIR,
      sampleAgentDir: SAMPLE_AGENT_DIR,
      runner: systemProcessRunner,
      random: systemRandom,
      env: process.env,
      onProgress: () => {},
    });
    await mkdir(path.join(product.home, "agents"), { mode: 0o755 });
    await run("cp", ["-al", packageDir ?? "", path.join(product.home, "agents")]);
    const server = await startScriptedModel(decide);
    cleanUps.push(server.close);
    const codex = resolveProfile("codex").files[".codex/config.toml"] ?? "";
    await writeFile(
      path.join(product.home, "miyabi.yaml"),
      JSON.stringify({
        agent,
        agents: {
          profiles: {
            claude: { model: "claude-sonnet-4-5" },
            codex: { files: { ".codex/config.toml": `model = "gpt-5-codex"\n${codex}` } },
          },
        },
        gateway: {
          providers: { anthropic: { baseUrl: server.url }, openai: { baseUrl: `${server.url}/v1` } },
        },
      }),
    );
    await writeFile(path.join(product.home, ".env"), `ANTHROPIC_API_KEY=${KEY}\nOPENAI_API_KEY=${KEY}\n`, {
      mode: 0o600,
    });
    const repository = await createRepository(product.home);
    product.up();
    await eventually("the product answers", 30_000, async () => (await product.cli("status")).code === 0);
    const added = await product.cli("task", "add", "--repo", repository, "--title", "Say hello", "--json");
    expect(added.code, added.stderr).toBe(0);
    const { id } = JSON.parse(added.stdout) as { id: string };

    const task = await eventually("the task has ended", 240_000, async () => {
      const now = await product.get<Task>(`/api/tasks/${id}`);
      return (
        now !== null &&
        (["done", "failed", "cancelled"].includes(now.state) || now.waitsFor === "person") &&
        now
      );
    });
    const { stdout: said } = await product.cli("logs", "--task", id);
    expect(task, said).toMatchObject({ state: "done", rounds: 1 });
    const { stdout: log } = await run("git", ["-C", repository, "log", "--format=%H", "main"]);
    expect(log).toContain(task.mergeCommit);
    expect(await readFile(path.join(repository, "greeting.txt"), "utf8")).toBe("hello world\n");

    // Every call of every run went through the gateway, under the run's name.
    const agentRuns = task.runs.filter(({ kind }) => kind === "agent");
    expect(agentRuns.map(({ step }) => step)).toEqual(["implement", "review", "implement", "review"]);
    const tokensIn = agentRuns.reduce((sum, one) => sum + (one.tokensIn ?? 0), 0);
    expect(tokensIn).toBeGreaterThanOrEqual(SCRIPTED_USAGE.input * 4);
    expect(task.costMicros).toBeGreaterThan(0);
    const transcripts = await Promise.all(
      agentRuns.map((one) => product.get<unknown>(`/api/runs/${one.id}/transcript?limit=2000`)),
    );
    expect(transcripts.map((one) => JSON.stringify(one).includes('"kind":"tool"'))).toEqual([
      true,
      true,
      true,
      true,
    ]);

    // The key is the gateway's alone.
    const { stdout: found } = await run("sh", [
      "-c",
      `grep -rIl --exclude=.env --exclude-dir=postgresql --exclude-dir=agents ${KEY} ${product.home} || true`,
    ]);
    expect(found).toBe("");
    expect(JSON.stringify(transcripts)).not.toContain(KEY);
  });
});
