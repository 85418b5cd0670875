import { AppError } from "../base/index.ts";
import { localFetchArgs } from "./cache.ts";
import { gitFailure, requireCommitId, resolveCommit, type Git } from "./git.ts";

interface KeepBranchParams {
  readonly cachePath: string;
  /** Shared git directory of the user's repository. */
  readonly sourceGitDir: string;
  /** As `branchNameFor` gives it. */
  readonly branch: string;
  readonly commit: string;
}

const MAX_SLUG = 48;
const MAX_TASK_ID = 40;
const MAX_SUFFIX = 20;

function asciiSlug(text: string, maxLength: number): string {
  return text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, maxLength)
    .replace(/^-+|-+$/g, "");
}

/**
 * Branch for a task: `miyabi/<task>-<slug of the title>`, or `miyabi/<task>` where the title has no letter or digit of ASCII,
 * as a Japanese one. Valid for git and plain enough for every tool. The same input gives the same name.
 */
export function branchNameFor(params: Readonly<{ taskId: string; title: string }>): string {
  const task = params.taskId
    .replace(/[^A-Za-z0-9_-]+/g, "-")
    .slice(0, MAX_TASK_ID)
    .replace(/^-+|-+$/g, "");
  const slug = asciiSlug(params.title, MAX_SLUG);
  return `miyabi/${[task === "" ? "task" : task, slug].filter((part) => part !== "").join("-")}`;
}

/**
 * Publishes a commit as a branch of the user's repository. Never moves a branch that is there: where the name stands for another
 * commit, `-2`, `-3` and so on are tried. Returns the branch's name. Repeating it gives the same name; nothing is checked out.
 * @throws repository.conflict where no name is free; process.failed where git fails.
 */
export async function keepBranch(git: Git, params: Readonly<KeepBranchParams>): Promise<string> {
  const { sourceGitDir: gitDir, commit } = params;
  requireCommitId("commit", commit);
  return git.exclusive(gitDir, async () => {
    await git.text({
      gitDir,
      args: localFetchArgs(params.cachePath, commit),
      allowFileTransport: true,
      timeoutMs: 600_000,
    });
    // Where a branch named `miyabi` exists, git cannot have one below it.
    const isTaken = (await resolveCommit(git, gitDir, "refs/heads/miyabi")) !== null;
    const wanted = isTaken ? params.branch.replaceAll("/", "-") : params.branch;
    for (let number = 1; number <= MAX_SUFFIX; number += 1) {
      const branch = number === 1 ? wanted : `${wanted}-${number}`;
      const ref = `refs/heads/${branch}`;
      const args = ["update-ref", "-m", "miyabi: keep", ref, commit, "0".repeat(commit.length)];
      const created = await git.run({
        gitDir,
        args,
        env: { GIT_COMMITTER_NAME: "Miyabi Orchestra", GIT_COMMITTER_EMAIL: "miyabi@localhost" },
      });
      if (created.code === 0) return branch;
      const now = await resolveCommit(git, gitDir, ref);
      if (now === commit) return branch;
      if (now === null && !/cannot lock ref/.test(created.stderr)) throw gitFailure(args, created);
    }
    throw new AppError({
      code: "repository.conflict",
      message: `No free name like "${wanted}" is left for the kept work.`,
      fix: `git --git-dir=${JSON.stringify(gitDir)} branch --list ${JSON.stringify(`${wanted}*`)}`,
    });
  });
}
