import { AppError } from "../../../base/index.ts";
import { ensureCache, fetchTarget, rebaseOnto } from "../../../repositories/index.ts";
import type { TaskHappening } from "../../../tasks/index.ts";
import type { HostedTask } from "../hosted-task.ts";
import type { HostedRepository } from "../repositories.ts";
import type { WriteBackParams } from "../write-back/pull-request.ts";
import { isBaseRewritten } from "./rewritten-base.ts";

/**
 * Brings the task's commit onto the moved target, in our own cache; a conflict goes back to the session, or to a person where the
 * target was rewritten. Null where there is nothing to
 * do: GitHub has not seen yet that there is no conflict any more.
 */
export async function bringUp(
  params: Readonly<WriteBackParams>,
  repository: HostedRepository,
  task: HostedTask,
): Promise<Extract<TaskHappening, { type: "rebased" | "remote-conflict" | "base-rewritten" }> | null> {
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
  await params.work.bring({ cachePath, taskId: task.id, commit: task.headCommit });
  const result = await rebaseOnto(params.git, {
    cachePath,
    taskId: task.id,
    taskCommit: task.headCommit,
    base: task.baseCommit,
    target: target.commit,
    squash: false,
  });
  switch (result.outcome) {
    case "conflict": {
      const { files } = result;
      return (await isBaseRewritten(params, repository, task))
        ? { type: "base-rewritten", to: target.commit, files }
        : { type: "remote-conflict", base: target.commit, files };
    }
    case "rebased":
      await params.work.keep({ cachePath, taskId: task.id, commit: result.commit, base: target.commit });
      return { type: "rebased", base: target.commit, commit: result.commit, tree: result.treeHash };
    case "unchanged":
    case "empty":
      return null;
  }
}
