import { rm, stat } from "node:fs/promises";
import path from "node:path";
import type { RunResult } from "../base/index.ts";
import { gitFailure, type Git, type GitParams } from "./git.ts";

const STALE_AFTER_MS = 2_000; // git holds a ref's lock for about a millisecond
const RETRY_PAUSE_MS = 100;
const MAX_TRIES = 60;

async function isStale(git: Git, lockFile: string): Promise<boolean> {
  const found = await stat(lockFile).catch(() => null);
  return found !== null && git.clock.now().getTime() - found.mtimeMs > STALE_AFTER_MS;
}

/**
 * Runs git in a repository that only we write (a cache), clearing locks that a killed git left there.
 * A lock counts as left over when it is 2 s old; a younger one is waited for.
 * @throws process.failed where git fails for another reason.
 */
export async function runInOwnRepository(
  git: Git,
  params: Readonly<GitParams & { gitDir: string }>,
): Promise<RunResult> {
  for (let attempt = 1; ; attempt += 1) {
    const result = await git.run(params);
    if (result.code === 0) return result;
    const lock = /Unable to create '(.+\.lock)': File exists/.exec(result.stderr)?.[1];
    if (lock === undefined || attempt >= MAX_TRIES) throw gitFailure(params.args, result);
    const lockFile = path.resolve(params.cwd ?? "/", lock);
    const ours = lockFile.startsWith(`${params.gitDir}${path.sep}`);
    if (ours && (await isStale(git, lockFile))) await rm(lockFile, { force: true });
    else await git.clock.sleep(RETRY_PAUSE_MS);
  }
}
