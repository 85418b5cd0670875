import { statfs } from "node:fs/promises";
import path from "node:path";
import type { Home } from "../base/index.ts";
import type { Reason } from "../contract/index.ts";
import { because } from "../tasks/index.ts";

// Agents are ended below 32 MiB; a run that starts with less than this is soon among them.
const LEAST_FREE_BYTES = 64 * 1024 * 1024;

/** Null where the disks of the data directory and of the database have room; else what is wrong with which. */
export async function lackOfDiskRoom(home: Pick<Home, "root">): Promise<Reason | null> {
  // As root the database may be elsewhere, behind a link.
  for (const directory of [home.root, path.join(home.root, "postgresql")]) {
    const found = await statfs(directory).catch(() => null);
    if (found === null || found.bavail * found.bsize >= LEAST_FREE_BYTES) continue;
    const mebibytes = Math.floor((found.bavail * found.bsize) / 1024 ** 2);
    return because(
      "disk.full",
      `The disk of ${directory} is full (${mebibytes} MiB free); no agent can work until there is room.`,
      { directory, mebibytes },
      "Free some space; work goes on by itself then.",
    );
  }
  return null;
}
