import { appendFile, mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { AppError } from "../base/index.ts";
import { copyBundle, invalidHandover } from "./bundle-file.ts";
import { localFetchArgs, taskRef, withWorkDir } from "./cache.ts";
import { countLines, GITLINK_MODE, listChanges, SYMLINK_MODE, type Change } from "./changes.ts";
import { gitMessage, isAncestor, requireCommitId, treeOf, type Git } from "./git.ts";
import { runInOwnRepository } from "./locks.ts";
import { isCovered, pathProblem, symlinkProblem } from "./path-rules.ts";

export interface HandoverLimits {
  readonly maxBundleBytes: number;
  readonly maxCommits: number;
  readonly maxChangedFiles: number;
  /** Sum of the sizes of all new files in all new commits, unpacked. */
  readonly maxNewBytes: number;
}

/** Generous for hand-made changes, small against floods. */
export const DEFAULT_HANDOVER_LIMITS: HandoverLimits = {
  maxBundleBytes: 200 * 1024 * 1024,
  maxCommits: 500,
  maxChangedFiles: 5_000,
  maxNewBytes: 500 * 1024 * 1024,
};

interface ImportBundleParams {
  readonly cachePath: string;
  readonly bundleFile: string;
  readonly taskId: string;
  readonly expectedBase: string;
  readonly limits?: HandoverLimits;
  /** Paths that an agent may not change; see `isCovered`. */
  readonly protectedPaths?: readonly string[];
}

export interface Handover {
  readonly commit: string;
  readonly treeHash: string;
  readonly commits: number;
  readonly changedFiles: readonly string[];
  readonly insertions: number;
  readonly deletions: number;
}

const UNPACK_TIMEOUT_MS = 300_000;

/** An empty repository that borrows from the cache and knows its branches, so that a bad bundle leaves nothing behind. */
async function openQuarantine(
  git: Git,
  directory: string,
  params: Readonly<ImportBundleParams>,
): Promise<string> {
  const gitDir = path.join(directory, "quarantine.git");
  const format = await git.text({ gitDir: params.cachePath, args: ["rev-parse", "--show-object-format"] });
  await git.text({
    args: ["init", "--quiet", "--bare", "--template=", `--object-format=${format.trim()}`, gitDir],
  });
  await mkdir(path.join(gitDir, "objects", "info"), { recursive: true });
  await writeFile(
    path.join(gitDir, "objects", "info", "alternates"),
    `${path.join(params.cachePath, "objects")}\n`,
  );
  const refs = await git.text({
    gitDir: params.cachePath,
    args: ["for-each-ref", "--format=%(objectname) %(refname)", "refs/miyabi/target/", "refs/miyabi/tasks/"],
  });
  await appendFile(path.join(gitDir, "packed-refs"), `${params.expectedBase} refs/base\n${refs}`);
  return gitDir;
}

async function unpack(git: Git, gitDir: string, bundle: string): Promise<string> {
  const listed = await git.run({ gitDir, args: ["bundle", "list-heads", bundle], maxOutputBytes: 100_000 });
  if (listed.code !== 0) throw invalidHandover(`is not a bundle: ${gitMessage(listed)}`);
  const heads = listed.stdout.split("\n").filter((line) => line !== "");
  const head = /^([0-9a-f]{40,64}) HEAD$/.exec(heads.find((line) => line.endsWith(" HEAD")) ?? "")?.[1];
  if (heads.length !== 1 || head === undefined) throw invalidHandover("has to contain HEAD and nothing else");
  const verified = await git.run({ gitDir, args: ["bundle", "verify", "--quiet", bundle] });
  if (verified.code !== 0) throw invalidHandover(`does not fit on the repository: ${gitMessage(verified)}`);
  const fetched = await git.run({
    gitDir,
    args: ["-c", "transfer.fsckObjects=true", ...localFetchArgs(bundle, "+HEAD:refs/incoming")],
    allowFileTransport: true,
    timeoutMs: UNPACK_TIMEOUT_MS,
  });
  if (fetched.code !== 0) throw invalidHandover(`holds objects that git refuses: ${gitMessage(fetched)}`);
  await checkObjects(git, gitDir);
  return head;
}

/** Git before 2.46 does not apply `fsckObjects` to what it fetches from a bundle (seen with 2.39). */
async function checkObjects(git: Git, gitDir: string): Promise<void> {
  const packs = path.join(gitDir, "objects", "pack");
  for (const name of await readdir(packs)) {
    if (!name.endsWith(".pack")) continue;
    const checked = await git.run({
      gitDir,
      args: ["index-pack", "--strict", "-o", path.join(gitDir, "checked.idx"), path.join(packs, name)],
      timeoutMs: UNPACK_TIMEOUT_MS,
    });
    if (checked.code !== 0) throw invalidHandover(`holds objects that git refuses: ${gitMessage(checked)}`);
  }
}

async function checkSizes(
  git: Git,
  gitDir: string,
  head: string,
  params: Readonly<ImportBundleParams>,
): Promise<number> {
  const limits = params.limits ?? DEFAULT_HANDOVER_LIMITS;
  const range = [head, "--not", params.expectedBase, "--glob=refs/miyabi/target/*"];
  const own = await git.text({ gitDir, args: ["rev-list", "--count", head, `^${params.expectedBase}`] });
  const commits = Number(own);
  if (commits > limits.maxCommits)
    throw invalidHandover(`has ${commits} commits, more than ${limits.maxCommits}`);
  const listed = await git.text({ gitDir, args: ["rev-list", "--objects", "--no-object-names", ...range] });
  const sizes = await git.text({
    gitDir,
    args: ["cat-file", "--batch-check=%(objecttype) %(objectsize)"],
    input: listed,
    maxOutputBytes: 64 * 1024 * 1024,
  });
  let newBytes = 0;
  for (const line of sizes.split("\n"))
    if (line.startsWith("blob ")) newBytes += Number(line.slice("blob ".length));
  if (newBytes > limits.maxNewBytes)
    throw invalidHandover(`adds ${newBytes} bytes of files, more than ${limits.maxNewBytes}`, { newBytes });
  return commits;
}

async function checkPaths(
  git: Git,
  gitDir: string,
  changes: readonly Change[],
  params: Readonly<ImportBundleParams>,
): Promise<void> {
  const limit = (params.limits ?? DEFAULT_HANDOVER_LIMITS).maxChangedFiles;
  if (changes.length > limit) throw invalidHandover(`changes ${changes.length} files, more than ${limit}`);
  for (const change of changes) {
    const shown = JSON.stringify(change.path.slice(0, 200));
    const protectedBy = isCovered(change.path, params.protectedPaths ?? []);
    if (protectedBy) throw invalidHandover(`changes the protected path ${shown}`, { path: change.path });
    if (change.status === "D") continue;
    const problem = pathProblem(change.path);
    if (problem !== null) throw invalidHandover(`contains ${shown}, which ${problem}`, { path: change.path });
    if (change.newMode === GITLINK_MODE)
      throw invalidHandover(`adds or moves the submodule ${shown}, which is not allowed`, {
        path: change.path,
      });
    if (change.newMode !== SYMLINK_MODE) continue;
    const target = await git.text({
      gitDir,
      args: ["cat-file", "blob", change.newId],
      maxOutputBytes: 8_192,
    });
    const linkProblem = symlinkProblem(change.path, target);
    if (linkProblem !== null)
      throw invalidHandover(`contains ${shown}, which ${linkProblem}`, { path: change.path });
  }
}

async function reasonable<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    if (error instanceof AppError && (error.code === "input.too_large" || error.code === "process.timeout"))
      throw invalidHandover("is too large to be checked");
    throw error;
  });
}

/**
 * Takes over what an agent handed over: copies the bundle out of reach, unpacks it apart from the cache with git's checks on,
 * judges it, and only then brings it into the cache as the task's ref. Repeating it gives the same; a crash leaves the old ref or the new.
 * The task's ref moves also backwards, so the caller checks its lease first.
 * @throws handover.invalid with the reason; not_found where the cache lacks the base; disk.full.
 */
export async function importBundle(git: Git, params: Readonly<ImportBundleParams>): Promise<Handover> {
  const ref = taskRef(params.taskId);
  const base = requireCommitId("expectedBase", params.expectedBase);
  if (!(await isAncestor(git, params.cachePath, base, base)))
    throw new AppError({ code: "not_found", message: `The cache has no commit ${base}.` });
  return withWorkDir(git, params.cachePath, async (directory) => {
    const bundle = path.join(directory, "handover.bundle");
    const maxBytes = (params.limits ?? DEFAULT_HANDOVER_LIMITS).maxBundleBytes;
    await copyBundle({ from: params.bundleFile, to: bundle, maxBytes });
    const gitDir = await openQuarantine(git, directory, params);
    const head = await reasonable(unpack(git, gitDir, bundle));
    if (!(await isAncestor(git, gitDir, base, head))) throw invalidHandover(`does not build on ${base}`);
    const commits = await reasonable(checkSizes(git, gitDir, head, params));
    const changes = await reasonable(
      listChanges(git, { gitDir, base, head, maxOutputBytes: 16 * 1024 * 1024 }),
    );
    await reasonable(checkPaths(git, gitDir, changes, params));
    const lines = await reasonable(countLines(git, { gitDir, base, head }));
    await git.exclusive(params.cachePath, () =>
      runInOwnRepository(git, {
        gitDir: params.cachePath,
        args: localFetchArgs(gitDir, `+${head}:${ref}`),
        allowFileTransport: true,
        timeoutMs: UNPACK_TIMEOUT_MS,
      }),
    );
    return {
      commit: head,
      treeHash: await treeOf(git, params.cachePath, head),
      commits,
      changedFiles: changes.map((change) => change.path),
      insertions: lines.reduce((sum, line) => sum + (line.insertions ?? 0), 0),
      deletions: lines.reduce((sum, line) => sum + (line.deletions ?? 0), 0),
    };
  });
}
