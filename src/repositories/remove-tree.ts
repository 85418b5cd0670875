import { lstat, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { AppError, errnoOf } from "../base/index.ts";
import type { Git } from "./git.ts";

interface CollectClonesParams {
  /** Directory with one directory for each session. */
  readonly sessionsDir: string;
  /** Names that stay. */
  readonly keep: ReadonlySet<string>;
  /** Younger directories stay too: their row may not be visible yet. */
  readonly minAgeMs: number;
}

const REMOVE_TIMEOUT_MS = 300_000;

async function isGone(file: string): Promise<boolean> {
  return lstat(file).then(
    () => false,
    (error: unknown) => errnoOf(error) === "ENOENT",
  );
}

/**
 * Removes a directory tree that others wrote: without write permission, deeper than a path may be long, with any name.
 * Follows no symbolic link. Missing already is fine. It vanishes under its name first, so a crash leaves only `.removed` rests,
 * which the next call for the same directory removes.
 * @throws disk.not_writable where something stays.
 */
export async function removeTree(git: Git, params: Readonly<{ directory: string }>): Promise<void> {
  const { directory } = params;
  const doomed = `${directory}.removed`;
  await removeInPlace(git, doomed);
  try {
    await rename(directory, doomed);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return;
    await removeInPlace(git, directory);
    return;
  }
  await removeInPlace(git, doomed);
}

async function removeInPlace(git: Git, directory: string): Promise<void> {
  if (await isGone(directory)) return;
  const simple = await rm(directory, { recursive: true, force: true, maxRetries: 2 }).then(
    () => true,
    () => false,
  );
  if (simple && (await isGone(directory))) return;
  // Node fails on paths longer than PATH_MAX and on directories without permission; these programs walk relative to open directories.
  const shared = { env: { PATH: git.searchPath, LC_ALL: "C" }, timeoutMs: REMOVE_TIMEOUT_MS, cwd: "/" };
  await git.processes.run({ ...shared, command: "chmod", args: ["-R", "u+rwX", "--", directory] });
  const removed = await git.processes.run({ ...shared, command: "rm", args: ["-rf", "--", directory] });
  if (await isGone(directory)) return;
  throw new AppError({
    code: "disk.not_writable",
    message: `${directory} could not be removed: ${removed.stderr.split("\n")[0] ?? ""}`,
    fix: `sudo rm -rf ${JSON.stringify(directory)}`,
  });
}

/** Removes the directories of sessions that are not to be kept, and the rests of killed removals. Returns the names removed. */
export async function collectClones(
  git: Git,
  params: Readonly<CollectClonesParams>,
): Promise<readonly string[]> {
  const names = await readdir(params.sessionsDir).catch((error: unknown) => {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  });
  const removed: string[] = [];
  for (const name of names) {
    const directory = path.join(params.sessionsDir, name);
    if (name.endsWith(".removed")) {
      await removeInPlace(git, directory);
      continue;
    }
    const found = await stat(directory).catch(() => null);
    if (found === null || params.keep.has(name)) continue;
    if (git.clock.now().getTime() - found.ctimeMs < params.minAgeMs) continue;
    await removeTree(git, { directory });
    removed.push(name);
  }
  return removed;
}
