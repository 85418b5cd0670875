import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { createInstallation, type TestInstallation } from "../support/installation.ts";
import { describeProduct, expectSoon } from "./diagnosis.ts";
import { createRandom, pick, shuffled } from "./random.ts";
import {
  areAllConnected,
  type Before,
  findDamage,
  hasRecovered,
  leftSessions,
  LIMIT_MS,
  lookBefore,
} from "./recovery.ts";
import { openRecords, type Records } from "./records.ts";
import { chooseVictim, findProcesses, kill, KINDS, type Kind, type Victim } from "./victims.ts";

/*
 * SIGKILL at seeded moments against the built product while it carries the sample project: whatever dies, every task
 * still ends done and is merged once, and nothing is left over. MIYABI_KILLS and MIYABI_SEED choose how many and when,
 * MIYABI_KINDS (names with commas) what; MIYABI_KEEP_HOMES keeps the installation for a look.
 */
const KILLS = Number(process.env["MIYABI_KILLS"] ?? 30);
const SEED = Number(process.env["MIYABI_SEED"] ?? 20261121);
const CHOSEN = KINDS.filter((kind) => process.env["MIYABI_KINDS"]?.split(",").includes(kind) ?? true);
const LEAST_OF_EACH = 3;
/** One kill in so many comes without waiting for the recovery from the one before. */
const ONE_IN_A_ROW = 5;

const run = promisify(execFile);
const say = (text: string): void => void process.stderr.write(`${text}\n`);

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
interface Recovery {
  readonly kind: Kind;
  readonly number: number;
  readonly tookMs: number;
}

say(`crash: ${KILLS} kills, MIYABI_SEED=${SEED}`);

describe(`${KILLS} kills, seed ${SEED}`, () => {
  it(
    "every task still ends done, merged once, and nothing is left over",
    { timeout: 3_600_000 },
    async () => {
      const next = createRandom(SEED);
      installation = await createInstallation({ SAMPLE_AGENT_PACE_MS: "150" });
      const product = installation;
      const records = openRecords(product);
      const soon = <T>(
        what: string,
        ms: number,
        probe: () => Promise<T | null | undefined | false>,
      ): Promise<T> => expectSoon(product, records, what, ms, probe);
      product.up();
      await soon("the product starts", 60_000, () => product.get("/healthz"));

      const taskIds: string[] = [];
      const recoveries: Recovery[] = [];
      const damage: string[] = [];
      /** The agents' own sessions at the moments of the kills: whoever goes on, goes on in the same one. */
      const sessions = new Map<string, string>();
      let skipped = 0;
      for (const [index, kind] of planOf(next).entries()) {
        const number = index + 1;
        await addWork(product, records, taskIds, soon);
        // A source of its own, so that what one kill draws does not change the next.
        const draw = createRandom(next() * 2 ** 32);
        await pause(100 + draw() * 1_500);
        const { victim, before } = await strike(product, records, kind, draw);
        const startedMs = performance.now();
        for (const { sessionId, agentSessionId } of before.runs)
          if (sessionId !== null && agentSessionId !== null) sessions.set(sessionId, agentSessionId);
        if (kind === "tree") product.up();
        if (draw() < 1 / ONE_IN_A_ROW && kind !== "tree") {
          skipped += 1;
          say(`${number} ${kind} ${victim?.slot ?? ""}: not waited for`);
          continue;
        }
        await soon(`recovery from kill ${number}: ${kind} ${JSON.stringify(victim)}`, 60_000, () =>
          hasRecovered(product, records, kind, victim, before),
        );
        const tookMs = performance.now() - startedMs;
        recoveries.push({ kind, number, tookMs });
        const found = await findDamage(product, records, kind, before);
        damage.push(...found.map((text) => `kill ${number} (${kind}): ${text}`));
        say(`${number} ${kind} ${victim?.slot ?? ""}: ${Math.round(tookMs)} ms ${found.join("; ")}`);
        // Recovery times count from a product that is whole.
        await soon("every agent is connected", 60_000, () => areAllConnected(product));
      }

      const tasks = await soon("every task has ended", 400_000, () => endedTasks(product));
      say(summaryOf(recoveries, skipped, tasks.length));
      const notDone = tasks.filter((task) => task.state !== "done");
      expect(notDone, notDone.length === 0 ? "" : await describeProduct(product, records)).toEqual([]);
      expect(tasks.map(({ id }) => id)).toEqual(expect.arrayContaining(taskIds));
      const repositories = await soon("the repositories are listed", 10_000, () =>
        records.rows<{ path: string }>("select path from miyabi.repositories"),
      );
      await expectMergedOnce(repositories, tasks);
      expect(damage).toEqual([]);
      const resumed = await soon("the sessions are listed", 10_000, () =>
        records.rows<{ id: string; agent: string }>(
          "select id, agent_session_id as agent from miyabi.sessions where id = any($1)",
          [[...sessions.keys()]],
        ),
      );
      expect(new Map(resumed.map(({ id, agent }) => [id, agent]))).toEqual(sessions);
      const late = recoveries.filter(({ kind, tookMs }) => tookMs > (LIMIT_MS[kind] ?? Infinity));
      expect(late).toEqual([]);
      await soon("every clone is collected", 30_000, async () => (await leftSessions(product)).length === 0);
      await soon(
        "no run is left alive",
        10_000,
        async () =>
          (await findProcesses(product, "agent")).length === 0 &&
          (await product.processes()).every(({ args }) => !/^\S*bwrap /.test(args)),
      );
      const { code, stderr } = await product.cli("shutdown");
      expect(code, stderr).toBe(0);
      await soon("no process is left", 20_000, async () => (await product.processes()).length === 0);
    },
  );
});

/** Each kind at least three times, the rest as the seed has it. */
function planOf(next: () => number): readonly Kind[] {
  const plan: Kind[] = CHOSEN.flatMap((kind) => Array.from({ length: LEAST_OF_EACH }, () => kind));
  while (plan.length < KILLS) plan.push(pick(CHOSEN, next) ?? "agent");
  return shuffled(plan, next).slice(0, KILLS);
}

interface Struck {
  readonly victim: Victim | null;
  readonly before: Before;
}

/** Kills one, and says how everything was right before. One that ended by itself meanwhile does not count. */
async function strike(
  product: TestInstallation,
  records: Records,
  kind: Kind,
  next: () => number,
): Promise<Struck> {
  for (;;) {
    const victim = await chooseVictim(product, kind, next);
    const before = await lookBefore(product, records);
    if (await kill(product, kind, victim)) return { victim, before };
  }
}

type Soon = <T>(what: string, ms: number, probe: () => Promise<T | null | undefined | false>) => Promise<T>;

/** Keeps the agents busy: another sample where fewer than three tasks are open. */
async function addWork(
  product: TestInstallation,
  records: Records,
  taskIds: string[],
  soon: Soon,
): Promise<void> {
  const open = await soon("the tasks are counted", 30_000, () =>
    records.rows<{ count: number }>(
      "select count(*)::int as count from miyabi.tasks where state not in ('done', 'failed', 'cancelled')",
    ),
  );
  if ((open[0]?.count ?? 0) >= 3) return;
  let failure = "";
  const added = await soon("a sample is added", 60_000, () =>
    product.post<{ taskIds: string[] }>("/api/demo", {}).catch((error: unknown) => {
      if (String(error) !== failure) say(`a sample was not added: ${(failure = String(error))}`);
      return null;
    }),
  );
  taskIds.push(...added.taskIds);
}

/** All tasks there are, once none is open; null before. */
async function endedTasks(product: TestInstallation): Promise<readonly TaskFacts[] | null> {
  const tasks: TaskFacts[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const page: { items: TaskFacts[]; nextCursor: string | null } | null = await product.get(
      `/api/tasks?limit=200${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    if (page === null) return null;
    tasks.push(...page.items);
    cursor = page.nextCursor;
  }
  return tasks.every((task) => ["done", "failed", "cancelled"].includes(task.state)) ? tasks : null;
}

/** The repositories' own history agrees: each task is in its target branch once. */
async function expectMergedOnce(
  repositories: readonly { readonly path: string }[],
  tasks: readonly TaskFacts[],
): Promise<void> {
  const merged: string[] = [];
  for (const repository of repositories) {
    const { stdout } = await run("git", [
      ...["-c", "safe.directory=*", "-C", repository.path, "log"],
      "--format=%(trailers:key=Miyabi-Task,valueonly)",
      "main",
    ]);
    merged.push(...stdout.split("\n").filter((line) => line !== ""));
  }
  expect(merged.toSorted()).toEqual(tasks.map(({ id }) => id).toSorted());
  expect(new Set(tasks.map((task) => task.mergeCommit)).size).toBe(tasks.length);
}

/** The moments of the kills are the subject of this test; nothing waits for anything by this. */
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function summaryOf(recoveries: readonly Recovery[], skipped: number, tasks: number): string {
  const lines = KINDS.map((kind) => {
    const took = recoveries
      .filter((one) => one.kind === kind)
      .map((one) => one.tookMs)
      .toSorted((a, b) => a - b);
    const at = (share: number): number => Math.round(took[Math.floor((took.length - 1) * share)] ?? 0);
    return `  ${kind}: ${took.length} measured, p50 ${at(0.5)} ms, longest ${at(1)} ms`;
  });
  return [`crash: seed ${SEED}, ${tasks} tasks, ${skipped} kills not waited for`, ...lines].join("\n");
}
