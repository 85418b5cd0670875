import { constants } from "node:fs";
import { lstat, mkdir, open, rm, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { AppError, diskError, errnoOf } from "../../base/index.ts";

/*
 * A private home belongs to the agent: between two runs it may have put links where we write or read, to make the host,
 * which is outside the sandbox, touch other files. So nothing here follows a link below the home.
 * No agent may run in the home meanwhile; after a crash the files are simply written again.
 */

/**
 * Writes a file below `home`, replacing whatever the agent put in its place.
 * @throws input.invalid where `relative` leaves the home; disk.full, disk.not_writable.
 */
export async function writePrivateFile(home: string, relative: string, content: string): Promise<void> {
  const parts = path.normalize(relative).split(path.sep);
  const name = parts.pop() ?? "";
  if (path.isAbsolute(relative) || parts.includes("..") || name === "" || name === ".." || name === ".")
    throw new AppError({
      code: "input.invalid",
      message: `A profile's file must lie below the private home; this is "${relative}".`,
    });
  try {
    let directory = home;
    for (const part of parts) {
      directory = path.join(directory, part);
      const stats = await lstat(directory).catch(() => null);
      if (stats !== null && !stats.isDirectory()) await rm(directory, { force: true });
      await mkdir(directory, { mode: 0o700 }).catch((error: unknown) => {
        if (errnoOf(error) !== "EEXIST") throw error;
      });
    }
    const file = path.join(directory, name);
    await rm(file, { force: true, recursive: true });
    const handle = await open(
      file,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      0o600,
    );
    await handle.writeFile(content).finally(() => handle.close());
  } catch (error) {
    throw diskError(path.join(home, relative), error);
  }
}

/** Removes a file directly in `home`, whatever it is. */
export async function removePrivateFile(home: string, name: string): Promise<void> {
  await rm(path.join(home, name), { force: true, recursive: true });
}

/**
 * Text of a regular file directly in `home` that an agent wrote; null where there is none.
 * @throws input.invalid for links, pipes and other kinds of files; input.too_large.
 */
export async function readPrivateFile(home: string, name: string, maxBytes: number): Promise<string | null> {
  let handle: FileHandle;
  try {
    // Without O_NONBLOCK a named pipe would hold us until somebody writes to it.
    handle = await open(
      path.join(home, name),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return null;
    throw new AppError({ code: "input.invalid", message: `${name} is not a readable file.`, cause: error });
  }
  try {
    const stats = await handle.stat();
    if (!stats.isFile())
      throw new AppError({ code: "input.invalid", message: `${name} is not a regular file.` });
    if (stats.size > maxBytes)
      throw new AppError({
        code: "input.too_large",
        message: `${name} has ${stats.size} bytes; at most ${maxBytes} are read.`,
      });
    const buffer = Buffer.alloc(stats.size);
    const { bytesRead } = await handle.read(buffer, 0, stats.size, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await handle.close();
  }
}
