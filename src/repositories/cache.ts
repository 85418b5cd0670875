import { access, mkdir, mkdtemp, rename } from "node:fs/promises";
import path from "node:path";
import { AppError, diskError, ensurePrivateDirectory, quoteForShell } from "../base/index.ts";
import { requireCommitId, resolveCommit, treeOf, type Git } from "./git.ts";
import { runInOwnRepository } from "./locks.ts";
import { removeTree } from "./remove-tree.ts";

interface EnsureCacheParams {
  /** Letters, digits, `-`, `_` and `.`; names the cache's directory. */
  readonly repositoryId: string;
  /** Canonical root of the repository as `inspectRepository` gave it. */
  readonly sourcePath: string;
  /** Directory that holds all caches. */
  readonly cachesDir: string;
}

interface FetchTargetParams {
  readonly cachePath: string;
  readonly sourcePath: string;
  readonly branch: string;
}

export interface TargetCommit {
  readonly commit: string;
  readonly treeHash: string;
}

/** Ref of the cache that copies a branch of the source. */
export const targetRef = (branch: string): string => `refs/miyabi/target/${branch}`;

/** Ref of the cache that holds what a task has handed over. @throws input.invalid where the id does not fit in a ref. */
export function taskRef(taskId: string): string {
  if (/^[\w-][\w.-]{0,99}$/.test(taskId) && !/\.\.|\.$|\.lock$/.test(taskId))
    return `refs/miyabi/tasks/${taskId}`;
  throw new AppError({ code: "input.invalid", message: `"${taskId.slice(0, 80)}" is not a task's id.` });
}

// A repository may belong to another user, which inspectRepository has asked about; a child git judges that anew.
const UPLOAD_PACK = "--upload-pack=git -c safe.directory=* upload-pack";

/** Arguments of a fetch from another repository of this machine, without tags, housekeeping or side files. */
export function localFetchArgs(from: string, ...refspecs: readonly string[]): readonly string[] {
  return [
    "fetch",
    "--quiet",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-auto-gc",
    UPLOAD_PACK,
    "--",
    from,
    ...refspecs,
  ];
}

/** Our own directory beside a cache: never bound into a sandbox. Its content means nothing after a crash. */
export function workDirOf(cachePath: string): string {
  return `${cachePath.replace(/\.git$/, "")}.work`;
}

/** Runs `work` in a fresh private directory beside the cache and removes it after. */
export async function withWorkDir<T>(
  git: Git,
  cachePath: string,
  work: (directory: string) => Promise<T>,
): Promise<T> {
  const parent = workDirOf(cachePath);
  await ensurePrivateDirectory(parent);
  const directory = await mkdtemp(path.join(parent, "job-"));
  try {
    return await work(directory);
  } finally {
    await removeTree(git, { directory });
  }
}

/** Removes what killed operations left beside a cache. Call it at start, before any operation on the cache. */
export async function sweepWorkDir(git: Git, params: Readonly<{ cachePath: string }>): Promise<void> {
  await removeTree(git, { directory: workDirOf(params.cachePath) });
}

/**
 * The bare cache of a repository, created where it is missing, empty then. Returns its path.
 * Created beside and renamed into place, so a crash leaves no half cache. Objects in it are never pruned, since clones borrow them.
 * @throws input.invalid, repository.unusable where the source is gone or damaged, disk.not_writable, disk.full.
 */
export async function ensureCache(git: Git, params: Readonly<EnsureCacheParams>): Promise<string> {
  if (!/^[\w-][\w.-]{0,99}$/.test(params.repositoryId))
    throw new AppError({
      code: "input.invalid",
      message: `"${params.repositoryId.slice(0, 80)}" is not a repository's id.`,
    });
  const cachePath = path.join(params.cachesDir, `${params.repositoryId}.git`);
  return git.exclusive(cachePath, async () => {
    const isThere = await access(path.join(cachePath, "HEAD")).then(
      () => true,
      () => false,
    );
    if (isThere) return cachePath;
    await ensurePrivateDirectory(params.cachesDir);
    const format = await objectFormat(git, params.sourcePath);
    await withWorkDir(git, cachePath, async (directory) => {
      const fresh = path.join(directory, "cache.git");
      await git.text({
        args: [
          "init",
          "--quiet",
          "--bare",
          "--template=",
          `--object-format=${format.trim()}`,
          "--initial-branch=none",
          fresh,
        ],
      });
      for (const [key, value] of [
        ["gc.auto", "0"],
        ["gc.pruneExpire", "never"],
        ["maintenance.auto", "false"],
        ["uploadpack.allowAnySHA1InWant", "true"], // a commit that no ref names any more is still handed out
      ] as const)
        await git.text({ gitDir: fresh, args: ["config", key, value] });
      await mkdir(path.join(fresh, "objects", "info"), { recursive: true });
      await rename(fresh, cachePath).catch((error: unknown) => {
        throw diskError(cachePath, error);
      });
    });
    return cachePath;
  });
}

/** @throws repository.unusable where the source is gone or damaged. */
async function objectFormat(git: Git, sourcePath: string): Promise<string> {
  try {
    return await git.text({ cwd: sourcePath, args: ["rev-parse", "--show-object-format"] });
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "process.failed") throw error;
    throw new AppError({
      code: "repository.unusable",
      message: `${sourcePath} cannot be read: ${error.message}`,
      fix: `git -C ${quoteForShell(sourcePath)} status`,
      cause: error,
    });
  }
}

/**
 * Copies the source's branch into the cache, also where it was rewritten.
 * @throws repository.unusable where the branch or the source is gone or damaged.
 */
export async function fetchTarget(git: Git, params: Readonly<FetchTargetParams>): Promise<TargetCommit> {
  const { cachePath, sourcePath, branch } = params;
  return git.exclusive(cachePath, async () => {
    const known = await knownTarget(git, params);
    if (known !== null) return { commit: known, treeHash: await treeOf(git, cachePath, known) };
    try {
      await runInOwnRepository(git, {
        gitDir: cachePath,
        args: localFetchArgs(sourcePath, `+refs/heads/${branch}:${targetRef(branch)}`),
        allowFileTransport: true,
        timeoutMs: 30 * 60_000, // the first fetch of a large repository
      });
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "process.failed") throw error;
      throw new AppError({
        code: "repository.unusable",
        message: `Branch "${branch}" of ${sourcePath} cannot be read: ${error.message}.`,
        fix: `git -C ${quoteForShell(sourcePath)} log -1 ${quoteForShell(branch)}`,
        cause: error,
      });
    }
    const commit = await resolveCommit(git, cachePath, targetRef(branch));
    if (commit === null)
      throw new AppError({
        code: "repository.unusable",
        message: `Branch "${branch}" of ${sourcePath} is damaged.`,
      });
    return { commit, treeHash: await treeOf(git, cachePath, commit) };
  });
}

/** Commit of a bare source's branch where the cache's copy stands there already: two looks instead of a fetch. Null otherwise. */
async function knownTarget(
  git: Git,
  { cachePath, sourcePath, branch }: Readonly<FetchTargetParams>,
): Promise<string | null> {
  const isBare = await access(path.join(sourcePath, "HEAD")).then(
    () => true,
    () => false,
  );
  if (!isBare) return null;
  const [there, here] = await Promise.all([
    resolveCommit(git, sourcePath, `refs/heads/${branch}`),
    resolveCommit(git, cachePath, targetRef(branch)),
  ]);
  return there === here ? here : null;
}

/** Whether the cache holds a commit with this id. */
export async function hasCommit(git: Git, cachePath: string, commit: string): Promise<boolean> {
  return (await resolveCommit(git, cachePath, requireCommitId("commit", commit))) !== null;
}

const MANY_LOOSE_OBJECTS = 2_000;

/**
 * Packs the cache's objects where there are many loose ones; keeps every object, also those that no ref names. Returns whether it packed.
 * Safe while clones borrow from the cache: git looks for a moved object again.
 */
export async function compactCache(git: Git, params: Readonly<{ cachePath: string }>): Promise<boolean> {
  const gitDir = params.cachePath;
  const counted = await git.text({ gitDir, args: ["count-objects", "-v"] });
  const loose = Number(/^count: (\d+)$/m.exec(counted)?.[1] ?? 0);
  const packs = Number(/^packs: (\d+)$/m.exec(counted)?.[1] ?? 0);
  if (loose < MANY_LOOSE_OBJECTS && packs < 50) return false;
  return git.exclusive(gitDir, async () => {
    await git.text({ gitDir, args: ["repack", "-a", "-d", "-k", "-q"], timeoutMs: 30 * 60_000 });
    return true;
  });
}

/** Removes a cache with everything beside it. */
export async function removeCache(git: Git, params: Readonly<{ cachePath: string }>): Promise<void> {
  await removeTree(git, { directory: params.cachePath });
  await removeTree(git, { directory: workDirOf(params.cachePath) });
}
