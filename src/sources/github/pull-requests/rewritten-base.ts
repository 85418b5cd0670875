import type { Home } from "../../../base/index.ts";
import { ensureCache, isAncestor, type Git } from "../../../repositories/index.ts";
import type { HostedTask } from "../hosted-task.ts";
import type { PullRequestReply } from "../replies.ts";
import type { HostedRepositories, HostedRepository } from "../repositories.ts";
import type { Verdict } from "./judge.ts";

interface BaseParams {
  readonly git: Git;
  readonly repositories: HostedRepositories;
  readonly home: Home;
}

/**
 * Whether the branch that the work stands on was rewritten (force-pushed) since: the work's history holds commits that were taken
 * out of it, and a merge would bring them back. GitHub calls such a pull request mergeable.
 */
export async function isBaseRewritten(
  { git, repositories, home }: BaseParams,
  repository: HostedRepository,
  { repositoryId, baseCommit, headCommit }: Pick<HostedTask, "repositoryId" | "baseCommit" | "headCommit">,
): Promise<boolean> {
  if (baseCommit === null || headCommit === null) return false;
  const target = await repositories.upToDate(repository);
  if (target === baseCommit || (await isAncestor(git, repository.mirrorPath, baseCommit, target)))
    return false;
  const cachePath = await ensureCache(git, {
    repositoryId,
    sourcePath: repository.mirrorPath,
    cachesDir: home.repositoriesDir,
  });
  // A person may have put the work on the new one by hand.
  return isAncestor(git, cachePath, baseCommit, headCommit);
}

/** A base that was rewritten comes before all else that an open pull request of ours may ask for; null: it was not. */
export async function judgeBase(
  params: BaseParams,
  repository: HostedRepository,
  task: HostedTask,
  pull: Pick<PullRequestReply, "merged" | "state" | "head">,
): Promise<Verdict | null> {
  if (pull.merged || pull.state !== "open" || pull.head.sha !== task.headCommit) return null;
  if (await isBaseRewritten(params, repository, task)) return { act: "bring-up" };
  return task.reason?.code === "base.rewritten" ? { act: "tell", happening: { type: "remote-back" } } : null;
}
