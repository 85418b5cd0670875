import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { AppError, diskError, errnoOf } from "../base/index.ts";

interface CopyBundleParams {
  /** File that a sandbox wrote; its last component may be anything. */
  readonly from: string;
  readonly to: string;
  readonly maxBytes: number;
}

/** The error for what an agent handed over and that is not accepted. `reason` ends the sentence "The handover …". */
export function invalidHandover(reason: string, details: Readonly<Record<string, unknown>> = {}): AppError {
  return new AppError({ code: "handover.invalid", message: `The handover ${reason}.`, details });
}

/**
 * Copies a bundle out of an agent's reach, so that nobody can change it between checks. Returns its size in bytes.
 * Links, pipes and devices are not opened.
 * @throws handover.invalid, disk.full, disk.not_writable.
 */
export async function copyBundle(params: Readonly<CopyBundleParams>): Promise<number> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const source = await open(params.from, flags).catch((error: unknown) => {
    const reason =
      errnoOf(error) === "ELOOP" ? "is a symbolic link" : `cannot be opened (${errnoOf(error) ?? "unknown"})`;
    throw invalidHandover(`file ${reason}`);
  });
  try {
    const found = await source.stat();
    if (!found.isFile()) throw invalidHandover("is not a regular file");
    if (found.nlink > 1) throw invalidHandover("file has a second name");
    if (found.size > params.maxBytes)
      throw invalidHandover(`has ${found.size} bytes, more than ${params.maxBytes}`, {
        sizeBytes: found.size,
      });
    const target = await open(params.to, "wx", 0o600);
    try {
      const chunk = Buffer.alloc(256 * 1024);
      let size = 0;
      for (;;) {
        const { bytesRead } = await source.read(chunk, 0, chunk.length, null);
        if (bytesRead === 0) return size;
        size += bytesRead;
        if (size > params.maxBytes) throw invalidHandover(`has more than ${params.maxBytes} bytes`);
        await target.writeFile(chunk.subarray(0, bytesRead));
      }
    } finally {
      await target.close();
    }
  } catch (error) {
    throw diskError(params.to, error);
  } finally {
    await source.close();
  }
}
