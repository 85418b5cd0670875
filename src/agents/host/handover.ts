import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import path from "node:path";
import { errnoOf } from "../../base/index.ts";
import { handoverScript, parseHandover } from "../../repositories/index.ts";
import type { RunSpec } from "../protocol.ts";
import { finishProgram } from "./program.ts";
import type { RunDirectories, RunSandbox } from "./run-sandbox.ts";

export type CollectedWork =
  | { readonly outcome: "bundle"; readonly commit: string; readonly file: string }
  | { readonly outcome: "empty" }
  | { readonly outcome: "unusable"; readonly code: string; readonly message: string };

interface CollectParams {
  readonly spec: RunSpec;
  readonly directories: RunDirectories;
  readonly sandbox: RunSandbox;
  readonly signal: AbortSignal;
}

const BUNDLE = "work.bundle";

/** Commits what the agent left and bundles its work, all inside the sandbox. Safe to repeat. */
export async function collectWork(params: Readonly<CollectParams>): Promise<CollectedWork> {
  const { spec, directories } = params;
  const file = path.join(directories.handover, BUNDLE);
  const { argv } = handoverScript({
    base: spec.workspace.base,
    bundleFile: file,
    message: spec.taskTitle,
    author: spec.workspace.author,
  });
  const [command = "", ...args] = argv;
  const handle = await params.sandbox.start({
    command,
    args,
    isolated: true,
    signal: params.signal,
    readWriteBinds: [directories.handover],
  });
  const result = parseHandover(await finishProgram(handle, { signal: params.signal }));
  params.signal.throwIfAborted();
  switch (result.outcome) {
    case "bundle":
      return { outcome: "bundle", commit: result.head, file };
    case "empty":
      return { outcome: "empty" };
    case "unfinished":
      return unusable("handover.unfinished", `Conflict markers remain in ${result.files.join(", ")}.`);
    case "diverged":
      return unusable("handover.diverged", "The commit that the work started from is gone from its history.");
    case "failed":
      return unusable("handover.failed", `The work could not be bundled: ${result.detail}`);
  }
}

const unusable = (code: string, message: string): CollectedWork => ({ outcome: "unusable", code, message });

/**
 * Opens a bundle that was written inside a sandbox. Anything but a plain file is refused: a link would send a file of the host,
 * a pipe would never end. Null where it is missing, special or larger than `maxBytes`.
 */
export async function openBundle(
  file: string,
  maxBytes: number,
): Promise<{ readonly handle: FileHandle; readonly sizeBytes: number } | null> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(file, flags).catch((error: unknown) => {
    if (["ENOENT", "ELOOP", "ENXIO"].includes(errnoOf(error) ?? "")) return null;
    throw error;
  });
  if (handle === null) return null;
  const found = await handle.stat();
  if (found.isFile() && found.size <= maxBytes) return { handle, sizeBytes: found.size };
  await handle.close();
  return null;
}
