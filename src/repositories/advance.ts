import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { localFetchArgs } from "./cache.ts";
import { AppError, quoteForShell } from "../base/index.ts";
import { gitFailure, isAncestor, requireCommitId, resolveCommit, type Git } from "./git.ts";
import { releaseIndexLock, renewIndexLock, takeIndexLock } from "./index-lock.ts";
import { settleTree, sweepScratch, updateTree, type TreeProblem } from "./tree-update.ts";
import { listWorktrees, operationIn, type Worktree } from "./worktrees.ts";

interface AdvanceParams {
  /** Shared git directory of the user's repository (`RepositoryFacts.gitDir`). */
  readonly sourceGitDir: string;
  readonly branch: string;
  /** Commit that the branch has to be on. */
  readonly expectedOld: string;
  /** Descendant of `expectedOld` to move to. */
  readonly commit: string;
  readonly cachePath: string;
}

export type AdvanceOutcome =
  | { readonly outcome: "advanced" }
  /** The branch contains the commit. */
  | { readonly outcome: "already" }
  /** The branch is on another commit, or gone (null): rebase again. */
  | { readonly outcome: "moved"; readonly now: string | null }
  /** A person's work is in the way; nothing of theirs was touched. */
  | {
      readonly outcome: "dirty";
      readonly reason: "changes" | "untracked" | "operation" | "locked" | "special";
      /** First 20 files in the way. */
      readonly files: readonly string[];
      readonly detail: string;
      /** For the person to paste. */
      readonly command: string;
    };

type Dirty = Extract<AdvanceOutcome, { readonly outcome: "dirty" }>;

const LISTED_FILES = 20;
const NAMED_FILES = 3;
const REFLOG = { GIT_COMMITTER_NAME: "Miyabi Orchestra", GIT_COMMITTER_EMAIL: "miyabi@localhost" };

function dirty(
  params: Readonly<AdvanceParams>,
  worktree: Worktree,
  why: Omit<Dirty, "outcome" | "command"> & { readonly command?: string },
): Dirty {
  const at = `git -C ${quoteForShell(worktree.path)}`;
  const merge = `${at} merge --ff-only ${params.commit}`;
  const stash = `${at} stash push --include-untracked && ${merge} && ${at} stash pop`;
  const command = why.command ?? (why.reason === "changes" || why.reason === "untracked" ? stash : merge);
  return { outcome: "dirty", ...why, files: why.files.slice(0, LISTED_FILES), command };
}

/** Moves the ref by compare-and-swap. A lock with our own new value in it is what a killed call of this left. */
async function moveRef(
  git: Git,
  gitDir: string,
  params: Readonly<AdvanceParams>,
): Promise<"moved" | "lost" | { readonly lockFile: string }> {
  const ref = `refs/heads/${params.branch}`;
  const args = ["update-ref", "-m", "miyabi: merge", ref, params.commit, params.expectedOld];
  for (let isRetry = false; ; isRetry = true) {
    const result = await git.run({ gitDir, args, env: REFLOG });
    if (result.code === 0) return "moved";
    const now = await resolveCommit(git, gitDir, ref);
    if (now === params.commit) return "moved";
    if (now !== params.expectedOld) return "lost";
    const lock = /Unable to create '(.+\.lock)': File exists/.exec(result.stderr)?.[1];
    if (lock === undefined) throw gitFailure(args, result);
    const lockFile = path.resolve("/", lock);
    const held = (await readFile(lockFile, "latin1").catch(() => "")).trim();
    if (isRetry || held !== params.commit) return { lockFile };
    await rm(lockFile, { force: true });
  }
}

function lockedRef(params: Readonly<AdvanceParams>, worktreePath: string, lockFile: string): Dirty {
  return {
    outcome: "dirty",
    reason: "locked",
    files: [],
    detail: `Another git holds ${lockFile}, or was killed and left it.`,
    command: `git -C ${quoteForShell(worktreePath)} log -1 ${quoteForShell(params.branch)} && rm -f ${quoteForShell(lockFile)}   # only while no git runs there`,
  };
}

/** Whether the branch is where it has to be; null where it is. */
async function judgeRef(git: Git, params: Readonly<AdvanceParams>): Promise<AdvanceOutcome | null> {
  const gitDir = params.sourceGitDir;
  const now = await resolveCommit(git, gitDir, `refs/heads/${params.branch}`);
  if (now === null) return { outcome: "moved", now };
  if (now === params.commit || (await isAncestor(git, gitDir, params.commit, now)))
    return { outcome: "already" };
  return now === params.expectedOld ? null : { outcome: "moved", now };
}

async function advanceCheckout(
  git: Git,
  params: Readonly<AdvanceParams>,
  worktree: Worktree,
): Promise<AdvanceOutcome> {
  const { expectedOld: from, commit: to } = params;
  const operation = await operationIn(worktree);
  if (operation !== null) {
    const detail = `A ${operation.name} is in progress in ${worktree.path}.`;
    const why = { reason: "operation", files: [], detail, command: operation.command } as const;
    return (await judgeRef(git, params)) ?? dirty(params, worktree, why);
  }
  const lock = await takeIndexLock(worktree.gitDir, { from, to });
  if (lock.state === "busy") {
    const detail = "Another advance of this tree is running.";
    if (lock.byUs) return dirty(params, worktree, { reason: "locked", files: [], detail });
    return (await judgeRef(git, params)) ?? lockedRef(params, worktree.path, lock.lockFile);
  }
  await sweepScratch(worktree);
  if (lock.interrupted !== null) {
    await settle(git, params, worktree, lock.interrupted);
    await renewIndexLock(worktree.gitDir, { from, to });
  }
  // Where this throws, the lock stays as the journal of what the next call has to settle.
  const outcome = await advanceLocked(git, params, worktree);
  await releaseIndexLock(worktree.gitDir);
  return outcome;
}

async function advanceLocked(
  git: Git,
  params: Readonly<AdvanceParams>,
  worktree: Worktree,
): Promise<AdvanceOutcome> {
  const { expectedOld: from, commit: to } = params;
  const judged = await judgeRef(git, params);
  if (judged !== null) return judged;
  const problem = await updateTree(git, { worktree, from, to });
  if (problem !== null) return dirty(params, worktree, { ...problem, detail: detailOf(problem, worktree) });
  const moved = await moveRef(git, worktree.gitDir, params);
  if (moved === "moved") return { outcome: "advanced" };
  await settleTree(git, { worktree, from, to, side: "from" });
  if (moved !== "lost") return lockedRef(params, worktree.path, moved.lockFile);
  return {
    outcome: "moved",
    now: await resolveCommit(git, params.sourceGitDir, `refs/heads/${params.branch}`),
  };
}

function detailOf(problem: TreeProblem, worktree: Worktree): string {
  if (problem.reason === "special") return `In ${worktree.path} ${problem.detail}.`;
  const what =
    problem.reason === "untracked" ? "Untracked files would be overwritten" : "There are uncommitted changes";
  const named = problem.files.slice(0, NAMED_FILES).join(", ");
  const more = problem.files.length > NAMED_FILES ? ", …" : "";
  return `${what} in ${worktree.path}${named === "" ? "" : `: ${named}${more}`}.`;
}

/** Copies a commit into the user's repository. Always, even where it is there: a killed fetch may have left it without its files. */
async function bringObjects(git: Git, params: Readonly<AdvanceParams>, commit: string): Promise<void> {
  const args = localFetchArgs(params.cachePath, commit);
  await git.text({ gitDir: params.sourceGitDir, args, allowFileTransport: true, timeoutMs: 600_000 });
}

/** Brings a half-written tree to where the branch stands: forward where it has moved, else back. */
async function settle(
  git: Git,
  params: Readonly<AdvanceParams>,
  worktree: Worktree,
  journal: { readonly from: string; readonly to: string },
): Promise<void> {
  const now = await resolveCommit(git, params.sourceGitDir, `refs/heads/${params.branch}`);
  if (now !== journal.from && now !== journal.to) return;
  // No ref named these objects yet: a person's `git gc` may have removed them.
  await bringObjects(git, params, journal.to);
  await settleTree(git, { worktree, ...journal, side: now === journal.to ? "to" : "from" });
}

/**
 * Moves the user's branch forward to a commit of the cache; where a worktree has the branch checked out, its files move together with it.
 * A tree with a person's changes, staged or not, or with an operation in progress is left as it is.
 * Killed at any point, the next call with the same or another commit finishes or takes back the rest: git's `index.lock` holds the journal,
 * files are recognised by their content, and the branch moves last. One call at a time per repository is the caller's duty.
 * @throws process.failed where git fails; repository.conflict where `commit` does not descend from `expectedOld`.
 */
export async function advanceTarget(git: Git, params: Readonly<AdvanceParams>): Promise<AdvanceOutcome> {
  requireCommitId("commit", params.commit);
  requireCommitId("expectedOld", params.expectedOld);
  const gitDir = params.sourceGitDir;
  return git.exclusive(gitDir, async () => {
    await bringObjects(git, params, params.commit);
    if (!(await isAncestor(git, gitDir, params.expectedOld, params.commit)))
      throw new AppError({
        code: "repository.conflict",
        message: `${params.commit} does not build on ${params.expectedOld}; rebase it first.`,
      });
    for (const worktree of await listWorktrees(git, gitDir)) {
      if (worktree.branch === params.branch) return advanceCheckout(git, params, worktree);
      const operation = await operationIn(worktree);
      if (operation?.branch === params.branch) return advanceCheckout(git, params, worktree);
    }
    const judged = await judgeRef(git, params);
    if (judged !== null) return judged;
    const moved = await moveRef(git, gitDir, params);
    if (moved === "moved") return { outcome: "advanced" };
    if (moved !== "lost") return lockedRef(params, gitDir, moved.lockFile);
    return { outcome: "moved", now: await resolveCommit(git, gitDir, `refs/heads/${params.branch}`) };
  });
}
