import type { Clock, Home, Log, ProcessRunner, Random } from "../base/index.ts";
import { APPROVE, createApprovals, createMailboxes, createQuestions, PERSON } from "../messages/index.ts";
import {
  createGit,
  createMergeQueue,
  createWorkStore,
  fetchTarget,
  NO_WORK_STORE,
  requireGit,
  sourcePathOf,
} from "../repositories/index.ts";
import { createIntake } from "../sources/index.ts";
import { createNotifier, createQueue, migrate, openDatabase } from "../store/index.ts";
import {
  bossQueueName,
  createRunQueue,
  createRunService,
  createTaskService,
  joinMachines,
} from "../tasks/index.ts";
import { queuesOf, resolveProfile, slotsOf } from "../agents/index.ts";
import { machineName } from "./installation.ts";
import { teamOf, type Settings } from "./settings.ts";

export interface DomainParams {
  readonly connectionUrl: string;
  readonly migrationsDir: string;
  readonly home: Home;
  readonly settings: Settings;
  readonly searchPath: string;
  /** What stands for the data directory where others may share the database; null: it is ours alone. */
  readonly identity: string | null;
  readonly clock: Clock;
  readonly random: Random;
  readonly runner: ProcessRunner;
  readonly log: Log;
}

// The control plane alone: one LISTEN connection comes on top.
const MAX_CONNECTIONS = 9;

/** Everything below the agents and the API, wired and migrated; `start` and `stop` are the caller's. */
export async function openDomain(params: Readonly<DomainParams>) {
  const { home, settings, clock, random, log, connectionUrl } = params;
  const database = openDatabase({ connectionUrl, maxConnections: MAX_CONNECTIONS, log, clock, random });
  await database.waitUntilReady({ deadlineMs: 60_000 });
  await migrate({ database, log, directory: params.migrationsDir });
  const notifier = createNotifier({ connectionUrl, log, clock, random });
  const machine =
    params.identity === null
      ? null
      : await joinMachines({
          database,
          identity: params.identity,
          computer: machineName(),
          directory: home.root,
        });
  const slots = slotsOf(teamOf(settings), machine?.suffix);
  const queues = queuesOf(slots);
  const queue = createQueue<Record<string, { readonly runId: string }>>({
    database,
    notifier,
    log,
    queues: Object.fromEntries(queues.map((name) => [bossQueueName(name), {}])),
  });
  const git = createGit({ processes: params.runner, searchPath: params.searchPath, clock });
  await requireGit(git);
  const questions = createQuestions({
    database,
    notifier,
    clock,
    onAnswered: async (tx, question) => {
      if (question.kind !== "approval") return;
      const by = question.answeredBy ?? "a person";
      await tasks.happenIn(tx, question.taskId, () => ({
        type: "approve",
        approve: question.answer === APPROVE,
        note: "",
        by,
      }));
    },
  });
  const runQueue = createRunQueue(queue);
  let wakeMergeQueue = (): void => {};
  const tasks = createTaskService({
    database,
    queue: runQueue,
    approvals: createApprovals(questions),
    clock,
    random,
    onMergeQueue: () => wakeMergeQueue(),
  });
  const runs = createRunService({
    database,
    queue: runQueue,
    tasks,
    random,
    machine: machine?.name ?? null,
  });
  const mergeQueue = createMergeQueue({
    database,
    tasks,
    git,
    cachesDir: home.repositoriesDir,
    machine: machine?.name ?? null,
    clock,
    random,
    log,
  });
  // After the commit: the task must be in the queue when the round looks.
  wakeMergeQueue = () => setImmediate(() => mergeQueue.wake());
  const profileOf = (name: string | null) => resolveProfile(name ?? settings.agent, settings.agents.profiles);
  return {
    machine,
    /** Brings the target branch of a task's repository into the cache. */
    fetchTargetOf: async (taskId: string, cachePath: string): Promise<void> => {
      const { rows } = await database.query<{ path: string; is_hosted: boolean; target_branch: string }>(
        `select p.path, p.remote is not null as is_hosted, p.target_branch from miyabi.tasks t join miyabi.repositories p on p.id = t.repository_id
         where t.id = $1`,
        [taskId],
      );
      const row = rows[0];
      if (row === undefined) return;
      const sourcePath = sourcePathOf({ path: row.path, isHosted: row.is_hosted }, home);
      await fetchTarget(git, { cachePath, sourcePath, branch: row.target_branch });
    },
    work: machine === null ? NO_WORK_STORE : createWorkStore({ database, git }),
    database,
    notifier,
    queue,
    queues,
    slots,
    git,
    questions,
    mailboxes: createMailboxes({ database }),
    tasks,
    runs,
    mergeQueue,
    profileOf,
    intake: createIntake({
      tasks,
      git,
      queues,
      requireProfile: (name) => void profileOf(name),
      ...(machine === null ? {} : { place: { machine, database } }),
    }),
    recipients: [...new Set([...slots.map((slot) => slot.slot), ...slots.map((slot) => slot.role), PERSON])],
  };
}
export type Domain = Awaited<ReturnType<typeof openDomain>>;
