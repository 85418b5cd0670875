import { existsSync } from "node:fs";
import { access, constants, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { AppError, errnoOf, quoteForShell } from "../base/index.ts";
import { resolveCommit, treeOf, type Git } from "./git.ts";
import { changedTrackedFiles, listWorktrees, operationIn, type Operation } from "./worktrees.ts";

interface InspectParams {
  /** Directory of the repository, absolute or relative to `cwd`. */
  readonly path: string;
  /** Directory that a relative path starts from. */
  readonly cwd?: string;
  /** Target branch; null means the one that HEAD is on. */
  readonly branch: string | null;
  /** Accept a repository that belongs to another user: its configuration then runs with our rights. Default false. */
  readonly trustOwner?: boolean;
}

/** Where the target branch is checked out, and whether its tree can advance with the branch. */
export interface TargetCheckout {
  readonly path: string;
  readonly linked: boolean;
  readonly clean: boolean;
  /** First 20 tracked files that differ from the commit. */
  readonly changedFiles: readonly string[];
  readonly operation: Operation | null;
}

export interface RepositoryFacts {
  /** Canonical path: the top of the worktree, or the bare repository itself. */
  readonly root: string;
  /** Git directory that all worktrees share. */
  readonly gitDir: string;
  readonly bare: boolean;
  readonly branch: string;
  readonly commit: string;
  readonly treeHash: string;
  /** Null where no worktree has the branch checked out. */
  readonly checkout: TargetCheckout | null;
}

const LISTED_FILES = 20;
const LISTED_BRANCHES = 8;

function unusable(message: string, fix: string | null, cause?: unknown): AppError {
  return new AppError({ code: "repository.unusable", message, fix, cause });
}

async function requireDirectory(given: string): Promise<string> {
  const quoted = quoteForShell(given);
  try {
    const real = await realpath(given);
    if (!(await stat(real)).isDirectory())
      throw unusable(
        `${given} is a file, not a repository's directory.`,
        `cd ${quoteForShell(path.dirname(real))}`,
      );
    await access(real, constants.R_OK | constants.X_OK);
    return real;
  } catch (error) {
    if (error instanceof AppError) throw error;
    if (errnoOf(error) === "EACCES" || errnoOf(error) === "EPERM")
      throw unusable(`${given} cannot be read by this user.`, `sudo chown -R "$(id -un)" ${quoted}`, error);
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR")
      throw unusable(
        `${given} does not exist.`,
        `git init ${quoted}   # or clone a repository to there`,
        error,
      );
    throw unusable(`${given} cannot be used as a path: ${errnoOf(error) ?? "not valid"}.`, null, error);
  }
}

interface Layout {
  readonly root: string;
  readonly gitDir: string;
  readonly bare: boolean;
}

async function findLayout(git: Git, directory: string): Promise<Layout> {
  const quoted = quoteForShell(directory);
  const answer = async (...args: readonly string[]): Promise<string | null> => {
    const result = await git.run({ cwd: directory, args: ["rev-parse", ...args] });
    return result.code === 0 ? result.stdout.replace(/\n$/, "") : null;
  };
  const found = await git.run({
    cwd: directory,
    args: ["rev-parse", "--path-format=absolute", "--git-common-dir"],
  });
  if (found.code !== 0) {
    if (/Permission denied/.test(found.stderr))
      throw unusable(
        `${directory}: its git directory cannot be read by this user.`,
        `sudo chown -R "$(id -un)" ${quoted}`,
      );
    const isNone = /not a git repository/.test(found.stderr);
    if (isNone && existsSync(path.join(directory, ".git")))
      throw unusable(
        `${directory}: its git directory .git is damaged: git does not take it for one.`,
        `git -C ${quoted} init && git -C ${quoted} fsck   # makes what it needs again, then looks at the rest`,
      );
    if (isNone)
      throw unusable(
        `${directory} is not a git repository.`,
        `git -C ${quoted} init && git -C ${quoted} add -A && git -C ${quoted} commit --allow-empty -m "First commit"`,
      );
    throw unusable(
      `${directory}: git cannot read this repository (${found.stderr.split("\n")[0] ?? "unknown"}).`,
      `git -C ${quoted} fsck`,
    );
  }
  const gitDir = found.stdout.replace(/\n$/, "");
  if ((await answer("--is-bare-repository")) === "true") return { root: gitDir, gitDir, bare: true };
  const root = await answer("--show-toplevel");
  if (root === null || root === "")
    throw unusable(
      `${directory} is inside a git directory, not in a worktree.`,
      `git -C ${quoteForShell(path.dirname(gitDir))} status   # give this directory instead`,
    );
  return { root, gitDir, bare: false };
}

async function requireOwner(layout: Layout, trustOwner: boolean): Promise<void> {
  const uid = process.getuid?.();
  if (trustOwner || uid === undefined) return;
  for (const file of [layout.root, layout.gitDir]) {
    const owner = (await stat(file)).uid;
    if (owner === uid) continue;
    throw unusable(
      `${layout.root} belongs to another user (uid ${owner}, this is ${uid}): its git configuration would run commands with our rights ("dubious ownership").`,
      `sudo chown -R "$(id -un)" ${quoteForShell(layout.root)}   # or start miyabi as that user`,
    );
  }
}

async function requireComplete(git: Git, { root, gitDir }: Layout): Promise<void> {
  const quoted = quoteForShell(root);
  const shallow = await git.text({ gitDir, args: ["rev-parse", "--is-shallow-repository"] });
  if (shallow.trim() === "true")
    throw unusable(
      `${root} is a shallow clone: its history is cut off.`,
      `git -C ${quoted} fetch --unshallow`,
    );
  const partial = await git.run({ gitDir, args: ["config", "--get-regexp", "^remote\\..*\\.promisor$"] });
  if (partial.stdout.includes("true"))
    throw unusable(
      `${root} is a partial clone: some of its objects are only on a server.`,
      `git clone "$(git -C ${quoted} remote get-url origin)" ${quoteForShell(`${root}-full`)}`,
    );
}

async function chooseBranch(git: Git, layout: Layout, wanted: string | null): Promise<string> {
  const { root, gitDir } = layout;
  const quoted = quoteForShell(root);
  const listed = await git.text({
    gitDir,
    args: ["for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads/"],
  });
  const branches = listed.split("\n").filter((name) => name !== "");
  const head = await git.run({ cwd: root, args: ["symbolic-ref", "--quiet", "--short", "HEAD"] });
  const branch = wanted ?? (head.code === 0 ? head.stdout.trim() : null);
  if (branches.length === 0)
    throw unusable(
      `${root} has no commits yet.`,
      layout.bare
        ? `git -C ${quoted} update-ref HEAD "$(git -C ${quoted} commit-tree -m "First commit" "$(git -C ${quoted} mktree < /dev/null)")"`
        : `git -C ${quoted} add -A && git -C ${quoted} commit --allow-empty -m "First commit"`,
    );
  const known = `It has: ${branches.slice(0, LISTED_BRANCHES).join(", ")}${branches.length > LISTED_BRANCHES ? ", …" : ""}.`;
  if (branch === null)
    throw unusable(
      `${root} has no branch checked out (detached HEAD), and no target branch is given. ${known}`,
      `git -C ${quoted} switch ${quoteForShell(branches[0] ?? "main")}`,
    );
  if (branches.includes(branch)) return branch;
  throw unusable(
    wanted === null
      ? `${root}: the current branch "${branch}" has no commits yet. ${known}`
      : `${root} has no branch "${branch}". ${known}`,
    `git -C ${quoted} switch ${quoteForShell(branches[0] ?? "main")}   # or name one of these as the target`,
  );
}

/** Where a branch is checked out, with what stands in the way of advancing its tree; null where it is not. */
export async function findCheckout(git: Git, gitDir: string, branch: string): Promise<TargetCheckout | null> {
  for (const worktree of await listWorktrees(git, gitDir)) {
    const operation = await operationIn(worktree);
    if (worktree.branch !== branch && operation?.branch !== branch) continue;
    const changedFiles = await changedTrackedFiles(git, worktree, LISTED_FILES);
    const clean = operation === null && changedFiles.length === 0;
    return { path: worktree.path, linked: worktree.linked, clean, changedFiles, operation };
  }
  return null;
}

/**
 * Says what a local repository is and whether it can be worked on. Reads only.
 * A directory inside a worktree stands for its repository. Bare repositories are fine: they have no tree to keep up.
 * @throws repository.unusable with the path, what is wrong and a command that mends it.
 */
export async function inspectRepository(git: Git, params: Readonly<InspectParams>): Promise<RepositoryFacts> {
  if (params.path === "" || params.path.includes("\0"))
    throw unusable("The repository's path is empty or not a path.", "miyabi task add --repo PATH …");
  const directory = await requireDirectory(path.resolve(params.cwd ?? "/", params.path));
  const layout = await findLayout(git, directory);
  await requireOwner(layout, params.trustOwner ?? false);
  await requireComplete(git, layout);
  const branch = await chooseBranch(git, layout, params.branch);
  const commit = await resolveCommit(git, layout.gitDir, `refs/heads/${branch}`);
  if (commit === null)
    throw unusable(
      `${layout.root}: the commit of branch "${branch}" is damaged or missing.`,
      `git -C ${quoteForShell(layout.root)} fsck`,
    );
  const treeHash = await treeOf(git, layout.gitDir, commit);
  return { ...layout, branch, commit, treeHash, checkout: await findCheckout(git, layout.gitDir, branch) };
}
