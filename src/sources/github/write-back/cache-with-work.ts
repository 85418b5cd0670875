import type { Home } from "../../../base/index.ts";
import {
  ensureCache,
  fetchTarget,
  hasCommit,
  type Git,
  type WorkStore,
} from "../../../repositories/index.ts";
import type { HostedTask } from "../hosted-task.ts";
import type { HostedRepositories, HostedRepository } from "../repositories.ts";

interface CacheParams {
  readonly git: Git;
  readonly home: Home;
  readonly work: WorkStore;
  readonly repositories: Pick<HostedRepositories, "sync">;
}

/**
 * This machine's cache of the task's repository, with a commit of the task in it. Where another machine made that, it stands on a target
 * that this one may not have seen yet.
 * @throws not_found where no machine has kept it, github.unavailable
 */
export async function cacheWithWork(
  { git, home, work, repositories }: Readonly<CacheParams>,
  repository: HostedRepository,
  task: Pick<HostedTask, "id" | "repositoryId">,
  commit: string,
): Promise<string> {
  const { mirrorPath: sourcePath, targetBranch: branch } = repository;
  const cachePath = await ensureCache(git, {
    repositoryId: task.repositoryId,
    sourcePath,
    cachesDir: home.repositoriesDir,
  });
  if (await hasCommit(git, cachePath, commit)) return cachePath;
  await repositories.sync(repository);
  await fetchTarget(git, { cachePath, sourcePath, branch });
  await work.bring({ cachePath, taskId: task.id, commit });
  return cachePath;
}
