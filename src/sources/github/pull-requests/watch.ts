import {
  AppError,
  createLoop,
  toAppError,
  type Clock,
  type Loop,
  type Random,
  type Log,
} from "../../../base/index.ts";
import { ensureCache, fetchTarget, rebaseOnto } from "../../../repositories/index.ts";
import type { TaskHappening } from "../../../tasks/index.ts";
import {
  deliveredTasks,
  forgetPush,
  markChanged,
  readHostedTask,
  type HostedTask,
  type PullRequestPlace,
} from "../hosted-task.ts";
import { anything, pullRequestReply, reviewCommentReply, type ReviewReply } from "../replies.ts";
import type { HostedRepository } from "../repositories.ts";
import type { Trust } from "../trust.ts";
import type { WriteBackParams } from "../write-back/pull-request.ts";
import { failedLog } from "./ci-log.ts";
import { judgePullRequest, type Verdict } from "./judge.ts";
import { readChecks, readReviews, type Snapshot } from "./snapshot.ts";

interface WatchParams extends WriteBackParams {
  readonly trust: Trust;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface PullRequestWatch extends Loop {
  /** Something happened to a pull request: it is looked at now, also where we die before that. */
  changed(place: PullRequestPlace): Promise<void>;
}

const TICK_MS = 2_000;
/** While its checks run; while it waits for people. */
const CHECKS_EVERY_MS = 15_000;
const PEOPLE_EVERY_MS = 60_000;
const PUSH_SETTLES_MS = 10_000;
const GRACE_DEFAULT_MS = 60_000;

/** Looks at the open pull requests of tasks, and tells the tasks what changed. */
export function createPullRequestWatch(params: Readonly<WatchParams>): PullRequestWatch {
  const loop = createLoop({
    name: "github-pull-requests",
    intervalMs: TICK_MS,
    clock: params.clock,
    random: params.random,
    log: params.log,
    tick: async (signal) => {
      for (const task of await deliveredTasks(params.database)) {
        if (signal.aborted) return;
        if (!isDue(task)) continue;
        try {
          await look(params, task);
        } catch (error) {
          const known = toAppError(error);
          await markLooked(params, task);
          if (known.code === "conflict.state") continue; // it has moved on; the next look sees where to
          params.log.warn({ task: task.id, error: known.message }, "pull request could not be looked at");
          if (known.code === "github.rate_limited") return;
        }
      }
    },
  });
  return {
    ...loop,
    changed: async (place) => {
      if (await markChanged(params.database, place)) loop.wake();
    },
  };
}

/** Only where the task waits for its pull request; everything else would be asked in vain. */
function isDue(task: HostedTask): boolean {
  if (!isWatched(task)) return false;
  const every = task.stepKind === "wait-ci" ? CHECKS_EVERY_MS : PEOPLE_EVERY_MS;
  const { lookedAt = null, changedAt = null } = task.pullRequest ?? {};
  if (lookedAt === null || (changedAt !== null && changedAt >= lookedAt)) return true;
  return task.readAt.getTime() - lookedAt.getTime() >= every;
}

/** A pull request that was closed, or whose branch was deleted, may be opened again. */
const CLOSED = ["pull_request.closed", "branch.deleted"];

function isWatched({ stepKind, state, reason }: HostedTask): boolean {
  if (state !== "waiting" && state !== "delivered") return false;
  return (
    stepKind === "wait-ci" ||
    stepKind === "merge" ||
    (stepKind === "pull-request" && CLOSED.includes(reason?.code ?? ""))
  );
}

async function look(params: Readonly<WatchParams>, task: HostedTask): Promise<void> {
  const repository = await params.repositories.find(task.issue.repository);
  const { pullRequest } = task;
  if (repository === null || pullRequest === null) return;
  const { client, settings } = repository;
  const [owner, repo] = settings.name.split("/");
  const pull = await client.call(
    "GET /repos/{owner}/{repo}/pulls/{pull_number}",
    { owner, repo, pull_number: pullRequest.number },
    pullRequestReply,
  );
  const isOpen = pull.state === "open" && !pull.merged;
  const snapshot: Snapshot = {
    pull,
    checks: isOpen ? await readChecks(repository, pull.head.sha) : [],
    reviews: isOpen ? await readReviews(client, settings.name, pull.number) : [],
  };
  const trusted = await trustedAmong(params, repository, snapshot.reviews);
  const judge = (at: HostedTask): Verdict =>
    judgePullRequest({
      task: at,
      snapshot,
      policy: policyOf(at),
      trusted,
      graceOver: isGraceOver(at, params.clock.now()),
      isJustPushed: at.readAt.getTime() - (at.pullRequest?.pushedAt.getTime() ?? 0) < PUSH_SETTLES_MS,
    });
  const verdict = judge(task);
  await act(params, repository, task, snapshot, verdict);
  if (verdict.act === "tell" && verdict.happening.type === "ci-finished") {
    // What decides about the merge is known already: asking again would cost time and requests.
    const next = await readHostedTask(params.database, task.id);
    if (next?.stepKind === "merge") await act(params, repository, next, snapshot, judge(next));
  }
  await markLooked(params, task);
}

async function act(
  params: Readonly<WatchParams>,
  repository: HostedRepository,
  task: HostedTask,
  snapshot: Snapshot,
  verdict: Verdict,
): Promise<void> {
  const happen = (happening: TaskHappening): Promise<void> => params.tasks.happen(task.id, happening);
  switch (verdict.act) {
    case "nothing":
      return;
    case "tell":
      if (verdict.happening.type === "merged") await params.repositories.sync(repository);
      if (verdict.happening.type === "merge-awaits" && task.stepKind !== "merge") return;
      return happen(verdict.happening);
    case "closed":
      return closed(params, repository, task);
    case "checks-failed":
      if (task.stepKind === "wait-ci")
        return happen({
          type: "ci-finished",
          commit: verdict.commit,
          outcome: "failed",
          log: await failedLog(repository, snapshot.checks),
        });
      return happen({
        type: "feedback",
        by: "the checks",
        text: await failedLog(repository, snapshot.checks),
      });
    case "feedback":
      return feedback(params, repository, task, verdict.reviews);
    case "bring-up":
      return bringUp(params, repository, task);
  }
}

/** Tells a deleted branch from a closed pull request: a retry then pushes it anew. */
async function closed(
  params: Readonly<WatchParams>,
  { client, settings }: HostedRepository,
  task: HostedTask,
): Promise<void> {
  const [owner, repo] = settings.name.split("/");
  const route = "GET /repos/{owner}/{repo}/branches/{branch}";
  const isThere = await client.call(route, { owner, repo, branch: task.branch }, anything).then(
    () => true,
    (error: unknown) => {
      if (error instanceof AppError && error.code === "not_found") return false;
      throw error;
    },
  );
  const branch = isThere ? null : task.branch;
  await params.database.transaction(async (tx) => {
    await params.tasks.happenIn(tx, task.id, () => ({ type: "pull-request-closed", by: "somebody", branch }));
    if (branch !== null) await forgetPush(tx, task.id);
  });
}

/** Hands what reviewers wrote to the session, once. */
async function feedback(
  params: Readonly<WatchParams>,
  { client, settings }: HostedRepository,
  task: HostedTask,
  reviews: readonly ReviewReply[],
): Promise<void> {
  const [owner, repo] = settings.name.split("/");
  const comments = await client.list(
    "GET /repos/{owner}/{repo}/pulls/{pull_number}/comments",
    { owner, repo, pull_number: task.pullRequest?.number },
    reviewCommentReply,
  );
  const text = reviews
    .map((review) =>
      [
        `${review.user?.login ?? "somebody"} asks for changes:`,
        review.body,
        ...comments
          .filter((comment) => comment.pull_request_review_id === review.id)
          .map(
            ({ path, line, body }) =>
              `${path}${line === null || line === undefined ? "" : `:${line}`}: ${body}`,
          ),
      ]
        .filter((part) => part !== "")
        .join("\n"),
    )
    .join("\n\n");
  const until = reviews.reduce(
    (latest, { submitted_at: at }) => (at !== undefined && at > latest ? at : latest),
    new Date(0),
  );
  const by = reviews.map(({ user }) => user?.login ?? "somebody").join(", ");
  await params.database.transaction(async (tx) => {
    await params.tasks.happenIn(tx, task.id, () => ({ type: "feedback", by, text }));
    await tx.query("update miyabi.github_pull_requests set feedback_until = $2 where task_id = $1", [
      task.id,
      until,
    ]);
  });
}

/** Brings the task's commit onto the moved target; a conflict goes back to the session. */
async function bringUp(
  params: Readonly<WatchParams>,
  repository: HostedRepository,
  task: HostedTask,
): Promise<void> {
  await params.repositories.sync(repository);
  const cachePath = await ensureCache(params.git, {
    repositoryId: task.repositoryId,
    sourcePath: repository.mirrorPath,
    cachesDir: params.home.repositoriesDir,
  });
  const target = await fetchTarget(params.git, {
    cachePath,
    sourcePath: repository.mirrorPath,
    branch: repository.targetBranch,
  });
  if (task.headCommit === null || task.baseCommit === null)
    throw new AppError({ code: "internal.bug", message: `${task.id} has a pull request but no commit.` });
  const result = await rebaseOnto(params.git, {
    cachePath,
    taskId: task.id,
    taskCommit: task.headCommit,
    base: task.baseCommit,
    target: target.commit,
    squash: false,
  });
  switch (result.outcome) {
    case "conflict":
      return params.tasks.happen(task.id, {
        type: "remote-conflict",
        base: target.commit,
        files: result.files,
      });
    case "rebased":
      return params.tasks.happen(task.id, {
        type: "rebased",
        base: target.commit,
        commit: result.commit,
        tree: result.treeHash,
      });
    case "unchanged":
    case "empty":
      // GitHub has not seen yet that there is no conflict any more.
      return;
  }
}

async function trustedAmong(
  params: Readonly<WatchParams>,
  { client, settings }: HostedRepository,
  reviews: readonly ReviewReply[],
): Promise<ReadonlySet<string>> {
  const logins = new Set(reviews.map(({ user }) => user?.login).filter((login) => login !== undefined));
  const trusted = new Set<string>();
  for (const login of logins) if (await params.trust.isTrusted(client, settings, login)) trusted.add(login);
  return trusted;
}

function policyOf(task: HostedTask): "never" | "when-approved" | "when-green" {
  const step = task.workflow.steps.find(({ kind }) => kind === "merge");
  return step?.kind === "merge" ? step.policy : "never";
}

/** Whether checks have had the time to appear since we first looked at this commit. */
function isGraceOver(task: HostedTask, now: Date): boolean {
  const step = task.workflow.steps.find(({ kind }) => kind === "wait-ci");
  const graceMs = step?.kind === "wait-ci" ? step.grace : GRACE_DEFAULT_MS;
  const pushedAt = task.pullRequest?.pushedAt;
  return pushedAt !== undefined && now.getTime() - pushedAt.getTime() >= graceMs;
}

async function markLooked({ database }: Readonly<WatchParams>, task: HostedTask): Promise<void> {
  // As of when it was read: what we are told of from then on is another look.
  await database.query("update miyabi.github_pull_requests set looked_at = $2 where task_id = $1", [
    task.id,
    task.readAt,
  ]);
}
