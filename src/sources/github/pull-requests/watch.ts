import { createLoop, toAppError, type Clock, type Loop, type Log } from "../../../base/index.ts";
import {
  deliveredTasks,
  markChanged,
  readHostedTask,
  type HostedTask,
  type PullRequestPlace,
} from "../hosted-task.ts";
import { syncThroughOutbox } from "../../../tasks/index.ts";
import { pullRequestReply, type ReviewReply } from "../replies.ts";
import type { HostedRepository } from "../repositories.ts";
import type { Trust } from "../trust.ts";
import { actOn, type ActParams } from "./act.ts";
import { judgePullRequest, type Verdict } from "./judge.ts";
import { judgeBase } from "./rewritten-base.ts";
import { readThreads, sortThreads, type SortedThreads } from "./review-threads.ts";
import { readChecks, readReviews, type Snapshot } from "./snapshot.ts";
import { givenComments, noteSeen } from "./thread-store.ts";

interface WatchParams extends ActParams {
  readonly trust: Trust;
  readonly ownLogin: () => Promise<string>;
  readonly clock: Clock;
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
// GitHub's times have whole seconds: another review may come in the second of the last one.
const REVIEWS_SETTLE_MS = 5_000;
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
  const trusted = new Set<string>();
  const learn = async (logins: readonly (string | null)[]): Promise<void> => {
    for (const login of new Set(logins))
      if (login !== null && (await params.trust.isTrusted(client, settings, login))) trusted.add(login);
  };
  await learn(snapshot.reviews.map(({ user }) => user?.login ?? null));
  const news = await readNews(params, repository, task, snapshot.reviews, learn, trusted);
  const judge = (at: HostedTask): Verdict =>
    judgePullRequest({
      task: at,
      snapshot,
      threads: news?.open ?? [],
      policy: policyOf(at),
      trusted,
      graceOver: isGraceOver(at, params.clock.now()),
      isJustPushed: at.readAt.getTime() - (at.pullRequest?.pushedAt.getTime() ?? 0) < PUSH_SETTLES_MS,
    });
  const verdict = (await judgeBase(params, repository, task, pull)) ?? judge(task);
  await actOn(params, { repository, task, snapshot, news }, verdict);
  if (verdict.act === "tell" && verdict.happening.type === "ci-finished") {
    // What decides about the merge is known already: asking again would cost time and requests.
    const next = await readHostedTask(params.database, task.id);
    if (next?.stepKind === "merge")
      await actOn(params, { repository, task: next, snapshot, news }, judge(next));
  }
  if (news !== null && news.open.length === 0) await seen(params, task, news);
  await markLooked(params, task);
}

/** What the threads of reviews hold; null where no review came since the last look, which then costs no request. */
async function readNews(
  params: Readonly<WatchParams>,
  repository: HostedRepository,
  task: HostedTask,
  reviews: readonly ReviewReply[],
  learn: (logins: readonly (string | null)[]) => Promise<void>,
  trusted: ReadonlySet<string>,
): Promise<(SortedThreads & { readonly until: Date }) | null> {
  const until = reviews.reduce(
    (latest, { submitted_at: at }) => (at !== undefined && at > latest ? at : latest),
    new Date(0),
  );
  if (until <= (task.pullRequest?.reviewsSeenAt ?? new Date(0))) return null;
  const threads = await readThreads(repository, task.pullRequest?.number ?? 0);
  await learn(threads.flatMap(({ comments }) => comments.map(({ author }) => author)));
  const given = await givenComments(params.database, task.id);
  const sorted = sortThreads({ threads, trusted, ownLogin: await params.ownLogin(), given });
  const isFresh = params.clock.now().getTime() - until.getTime() < REVIEWS_SETTLE_MS;
  return { ...sorted, until: isFresh ? new Date(until.getTime() - 1) : until };
}

/** Nothing in the threads waits for the agent: they are read again when a review comes. */
async function seen(
  { database, random }: Readonly<WatchParams>,
  task: HostedTask,
  news: Parameters<typeof noteSeen>[2],
): Promise<void> {
  await database.transaction(async (tx) => {
    if (await noteSeen(tx, task.id, news))
      await syncThroughOutbox(tx, random, {
        taskId: task.id,
        kind: "progress",
        target: `progress:${task.id}`,
      });
  });
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
