import type { Clock, Home, Log, Loop, Random } from "../../base/index.ts";
import type { Git, WorkStore } from "../../repositories/index.ts";
import type { Database, Notifier } from "../../store/index.ts";
import type { OutboxHandler, OutboxHandlers, TaskService } from "../../tasks/index.ts";
import type { Intake } from "../intake/index.ts";
import { createBudget } from "./budget.ts";
import type { ModelAccess } from "./classify/ask-model.ts";
import { createClassifier, SET_LABELS } from "./classify/classifier.ts";
import { createSetLabelsHandler } from "./classify/set-labels.ts";
import { createGitHubConnection } from "./client.ts";
import { createAnswerHandler } from "./commands/answer.ts";
import { createCommands } from "./commands/commands.ts";
import type { CommandPorts } from "./agents-port.ts";
import { createAnswerRelay } from "./commands/relay.ts";
import { createDependenciesFile } from "./dependencies-file.ts";
import { createHeldIssues } from "./held-issues.ts";
import { createIssueChanges } from "./issue-changes.ts";
import { NOTICE } from "./intake-store.ts";
import { createIssueIntake } from "./issue-intake.ts";
import { createPlaces } from "./places.ts";
import { createPoll } from "./poll.ts";
import { createPullRequestWatch } from "./pull-requests/watch.ts";
import { createHostedRepositories } from "./repositories.ts";
import { createRepositoryState } from "./repository-state.ts";
import { writeLimitsOf, type GitHubSettings } from "./settings.ts";
import { createStartGate } from "./start-gate.ts";
import { createTrust } from "./trust.ts";
import { readUsage, type GitHubUsage } from "./usage.ts";
import type { WebhookListener } from "./webhooks/listener.ts";
import { createWebhooks } from "./webhooks/webhooks.ts";
import { CHECK_RUN, createCheckRunHandler } from "./write-back/check-run.ts";
import { createNoticeHandler } from "./write-back/intake-notice.ts";
import { createLeaveQueueHandler, createMergeHandler } from "./write-back/merge.ts";
import {
  createProgressCommentHandler,
  createProgressHandler,
  PROGRESS_COMMENT,
} from "./write-back/progress.ts";
import { createPullRequestHandler } from "./write-back/pull-request.ts";
import { createThreadAnswerHandler, THREAD_ANSWER } from "./write-back/thread-answer.ts";
import { createWritePace, type Urgency } from "./write-pace.ts";

export interface GitHubParams {
  readonly settings: GitHubSettings;
  /** A secret of `.env` by its name. */
  readonly readSecret: (name: string) => string | undefined;
  readonly database: Database;
  readonly notifier: Pick<Notifier, "subscribe">;
  readonly tasks: TaskService;
  readonly intake: Intake;
  readonly git: Git;
  readonly home: Home;
  readonly work: WorkStore;
  readonly consoleUrl: string;
  readonly commandPorts: CommandPorts;
  /** For the classification of issues; used only where that is configured. */
  readonly modelAccess: ModelAccess;
  /** How long GitHub may take for an answer. Milliseconds, default 30,000. */
  readonly timeoutMs?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** The connection to GitHub: issues come in, progress goes out. */
export interface GitHub {
  /** What runs in the background, in the order of their start. */
  readonly services: readonly Loop[];
  /** Takes webhooks; started before anything else, so that a port that is taken leaves nothing behind. Null: not configured. */
  readonly listener: WebhookListener | null;
  /** How the outbox brings about what tasks ask for. */
  readonly handlers: OutboxHandlers;
  /** What is left of GitHub's limits, and what waits for them. */
  readonly usage: () => Promise<GitHubUsage>;
  /** See `createStartGate`. */
  readonly mayStart: (taskId: string) => Promise<boolean>;
  /** Brings the mirror of a task's repository up to date; nothing where it is a local one. */
  readonly syncFor: (taskId: string) => Promise<void>;
}

/** Builds the connection; nothing is asked of GitHub before its services start. @throws config.invalid where a secret is missing. */
export function openGitHub(params: Readonly<GitHubParams>): GitHub {
  const { settings, database, tasks, intake, git, home, clock, random, log } = params;
  const budget = createBudget({ clock });
  const pace = createWritePace({
    limits: writeLimitsOf(settings),
    connection: settings.apiUrl,
    database,
    budget,
    clock,
  });
  const { readSecret } = params;
  const connection = createGitHubConnection({
    settings,
    readSecret,
    clock,
    log,
    budget,
    pace,
    ...(params.timeoutMs === undefined ? {} : { timeoutMs: params.timeoutMs }),
  });
  const repositories = createHostedRepositories({
    configured: settings.repositories,
    connection,
    git,
    home,
    intake,
    database,
    clock,
    // Where webhooks tell of pushes, one may still be missed.
    upToDateMs: Math.min(settings.pollSeconds, 60) * 1_000,
  });
  const trust = createTrust({ clock });
  const { work } = params;
  const writeBack = { database, tasks, repositories, git, home, work, consoleUrl: params.consoleUrl };
  const changes = createIssueChanges({
    database,
    tasks,
    trust,
    repositories,
    ports: params.commandPorts,
    random,
  });
  const places = createPlaces(settings);
  const issues = createIssueIntake({
    places,
    dependencies: createDependenciesFile(git),
    ownLogin: connection.ownLogin,
    settings,
    database,
    tasks,
    intake,
    trust,
    changes,
    repositories,
    random,
    log,
  });
  const commands = createCommands({
    ...params,
    ports: params.commandPorts,
    intake: issues,
    trust,
    ownLogin: connection.ownLogin,
  });
  const state = createRepositoryState({
    database,
    tasks,
    repositories,
    ports: params.commandPorts,
    clock,
    log,
  });
  const poll = createPoll({
    state,
    settings,
    repositories,
    intake: issues,
    commands,
    database,
    clock,
    random,
    log,
  });
  const { ownLogin } = connection;
  const watch = createPullRequestWatch({ ...writeBack, trust, ownLogin, clock, random, log });
  const whenRoom = <Result>(urgency: Urgency, handler: OutboxHandler<Result>): OutboxHandler<Result> => ({
    ...handler,
    send: (entry, signal) => pace.as(urgency, () => handler.send(entry, signal)),
    mayBegin: () => pace.hasRoom(urgency),
  });
  // In the order of their urgency.
  const handlers = new Map<string, OutboxHandler<unknown>>([
    ["leave-merge-queue", whenRoom("answer", createLeaveQueueHandler(writeBack))],
    ["merge", whenRoom("urgent", createMergeHandler(writeBack))],
    ["pull-request", whenRoom("urgent", createPullRequestHandler({ ...writeBack, random }))],
    [THREAD_ANSWER, whenRoom("answer", createThreadAnswerHandler({ repositories, ownLogin }))],
    [CHECK_RUN, whenRoom("answer", createCheckRunHandler(writeBack))],
    ["comment-answer", whenRoom("answer", createAnswerHandler({ repositories, ownLogin }))],
    ["progress", whenRoom("label", createProgressHandler({ ...writeBack, random }))],
    [SET_LABELS, whenRoom("label", createSetLabelsHandler({ database, repositories, trust }))],
    [NOTICE, whenRoom("comment", createNoticeHandler({ database, repositories, ownLogin }))],
    [PROGRESS_COMMENT, whenRoom("comment", createProgressCommentHandler({ ...writeBack, ownLogin }))],
  ]);
  const webhooks =
    settings.webhooks === undefined
      ? null
      : createWebhooks({
          ...params,
          settings: settings.webhooks,
          repositories,
          intake: issues,
          commands,
          watch,
          state,
        });
  const held = createHeldIssues({ database, repositories, intake: issues, places, clock, random, log });
  return {
    services: [
      poll,
      watch,
      createAnswerRelay(params),
      held,
      ...(webhooks === null ? [] : [webhooks.processor]),
      ...(settings.classify === undefined
        ? []
        : [
            createClassifier({
              ...params,
              classify: settings.classify,
              access: params.modelAccess,
              repositories,
              trust,
            }),
          ]),
    ],
    listener: webhooks?.listener ?? null,
    handlers,
    usage: () => readUsage(database, { budget, pace }),
    syncFor: async (taskId) => {
      const { rows } = await database.query<{ repository: string }>(
        "select repository from miyabi.github_issues where task_id = $1",
        [taskId],
      );
      const repository = rows[0] === undefined ? null : await repositories.find(rows[0].repository);
      if (repository !== null) await repositories.sync(repository);
    },
    mayStart: createStartGate({ database, tasks, repositories, trust }),
  };
}
