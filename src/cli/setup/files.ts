import { chmod, chown, mkdir, readFile, realpath, rm, stat } from "node:fs/promises";
import path from "node:path";
import { AppError, diskError, errnoOf, messageOf, writeFileAtomic } from "../../base/index.ts";

/** A configuration file as it is now. */
export interface FoundFile {
  /** Where it really is: a link to it stays a link. */
  readonly file: string;
  /** Null: there is none. */
  readonly content: Buffer | null;
  /** Permission bits; null: there is none. */
  readonly mode: number | null;
}

/** The first of these that exists, else the first, which is to be made. @throws config.invalid where it cannot be read */
export async function findFile(candidates: readonly string[]): Promise<FoundFile> {
  for (const candidate of candidates) {
    const found = await look(candidate);
    if (found.content !== null) return found;
  }
  return look(candidates[0] ?? "");
}

/** @throws config.invalid where there is something that cannot be read as a file */
export async function look(file: string): Promise<FoundFile> {
  try {
    const real = await realpath(file);
    const [content, stats] = await Promise.all([readFile(real), stat(real)]);
    return { file: real, content, mode: stats.mode & 0o777 };
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return { file, content: null, mode: null };
    throw new AppError({
      code: "config.invalid",
      message: `${file} cannot be read: ${messageOf(error)}. Nothing was changed.`,
      fix: `Make ${file} a file that you may read, then run this again.`,
      cause: error,
    });
  }
}

/** Writes in one step with exactly these permissions. As root the file belongs to whoever its directory belongs to. */
export async function writeOwned(file: string, content: Uint8Array, mode: number): Promise<void> {
  const owner = await ownerOf(file);
  try {
    const made = await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await writeFileAtomic(file, content, mode);
    // The process's mask may have taken something away.
    await chmod(file, mode);
    if (process.getuid?.() !== 0 || owner === null) return;
    for (let at = file; at.length >= (made ?? file).length; at = path.dirname(at))
      await chown(at, owner.uid, owner.gid);
  } catch (error) {
    throw diskError(file, error);
  }
}

export async function removeFile(file: string): Promise<void> {
  await rm(file, { force: true }).catch((error: unknown) => {
    throw diskError(file, error);
  });
}

/**
 * As root in another person's home: whatever is written there has to be that person's, lest a link leads us elsewhere.
 * @throws config.invalid
 */
export async function requireOwner(file: string, home: string): Promise<void> {
  const [owner, person] = await Promise.all([ownerOf(file), stat(home).catch(() => null)]);
  if (owner === null || person === null || owner.uid === person.uid) return;
  throw new AppError({
    code: "config.invalid",
    message: `${file} does not belong to the person whose home is ${home}. Nothing was changed.`,
    fix: `Look where the link leads: ls -l ${file}`,
  });
}

/** Of the file, or of the nearest directory that there is. */
async function ownerOf(file: string): Promise<{ readonly uid: number; readonly gid: number } | null> {
  for (let at = file; ; at = path.dirname(at)) {
    const found = await stat(at).catch(() => null);
    if (found !== null) return found;
    if (at === path.dirname(at)) return null;
  }
}
