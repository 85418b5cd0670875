import { onTestFinished } from "vitest";
import { createSeededRandom, silentLog, systemClock, systemRandom, type Clock } from "../base/index.ts";
import { createNotifier, createQueue, type Database } from "../store/index.ts";
import { createTestDatabase, type TestDatabase } from "../store/testing.ts";
import type { TaskDraft } from "./create-task.ts";
import { bossQueueName, createRunQueue, type RunQueue } from "./run-queue.ts";
import { createRunService, type ClaimedRun, type RunService } from "./run-service.ts";
import { createTaskService, type TaskService } from "./task-service.ts";
import { successOf, RESULT } from "./decide-fixture.ts";
import { defaultWorkflow } from "./workflow.ts";

export interface TasksBundle {
  readonly db: TestDatabase;
  readonly database: Database;
  readonly queue: RunQueue;
  readonly tasks: TaskService;
  readonly runs: RunService;
  /** Texts of approvals that were asked for and not closed, by task. */
  readonly asked: ReadonlyMap<string, string>;
  /** How often the merge queue was told, after a commit, to look. */
  readonly mergeCalls: () => number;
  add(draft?: Partial<TaskDraft>): Promise<string>;
  claim(queue: string): Promise<ClaimedRun | null>;
  /** Claims from the queue of the task's step and ends the run well, until the task is at the named step. */
  reach(taskId: string, step: string): Promise<void>;
  /** Brings a task that nothing holds to its merge. */
  complete(taskId: string): Promise<void>;
  stateOf(taskId: string): Promise<string>;
}

export const QUEUES = ["code", "check", "review"] as const;

export const DRAFT: TaskDraft = {
  repository: { id: "r", name: "menu", path: "/r", targetBranch: "main" },
  source: "api",
  title: "Title",
  body: "Body",
  labels: [],
  class: "P2",
  dueAt: null,
  dependsOn: [],
  workflow: defaultWorkflow({ check: ["npm test"], prepare: null }),
  profile: null,
  idempotencyKey: null,
  branchFor: (id) => `miyabi/${id}`,
};

/** Task and run services over a fresh database with a real queue. */
export async function setupTasks(
  params: Readonly<{ seed?: number; clock?: Clock }> = {},
): Promise<TasksBundle> {
  const db = await createTestDatabase({ maxConnections: 12 });
  const { database, connectionUrl } = db;
  const clock = params.clock ?? systemClock;
  const random = params.seed === undefined ? systemRandom : createSeededRandom(params.seed);
  const deps = { log: silentLog, clock: systemClock, random: systemRandom };
  const boss = createQueue<Record<string, { readonly runId: string }>>({
    ...deps,
    database,
    // Nobody is woken here: the tests take what is there.
    notifier: createNotifier({ ...deps, connectionUrl }),
    queues: Object.fromEntries(QUEUES.map((name) => [bossQueueName(name), {}])),
    superviseSeconds: 600,
  });
  await boss.start();
  onTestFinished(() => boss.stop());

  const asked = new Map<string, string>();
  let mergeCalls = 0;
  const queue = createRunQueue(boss);
  const tasks = createTaskService({
    database,
    queue,
    approvals: {
      ask: async (_tx, { taskId, text }) => void asked.set(taskId, text),
      close: async (_tx, taskId) => void asked.delete(taskId),
      closeOfRun: () => Promise.resolve(),
    },
    clock,
    random,
    onMergeQueue: () => (mergeCalls += 1),
  });
  const runs = createRunService({ database, queue, tasks, random: systemRandom });

  const claim: TasksBundle["claim"] = (name) =>
    runs.claim({ slot: "kaede", queues: [name], leaseMs: 60_000 });
  const current = async (taskId: string) => {
    const { rows } = await database.query<{ state: string; step: string | null; queue: string | null }>(
      `select t.state, t.current_step as step, r.queue from miyabi.tasks t
       left join miyabi.runs r on r.task_id = t.id and r.state = 'queued' where t.id = $1`,
      [taskId],
    );
    return rows[0] ?? { state: "missing", step: null, queue: null };
  };
  const reach: TasksBundle["reach"] = async (taskId, step) => {
    for (;;) {
      const at = await current(taskId);
      if (at.step === step || at.queue === null) return;
      const run = await claim(at.queue);
      if (run?.taskId !== taskId) throw new Error(`${run?.taskId ?? "nothing"} was due instead of ${taskId}`);
      await runs.finish(run, { ...RESULT, ...successOf(at.step ?? "", `head-${taskId}`) });
    }
  };
  return {
    db,
    database,
    queue,
    tasks,
    runs,
    asked,
    mergeCalls: () => mergeCalls,
    claim,
    reach,
    add: async (draft = {}) => (await tasks.add({ ...DRAFT, ...draft })).id,
    complete: async (taskId) => {
      await reach(taskId, "merge");
      await tasks.happen(taskId, { type: "merge-started" });
      const commit = `merge-${taskId}`;
      await tasks.happen(taskId, {
        type: "merge-candidate",
        base: "b",
        commit,
        tree: "t",
        needsCheck: false,
      });
      await tasks.happen(taskId, { type: "merge-publishing", commit });
      await tasks.happen(taskId, { type: "merged", commit });
    },
    stateOf: async (taskId) => (await current(taskId)).state,
  };
}
