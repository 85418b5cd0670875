import { TASK_TRAILER } from "./commit-writing.ts";
import { isAncestor, requireCommitId, resolveCommit, type Git } from "./git.ts";

interface FindMergedParams {
  /** Git directory to search, the user's or the cache. */
  readonly gitDir: string;
  /** Ref or branch to search, e.g. `refs/heads/main`. */
  readonly ref: string;
  readonly taskId: string;
  /** Commit that was to be merged; null where none is known. */
  readonly commit: string | null;
  /** Commit that the branch was on when the task began: history before it is not searched. Null searches the last 5,000 commits. */
  readonly since: string | null;
}

export interface MergedTask {
  readonly commit: string;
  /** Found as the commit itself, or by its `Miyabi-Task` trailer (a person may have merged it another way). */
  readonly by: "commit" | "trailer";
}

const SEARCHED_COMMITS = 5_000;

/** Whether a task's work has reached a branch, e.g. after a crash between the merge and its record; null where it has not. */
export async function findMergedTask(
  git: Git,
  params: Readonly<FindMergedParams>,
): Promise<MergedTask | null> {
  const { gitDir, commit, taskId } = params;
  const tip = await resolveCommit(git, gitDir, params.ref);
  if (tip === null) return null;
  if (commit !== null && (await isAncestor(git, gitDir, requireCommitId("commit", commit), tip)))
    return { commit, by: "commit" };
  const since =
    params.since === null ? null : await resolveCommit(git, gitDir, requireCommitId("since", params.since));
  const log = await git.text({
    gitDir,
    args: [
      "log",
      `--max-count=${SEARCHED_COMMITS}`,
      "--fixed-strings",
      `--grep=${TASK_TRAILER}: ${taskId}`,
      `--format=%H%x00%(trailers:key=${TASK_TRAILER},valueonly,separator=%x01)%x00`,
      since === null ? tip : `${since}..${tip}`,
      "--",
    ],
  });
  const fields = log.split("\0");
  for (let index = 0; index + 1 < fields.length; index += 2)
    if ((fields[index + 1] ?? "").split("\u0001").includes(taskId))
      return { commit: (fields[index] ?? "").trim(), by: "trailer" };
  return null;
}
