import { open, mkdir, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { AppError, errnoOf, isDiskFull, messageOf } from "./errors.ts";

/**
 * Replaces a file in one step: after a crash it holds the old or the new content, never a part.
 * The content and the rename are flushed to disk before this resolves.
 */
export async function writeFileAtomic(
  file: string,
  content: string | Uint8Array,
  mode = 0o600,
): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    const handle = await open(temporary, "w", mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    const directory = await open(path.dirname(file), "r");
    await directory.sync().finally(() => directory.close());
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw diskError(file, error);
  }
}

/** Content of a text file, or null where it does not exist. */
export async function readFileIfExists(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    // Below a file there is nothing either.
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return null;
    throw error;
  }
}

/** Creates a directory (and its parents) for this user only. */
export async function ensurePrivateDirectory(directory: string, mode = 0o700): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode });
  } catch (error) {
    throw diskError(directory, error);
  }
}

/** Names what is wrong with the disk in words and a fix; other failures pass through as `disk.not_writable`. */
export function diskError(file: string, error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (isDiskFull(error))
    return new AppError({
      code: "disk.full",
      message: `No space is left for ${file}.`,
      fix: "Free some space; work goes on by itself then.",
      cause: error,
    });
  const isInTheWay = ["EEXIST", "ENOTDIR"].includes(errnoOf(error) ?? "");
  return new AppError({
    code: "disk.not_writable",
    message: isInTheWay
      ? `${file} cannot be made: a file is in its place, or in that of a directory above it.`
      : `${file} cannot be written: ${messageOf(error)}.`,
    fix: isInTheWay
      ? "Move that file away, or set MIYABI_HOME to another directory."
      : "Make the directory writable for this user, or set MIYABI_HOME to another one.",
    cause: error,
  });
}
