import { link, readdir } from "node:fs/promises";
import path from "node:path";
import { diskError, errnoOf } from "../base/index.ts";
import type { Git } from "./git.ts";

interface ShareParams {
  readonly cachePath: string;
  /** A bare repository that only we write, on the same file system; its packs are never changed. */
  readonly from: string;
}

const PACK = /^pack-[0-9a-f]+\.(?:pack|rev|idx)$/;

/**
 * Gives an empty cache the packs of one of our own repositories, as second names of the same files: the first fetch of a large
 * repository then copies nothing. Where the file system has no such names, nothing happens and the fetch copies. Repeatable; a
 * crash leaves packs without their index, which git passes over.
 * @throws disk.full, disk.not_writable
 */
export async function shareObjects(git: Git, { cachePath, from }: Readonly<ShareParams>): Promise<void> {
  await git.exclusive(cachePath, async () => {
    const to = path.join(cachePath, "objects", "pack");
    if ((await readdir(to)).some((name) => name.endsWith(".idx"))) return;
    const source = path.join(from, "objects", "pack");
    // An index last: with it git begins to read its pack.
    const names = (await readdir(source))
      .filter((name) => PACK.test(name))
      .sort()
      .reverse();
    for (const name of names)
      try {
        await link(path.join(source, name), path.join(to, name));
      } catch (error) {
        if (errnoOf(error) === "EEXIST") continue;
        if (["EXDEV", "EPERM", "EMLINK", "ENOTSUP"].includes(errnoOf(error) ?? "")) return;
        throw diskError(to, error);
      }
  });
}
