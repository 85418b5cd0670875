import { afterEach, describe, expect, it } from "vitest";
import { createInstallation, eventually, type TestInstallation } from "../support/installation.ts";

/*
 * SIGKILL at seeded moments against the built product while it carries the sample project: whatever dies, every task
 * still ends done and is merged once, and nothing is left over. MIYABI_KILLS and MIYABI_SEED choose how many and which.
 */
const KINDS = ["control-plane", "supervisor", "host", "agent", "database", "pane", "tree"] as const;
type Kind = (typeof KINDS)[number];

const KILLS = Number(process.env["MIYABI_KILLS"] ?? 30);
const SEED = Number(process.env["MIYABI_SEED"] ?? 20261121);

/** mulberry32 */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

let installation: TestInstallation | null = null;
afterEach(async () => {
  await installation?.destroy();
  installation = null;
});

interface TaskFacts {
  readonly id: string;
  readonly state: string;
  readonly mergeCommit: string | null;
}

const isKind: Readonly<Record<Exclude<Kind, "tree">, (args: string) => boolean>> = {
  "control-plane": (args) => args.includes("dist/control-plane.js"),
  supervisor: (args) => args.includes("dist/miyabi.js up"),
  host: (args) => args.includes("dist/agent-host.js"),
  pane: (args) => args.includes("dist/agent-host.js"),
  agent: (args) => args.includes("sample-agent"),
  database: (args) =>
    args.includes("/postgres -D") || args.includes("/postgres\0-D") || /bin\/postgres .*-D/.test(args),
};

describe(`${KILLS} kills, seed ${SEED}`, () => {
  it("every task still ends done, merged once, and nothing is left over", { timeout: 900_000 }, async () => {
    const next = random(SEED);
    installation = await createInstallation({ SAMPLE_AGENT_PACE_MS: "150" });
    const product = installation;
    const healthy = (ms: number, after = "start"): Promise<unknown> =>
      eventually(`the product answers after ${after}`, ms, () => product.get("/healthz"));
    product.up();
    await healthy(60_000);
    // Each kind at least three times, the rest as the seed has it.
    const plan: Kind[] = KINDS.flatMap((kind) => [kind, kind, kind]);
    while (plan.length < KILLS) plan.push(KINDS[Math.floor(next() * KINDS.length)] ?? "agent");
    plan.sort(() => next() - 0.5);

    const taskIds: string[] = [];
    const slow: string[] = [];
    for (const [index, kind] of plan.entries()) {
      const open = await openTasks(product, taskIds);
      if (open < 3)
        taskIds.push(
          ...(
            await eventually("a sample is added", 60_000, () =>
              product.post<{ taskIds: string[] }>("/api/demo", {}).catch(() => null),
            )
          ).taskIds,
        );
      await pause(200 + next() * 1_500);
      const started = performance.now();
      await kill(product, kind, next);
      if (kind === "tree") product.up();
      await healthy(60_000, `kill ${index + 1}: ${kind}`);
      const tookMs = performance.now() - started;
      if (kind === "control-plane" && tookMs > 5_000)
        slow.push(`kill ${index + 1}: ${kind} healthy after ${Math.round(tookMs)} ms`);
    }

    const tasks = await eventually("every task has ended", 400_000, async () => {
      const all = await Promise.all(taskIds.map((id) => product.get<TaskFacts>(`/api/tasks/${id}`)));
      return all.every((task) => task !== null && ["done", "failed", "cancelled"].includes(task.state))
        ? (all as TaskFacts[])
        : null;
    });
    expect(tasks.filter((task) => task.state !== "done")).toEqual([]);
    expect(new Set(tasks.map((task) => task.mergeCommit)).size).toBe(tasks.length);
    expect(slow).toEqual([]);
    const { code, stderr } = await product.cli("shutdown");
    expect(code, stderr).toBe(0);
    await eventually("no process is left", 20_000, async () => (await product.processes()).length === 0);
  });
});

async function openTasks(product: TestInstallation, ids: readonly string[]): Promise<number> {
  const all = await Promise.all(ids.map((id) => product.get<TaskFacts>(`/api/tasks/${id}`)));
  return all.filter((task) => task === null || !["done", "failed", "cancelled"].includes(task.state)).length;
}

/** The moments of the kills are the subject of this test; nothing waits for anything by this. */
async function pause(ms: number): Promise<void> {
  const until = performance.now() + ms;
  await eventually("the moment comes", ms + 1_000, () => Promise.resolve(performance.now() >= until));
}

async function kill(product: TestInstallation, kind: Kind, next: () => number): Promise<void> {
  if (kind === "tree") {
    for (const one of await product.processes()) signal(one.pid);
    return;
  }
  // Agents come and go: the first moment at which there is one counts.
  const victims = await eventually(`there is a ${kind}`, 60_000, async () => {
    const found = (await product.processes()).filter((one) => isKind[kind](one.args));
    return found.length > 0 ? found : null;
  });
  const victim = victims[Math.floor(next() * victims.length)];
  if (victim !== undefined) signal(victim.pid);
}

function signal(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself at the same moment.
  }
}
