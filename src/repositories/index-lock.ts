import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { diskError, errnoOf, isProcessAlive, processStartTicks, systemRandom } from "../base/index.ts";

/** What an advance of a checked-out tree was about to do. Its file is git's own `index.lock`, so that a person's git waits. */
export interface AdvanceJournal {
  readonly from: string;
  readonly to: string;
}

export type IndexLock =
  | {
      readonly state: "held";
      /** Left by an advance that was killed; the tree may stand between its two commits. */
      readonly interrupted: AdvanceJournal | null;
    }
  /** Held by another advance that lives, or by another program's git. */
  | { readonly state: "busy"; readonly lockFile: string; readonly byUs: boolean };

const HEADER = "miyabi-advance";

/** Names of our own files in a git directory begin with this. */
export const SCRATCH_PREFIX = "miyabi-scratch-";

function parse(text: string): (AdvanceJournal & { readonly pid: number; readonly ticks: string }) | null {
  const [header, pid, ticks, from, to, end] = text.split("\n");
  if (header !== HEADER || pid === undefined || ticks === undefined || from === undefined || to === undefined)
    return null;
  return end === "" ? { pid: Number(pid), ticks, from, to } : null;
}

/**
 * Takes the index lock of a worktree for an advance `from → to`, over from an advance whose process is dead.
 * The lock appears with its whole content; killed at any point, it names its owner. One advance at a time per worktree is the caller's duty.
 */
export async function takeIndexLock(gitDir: string, journal: Readonly<AdvanceJournal>): Promise<IndexLock> {
  const lockFile = path.join(gitDir, "index.lock");
  const ticks = (await processStartTicks(process.pid)) ?? "";
  const content = [HEADER, process.pid, ticks, journal.from, journal.to, ""].join("\n");
  const own = path.join(gitDir, `${SCRATCH_PREFIX}${systemRandom.token(6)}`);
  try {
    await writeFile(own, content, { flag: "wx" });
    await link(own, lockFile);
    return { state: "held", interrupted: null };
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw diskError(lockFile, error);
    const found = parse(await readFile(lockFile, "latin1").catch(() => ""));
    if (found === null) return { state: "busy", lockFile, byUs: false };
    const isOwn = found.pid === process.pid && found.ticks === ticks;
    if (!isOwn && (await isProcessAlive(found.pid, found.ticks)))
      return { state: "busy", lockFile, byUs: true };
    // The old journal stays until the tree is settled: only then does `renew` write this one.
    return { state: "held", interrupted: { from: found.from, to: found.to } };
  } finally {
    await rm(own, { force: true });
  }
}

/** Replaces the journal in a lock that we hold, once what it said has been settled. */
export async function renewIndexLock(gitDir: string, journal: Readonly<AdvanceJournal>): Promise<void> {
  const ticks = (await processStartTicks(process.pid)) ?? "";
  const own = path.join(gitDir, `${SCRATCH_PREFIX}${systemRandom.token(6)}`);
  await writeFile(own, [HEADER, process.pid, ticks, journal.from, journal.to, ""].join("\n"), { flag: "wx" });
  await rename(own, path.join(gitDir, "index.lock"));
}

/** Lets a worktree's index lock go that we hold. */
export async function releaseIndexLock(gitDir: string): Promise<void> {
  await rm(path.join(gitDir, "index.lock"), { force: true });
}
