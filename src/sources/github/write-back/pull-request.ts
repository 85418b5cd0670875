import type { Home, Random } from "../../../base/index.ts";
import {
  fetchTarget,
  findProtectedChanges,
  protectedChangeReason,
  pushBranch,
  type Git,
  type WorkStore,
} from "../../../repositories/index.ts";
import type { Database } from "../../../store/index.ts";
import { because, type OutboxHandler, type Reason, type TaskService } from "../../../tasks/index.ts";
import { cacheWithWork } from "./cache-with-work.ts";
import { syncCheckRun } from "./own-check.ts";
import { answerThreads } from "./thread-answer.ts";
import { requireTask } from "./require-task.ts";
import { forgetPush, type HostedTask } from "../hosted-task.ts";
import { pullRequestListReply, pullRequestReply } from "../replies.ts";
import type { HostedRepositories, HostedRepository } from "../repositories.ts";
import { pullRequestBody } from "./pull-request-body.ts";
import { tellTask } from "./tell-task.ts";

export interface WriteBackParams {
  readonly database: Database;
  readonly tasks: TaskService;
  readonly repositories: HostedRepositories;
  readonly git: Git;
  readonly home: Home;
  readonly work: WorkStore;
  /** Where a person sees a task. */
  readonly consoleUrl: string;
}

export type PullRequestResult =
  | {
      readonly outcome: "open";
      readonly number: number;
      readonly url: string;
      readonly commit: string;
      readonly repository: string;
      readonly branch: string;
    }
  | { readonly outcome: "held"; readonly reason: Reason };

/**
 * Pushes the task's commit and opens or updates its pull request. Repeatable as a whole: the push knows what is there, and the
 * pull request is found by its branch.
 */
export function createPullRequestHandler(
  params: Readonly<WriteBackParams & { random: Pick<Random, "uuid"> }>,
): OutboxHandler<PullRequestResult> {
  return {
    send: async (entry) => {
      const { task, repository } = await requireTask(params, entry);
      // A person merged it, or it was stopped, before this was sent.
      if (["done", "failed", "cancelled"].includes(task.state))
        return { outcome: "held", reason: because("run.cancelled", "The task has ended.") };
      const commit = task.headCommit;
      if (commit === null)
        return {
          outcome: "held",
          reason: because("agent.no_changes", "There is no commit to open a pull request for."),
        };
      const cachePath = await cacheWithWork(params, repository, task, commit);
      const held =
        (await requireApproval(params, repository, task, { cachePath, commit })) ??
        (await push(params, repository, task, { cachePath, commit }));
      if (held !== null) return { outcome: "held", reason: held };
      const { number, url } = await openOrUpdate(
        params,
        // The push may have found out that it has another name.
        (await params.repositories.find(repository.key)) ?? repository,
        task,
      );
      return { outcome: "open", number, url, commit, repository: repository.key, branch: task.branch };
    },
    settle: async (tx, entry, result) => {
      const taskId = entry.taskId ?? "";
      if (result.outcome === "held") {
        const { reason } = result;
        await tellTask(params.tasks, tx, taskId, { type: "pull-request-held", reason });
        if (reason.code === "branch.deleted") await forgetPush(tx, taskId);
        return;
      }
      const { rows } = await tx.query<{ pushed_commit: string }>(
        "select pushed_commit from miyabi.github_pull_requests where task_id = $1",
        [taskId],
      );
      await tx.query(
        `insert into miyabi.github_pull_requests (task_id, repository, number, url, branch, pushed_commit) values ($1, $2, $3, $4, $5, $6)
         on conflict (task_id) do update set number = excluded.number, url = excluded.url, pushed_commit = excluded.pushed_commit, etag = null, looked_at = null,
           pushed_at = case when miyabi.github_pull_requests.pushed_commit = excluded.pushed_commit then miyabi.github_pull_requests.pushed_at else now() end`,
        [taskId, result.repository, result.number, result.url, result.branch, result.commit],
      );
      const { number, url, commit, repository } = result;
      await answerThreads(tx, params.random, {
        taskId,
        repository,
        commit,
        isNew: rows[0]?.pushed_commit !== commit,
      });
      await syncCheckRun(tx, params.random, taskId);
      await tellTask(params.tasks, tx, taskId, { type: "pull-request-opened", number, url, commit });
    },
    giveUp: async (tx, entry, error) => {
      const reason = because(error.code, error.message, {}, `miyabi task retry ${entry.taskId ?? ""}`);
      await tellTask(params.tasks, tx, entry.taskId ?? "", { type: "pull-request-held", reason });
    },
  };
}

interface Work {
  readonly cachePath: string;
  readonly commit: string;
}

/**
 * Null where nothing protected is changed, or a person approved just this. Before the push: workflows run, and hooks and the tools of
 * others read them, as soon as the branch is there.
 */
async function requireApproval(
  { git }: Readonly<WriteBackParams>,
  { mirrorPath, targetBranch, settings }: HostedRepository,
  task: HostedTask,
  { cachePath, commit }: Work,
): Promise<Reason | null> {
  const target = await fetchTarget(git, { cachePath, sourcePath: mirrorPath, branch: targetBranch });
  const found = await findProtectedChanges(git, {
    gitDir: cachePath,
    target: target.commit,
    head: commit,
    rules: settings.protect,
  });
  return found === null || found.digest === task.approved ? null : protectedChangeReason(found, task.id);
}

/** Null where the branch stands at the commit now; else why it does not. */
async function push(
  params: Readonly<WriteBackParams>,
  repository: HostedRepository,
  task: HostedTask,
  { cachePath, commit }: Work,
): Promise<Reason | null> {
  const pushed = await params.repositories.atRemote(repository, (remote) =>
    pushBranch(params.git, {
      gitDir: cachePath,
      remote,
      branch: task.branch,
      commit,
      expectedOld: task.pullRequest?.pushedCommit ?? null,
    }),
  );
  switch (pushed.outcome) {
    case "pushed":
    case "already":
      return null;
    case "moved":
      return pushed.to === null
        ? because(
            "branch.deleted",
            `Its branch ${task.branch} was deleted on GitHub.`,
            { branch: task.branch },
            `miyabi task retry ${task.id}`,
          )
        : because(
            "branch.moved",
            `Somebody else pushed ${pushed.to.slice(0, 12)} to ${task.branch}; it stays.`,
            { branch: task.branch, to: pushed.to },
            `miyabi task retry ${task.id}`,
          );
    case "refused":
      return because(
        "branch.refused",
        `GitHub does not take the branch ${task.branch}: ${pushed.message}`,
        { branch: task.branch },
        `miyabi task retry ${task.id}`,
      );
  }
}

async function openOrUpdate(
  params: Readonly<WriteBackParams>,
  { client, settings, targetBranch }: HostedRepository,
  task: HostedTask,
): Promise<{ readonly number: number; readonly url: string }> {
  const [owner = "", repo] = settings.name.split("/");
  const body = await pullRequestBody(params, task);
  const title = task.title;
  const open = await client.list(
    "GET /repos/{owner}/{repo}/pulls",
    { owner, repo, state: "open", head: `${owner}:${task.branch}` },
    pullRequestListReply,
    1,
  );
  const found = open.find(({ head }) => head.ref === task.branch);
  if (found !== undefined) {
    if (found.body !== body)
      await client.call(
        "PATCH /repos/{owner}/{repo}/pulls/{pull_number}",
        { owner, repo, pull_number: found.number, body },
        pullRequestReply,
      );
    return { number: found.number, url: found.html_url };
  }
  const made = await client.call(
    "POST /repos/{owner}/{repo}/pulls",
    { owner, repo, title, body, head: task.branch, base: targetBranch },
    pullRequestReply,
  );
  return { number: made.number, url: made.html_url };
}
