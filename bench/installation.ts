import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { createInstallation, eventually, type TestInstallation } from "../test/support/installation.ts";
import { firstPromptAt, waitUntilIdle } from "../test/support/task-facts.ts";
import { cpuMsOf, familyOf, pssOf } from "./processes.ts";
import { atMost, median, percentile, type Result } from "./result.ts";

const run = promisify(execFile);
const root = path.dirname(import.meta.dirname);
const STARTS = 3;
const PROMPTS = 30;
const IDLE_MS = 30_000;

/*
 * The product as a person starts it.
 * First start: a fresh clone whose packages are installed, with nothing built: program and console are built, the database is
 * initialised. Warm start: the same once more. Both until `/healthz` answers.
 */
export async function measureStart(note: (text: string) => void): Promise<readonly Result[]> {
  const first: number[] = [];
  const warm: number[] = [];
  for (let round = 1; round <= STARTS; round += 1) {
    note(`start ${round} of ${STARTS}`);
    const clone = await mkdtemp(path.join(tmpdir(), "miyabi-clone-"));
    try {
      await run("git", ["clone", "--quiet", "--no-local", root, clone]);
      await symlink(path.join(root, "node_modules"), path.join(clone, "node_modules"));
      await symlink(path.join(root, "web", "node_modules"), path.join(clone, "web", "node_modules"));
      const product = await createInstallation({}, path.join(clone, "bin", "miyabi.cjs"));
      try {
        first.push(await startMs(product));
        await product.cli("shutdown");
        warm.push(await startMs(product));
        await product.cli("shutdown");
      } finally {
        await product.destroy();
      }
    } finally {
      await rm(clone, { recursive: true, force: true });
    }
  }
  return [
    atMost(8, { name: "first start to healthy", value: median(first) / 1_000, unit: "s" }),
    atMost(2.5, { name: "warm start to healthy", value: median(warm) / 1_000, unit: "s" }),
  ];
}

async function startMs(product: TestInstallation): Promise<number> {
  const started = performance.now();
  product.up();
  await eventually("the product is healthy", 60_000, () => isHealthy(product));
  return performance.now() - started;
}

const isHealthy = (product: TestInstallation): Promise<boolean> =>
  fetch(`http://127.0.0.1:${product.port}/healthz`, { signal: AbortSignal.timeout(1_000) }).then(
    ({ ok }) => ok,
    () => false,
  );

/** What an idle installation with six agent hosts takes: memory by PSS, CPU in percent of one core over half a minute. */
export async function measureIdle(note: (text: string) => void): Promise<readonly Result[]> {
  const product = await createInstallation();
  try {
    await startMs(product);
    await waitUntilIdle(product);
    // What the start has allocated is given back within the first garbage collections.
    note("resting for 20 s");
    await new Promise((resolve) => setTimeout(resolve, 20_000));
    const before = await family(product);
    const cpuBefore = await total(before.all, cpuMsOf);
    note(`watching for ${IDLE_MS / 1_000} s`);
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    const { core, hosts, all } = await family(product);
    const cpuMs = (await total(all, cpuMsOf)) - cpuBefore;
    const hostPss = await Promise.all(hosts.map(pssOf));
    return [
      atMost(200, {
        name: "PSS of supervisor, control plane, PostgreSQL and tmux, idle",
        value: (await total(core, pssOf)) / 1_048_576,
        unit: "MiB",
      }),
      atMost(40, {
        name: `PSS of one agent host among ${hosts.length}`,
        value: median(hostPss) / 1_048_576,
        unit: "MiB",
      }),
      atMost(1, { name: "CPU of all processes, idle", value: (cpuMs / IDLE_MS) * 100, unit: "% of a core" }),
    ];
  } finally {
    await product.destroy();
  }
}

/** From the answer that accepts a task to the prompt written to its agent, by the sample agent of an idle product. */
export async function measurePrompt(note: (text: string) => void): Promise<readonly Result[]> {
  const product = await createInstallation();
  const repository = await mkdtemp(path.join(tmpdir(), "miyabi-bench-repo-"));
  try {
    await run("git", ["-C", repository, "init", "--quiet", "--initial-branch=main"]);
    const author = ["-c", "user.name=Bench", "-c", "user.email=bench@example.com"];
    await run("git", [
      "-C",
      repository,
      ...author,
      "commit",
      "--quiet",
      "--allow-empty",
      "--message",
      "First commit",
    ]);
    await startMs(product);
    await waitUntilIdle(product);
    const times: number[] = [];
    for (let count = 0; count <= PROMPTS; count += 1) {
      const { id } = await product.post<{ id: string }>("/api/tasks", {
        repositoryPath: repository,
        title: "Nothing to do",
      });
      const acceptedAt = Date.now();
      // Looking more often would take the processor from what is measured.
      await new Promise((resolve) => setTimeout(resolve, 500));
      const promptAt = await eventually("the prompt is written", 30_000, () => firstPromptAt(product, id));
      // The first one fetches the repository into an empty cache.
      if (count > 0) times.push(promptAt - acceptedAt);
      await product.post(`/api/tasks/${id}/cancel`, {});
      await waitUntilIdle(product);
      if (count % 10 === 0) note(`${count} of ${PROMPTS} prompts`);
    }
    return [
      atMost(200, { name: "accepted task to session/prompt, p50", value: median(times), unit: "ms" }),
      atMost(500, {
        name: "accepted task to session/prompt, p99",
        value: percentile(times, 0.99),
        unit: "ms",
      }),
    ];
  } finally {
    await product.destroy();
    await rm(repository, { recursive: true, force: true });
  }
}

async function family(
  product: TestInstallation,
): Promise<Readonly<Record<"core" | "hosts" | "all", readonly number[]>>> {
  const roots = await product.processes();
  const hosts = roots.filter(({ args }) => args.includes("agent-host")).map(({ pid }) => pid);
  const all = await familyOf(roots.map(({ pid }) => pid));
  return { all, hosts, core: all.filter((pid) => !hosts.includes(pid)) };
}

const total = async (pids: readonly number[], of: (pid: number) => Promise<number>): Promise<number> =>
  (await Promise.all(pids.map(of))).reduce((sum, value) => sum + value, 0);
