import { open, stat, truncate } from "node:fs/promises";
import { errnoOf } from "../../base/index.ts";

/**
 * Empties a file that has grown past `maxBytes`. Its writer goes on: it holds the file in append mode, so what it writes
 * next starts at the beginning.
 */
export async function boundFile(file: string, maxBytes: number): Promise<void> {
  try {
    if ((await stat(file)).size > maxBytes) await truncate(file, 0);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}

/** The last `maxBytes` of a text file, from a line's start where it was cut; empty where there is no file. */
export async function readTail(file: string, maxBytes: number): Promise<string> {
  const handle = await open(file, "r").catch((error: unknown) => {
    if (errnoOf(error) === "ENOENT") return null;
    throw error;
  });
  if (handle === null) return "";
  try {
    const { size } = await handle.stat();
    const start = Math.max(0, size - maxBytes);
    const buffer = Buffer.alloc(size - start);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
    const text = buffer.subarray(0, bytesRead).toString("utf8");
    return start === 0 ? text : text.slice(text.indexOf("\n") + 1);
  } finally {
    await handle.close();
  }
}
