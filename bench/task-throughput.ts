import { PgBoss } from "pg-boss";
import { silentLog, systemClock, systemRandom } from "../src/base/index.ts";
import { createNotifier, createQueue } from "../src/store/index.ts";
import {
  bossQueueName,
  createRunQueue,
  createRunService,
  createTaskService,
  workflow,
  type RunResult,
} from "../src/tasks/index.ts";
import { openBenchDatabase, type BenchDatabase } from "./database.ts";
import { atLeast, noGoal, type Result } from "./result.ts";

/*
 * Tasks that are created, claimed and completed through all their states (queued → ready → running → done; step, run, lease, events
 * and job with them), by ten workers over ten connections: what the control plane does for a task of one step, without an agent.
 * The peer is raw pg-boss in the same run, on the same server: send, fetch and complete of as many jobs by as many workers.
 */
const CONNECTIONS = 10;
const WORKERS = 10;
const COUNT = 2_000;

const DONE: RunResult = {
  outcome: "succeeded",
  code: null,
  message: "",
  verdict: "done",
  notes: null,
  commit: "0".repeat(40),
  tree: "1".repeat(40),
  tokensIn: null,
  tokensOut: null,
  quotaResetAt: null,
  log: "",
  cached: false,
};

export async function measureThroughput(note: (text: string) => void): Promise<readonly Result[]> {
  const opened = await openBenchDatabase(CONNECTIONS);
  try {
    note(`pg-boss: ${COUNT} jobs`);
    const peer = await rawJobs(opened);
    note(`tasks: ${COUNT}`);
    const ours = await tasks(opened);
    return [
      atLeast(0.25, {
        name: "tasks per second / pg-boss jobs per second",
        value: ours / peer,
        unit: "ratio",
      }),
      noGoal({ name: "tasks created, claimed and completed", value: ours, unit: "1/s" }),
      noGoal({ name: "pg-boss send, fetch and complete", value: peer, unit: "1/s" }),
    ];
  } finally {
    await opened.close();
  }
}

/** Runs `work` COUNT times by WORKERS side by side; how many a second. */
async function perSecond(work: () => Promise<void>): Promise<number> {
  let left = COUNT;
  const started = performance.now();
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await work();
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, worker));
  return COUNT / ((performance.now() - started) / 1_000);
}

async function rawJobs({ connectionUrl }: BenchDatabase): Promise<number> {
  const boss = new PgBoss({
    connectionString: connectionUrl,
    max: CONNECTIONS,
    schema: "bench",
    supervise: false,
    schedule: false,
  });
  boss.on("error", () => {});
  await boss.start();
  await boss.createQueue("bench");
  try {
    return await perSecond(async () => {
      await boss.send("bench", { n: 1 });
      const [job] = await boss.fetch("bench");
      if (job !== undefined) await boss.complete("bench", job.id);
    });
  } finally {
    await boss.stop({ graceful: false });
  }
}

async function tasks({ database, connectionUrl }: BenchDatabase): Promise<number> {
  const deps = { log: silentLog, clock: systemClock, random: systemRandom };
  const boss = createQueue<Record<string, { readonly runId: string }>>({
    ...deps,
    database,
    notifier: createNotifier({ ...deps, connectionUrl }),
    queues: { [bossQueueName("code")]: {} },
    superviseSeconds: 600,
  });
  await boss.start();
  const queue = createRunQueue(boss);
  const service = createTaskService({
    ...deps,
    database,
    queue,
    approvals: {
      ask: () => Promise.resolve(),
      close: () => Promise.resolve(),
      closeOfRun: () => Promise.resolve(),
    },
  });
  const runs = createRunService({ database, queue, tasks: service, random: systemRandom });
  const oneStep = workflow.parse({ version: 1, steps: [{ name: "implement", kind: "agent", role: "code" }] });
  try {
    const rate = await perSecond(async () => {
      await service.add({
        repository: { id: "bench", name: "bench", path: "/bench", targetBranch: "main" },
        source: "api",
        title: "Change something",
        body: "In a few words.",
        labels: ["bench"],
        class: "P2",
        dueAt: null,
        dependsOn: [],
        workflow: oneStep,
        profile: null,
        idempotencyKey: null,
        branchFor: (id) => `miyabi/${id}`,
      });
      // Nothing is due while the others hold all that is: their locked jobs are skipped.
      let run = null;
      while (run === null) run = await runs.claim({ slot: "kaede", queues: ["code"], leaseMs: 60_000 });
      await runs.finish(run, DONE);
    });
    const { rows } = await database.query<{ done: number }>(
      "select count(*)::int as done from miyabi.tasks where state = 'done'",
    );
    if (rows[0]?.done !== COUNT) throw new Error(`${rows[0]?.done ?? 0} of ${COUNT} tasks are done`);
    return rate;
  } finally {
    await boss.stop();
  }
}
