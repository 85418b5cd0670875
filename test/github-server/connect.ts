import { silentLog, systemClock, systemRandom, type Clock, type Home } from "../../src/base/index.ts";
import { createMailboxes } from "../../src/messages/index.ts";
import { NO_WORK_STORE, type Git } from "../../src/repositories/index.ts";
import { createIntake, githubSettings, loadGitHub, type GitHubParams } from "../../src/sources/index.ts";
import type { Database, Notifier } from "../../src/store/index.ts";
import { createTaskQueries, type TaskService } from "../../src/tasks/index.ts";

interface ConnectParams {
  readonly database: Database;
  readonly notifier: Notifier;
  readonly tasks: TaskService;
  readonly git: Git;
  readonly home: Home;
  readonly queues: readonly string[];
  /** Of the section `github`; all else has its default. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly readSecret: (name: string) => string;
  readonly clock?: Clock;
  /** Default 30,000. */
  readonly timeoutMs?: number;
  /** Absent: no model is to be asked. */
  readonly modelAccess?: GitHubParams["modelAccess"];
}

/** What one control plane has of GitHub, with no agents beside it. */
export async function connectGitHub(params: Readonly<ConnectParams>) {
  const { database, notifier, tasks, git, home } = params;
  const mailboxes = createMailboxes({ database });
  const queries = createTaskQueries({
    database,
    costs: {
      ofTasks: () => Promise.resolve(new Map()),
      ofRuns: () => Promise.resolve(new Map()),
      perSpan: () => Promise.resolve([]),
    },
    team: { slots: () => Promise.resolve([]), cannotRun: () => Promise.resolve(null) },
  });
  const { openGitHub } = await loadGitHub();
  const intake = createIntake({ tasks, git, queues: params.queues, requireProfile: () => {} });
  return openGitHub({
    clock: params.clock ?? systemClock,
    ...(params.timeoutMs === undefined ? {} : { timeoutMs: params.timeoutMs }),
    random: systemRandom,
    log: silentLog,
    settings: githubSettings.parse(params.settings),
    readSecret: params.readSecret,
    database,
    notifier,
    tasks,
    intake,
    git,
    home,
    work: NO_WORK_STORE,
    consoleUrl: "http://localhost:8000",
    commandPorts: {
      explain: (taskId) => queries.explain(taskId, systemClock.now()),
      tell: (slot, text, { from, idempotencyKey }) =>
        mailboxes.send({
          sender: from,
          recipient: slot,
          taskId: null,
          body: text,
          dedupeKey: idempotencyKey,
        }),
      endingRunOf: (_taskId, work) => work(),
    },
    modelAccess: params.modelAccess ?? {
      gatewayUrl: "http://127.0.0.1:1",
      key: () => Promise.reject(new Error("no model is to be asked")),
    },
  });
}
