import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { type Git, removeTree } from "../../repositories/index.ts";
import type { RunSpec } from "../protocol.ts";
import { type CommandsResult, runCommands, type RunCommandsParams } from "./commands.ts";
import { finishProgram } from "./program.ts";
import type { RunDirectories } from "./run-sandbox.ts";
import type { WorkspaceState } from "./workspace.ts";

interface PrepareParams extends Omit<RunCommandsParams, "commands"> {
  readonly spec: RunSpec;
  readonly directories: RunDirectories;
  readonly workspace: WorkspaceState;
  readonly git: Git;
}

export type PrepareResult =
  { readonly outcome: "ready" } | { readonly outcome: "failed"; readonly result: CommandsResult };

const PREPARED = "prepared";

/**
 * Gives the clone what its project needs before work (dependencies and the like): copied from the cached result where there
 * is one, else made by the commands and cached. All of it happens inside the sandbox. The cache is only filled from a clone
 * in which no agent has worked, and appears complete or not at all.
 */
export async function prepareClone(params: Readonly<PrepareParams>): Promise<PrepareResult> {
  const { spec, directories } = params;
  const { prepare } = spec.workspace;
  if (prepare === null || prepare.commands.length === 0) return { outcome: "ready" };
  const mark = path.join(directories.root, PREPARED);
  const isPrepared =
    params.workspace === "kept" && (await readFile(mark, "utf8").catch(() => "")) === prepare.cacheDir;
  if (isPrepared) return { outcome: "ready" };

  if (await exists(prepare.cacheDir)) {
    const isCopied = await copyOutputs(params, prepare.outputs, {
      from: prepare.cacheDir,
      to: directories.clone,
    });
    if (isCopied) {
      params.onEvent({
        kind: "command",
        command: prepare.commands.join(" && "),
        output: "",
        exitCode: 0,
        durationMs: 0,
        cached: true,
      });
      await writeFile(mark, prepare.cacheDir);
      return { outcome: "ready" };
    }
  }
  const result = await runCommands({ ...params, commands: prepare.commands, prepares: true });
  if (result.outcome !== "passed") return { outcome: "failed", result };
  if (params.workspace === "fresh") await fillCache(params, prepare);
  await writeFile(mark, prepare.cacheDir);
  return { outcome: "ready" };
}

const exists = async (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

/** `cp` inside the sandbox: what an agent may have put in the way cannot lead it anywhere else. */
async function copyOutputs(
  params: Readonly<PrepareParams>,
  outputs: readonly string[],
  { from, to }: { readonly from: string; readonly to: string },
): Promise<boolean> {
  const script = String.raw`
from=$1; to=$2; shift 2
for output in "$@"; do
  [ -e "$from/$output" ] || continue
  rm -rf "$to/$output" && mkdir -p "$(dirname "$to/$output")" || exit 1
  cp -a --reflink=auto "$from/$output" "$to/$output" 2>/dev/null || cp -a "$from/$output" "$to/$output" || exit 1
done`;
  const isFilling = to !== params.directories.clone;
  const handle = await params.sandbox.start({
    command: "/bin/sh",
    args: ["-c", script, "miyabi", from, to, ...outputs],
    isolated: true,
    prepares: true,
    ...(isFilling ? { readWriteBinds: [to] } : { readOnlyBinds: [from] }),
  });
  const result = await finishProgram(handle, { signal: params.signal });
  params.signal.throwIfAborted();
  return result.code === 0;
}

async function fillCache(
  params: Readonly<PrepareParams>,
  prepare: NonNullable<RunSpec["workspace"]["prepare"]>,
): Promise<void> {
  const { git, spec } = params;
  const staging = `${prepare.cacheDir}.${spec.runId}-${spec.attempt}`;
  await removeTree(git, { directory: staging });
  await mkdir(staging, { recursive: true, mode: 0o700 });
  try {
    const isCopied = await copyOutputs(params, prepare.outputs, {
      from: params.directories.clone,
      to: staging,
    });
    // Another run may have been first; its result is as good.
    if (isCopied) await rename(staging, prepare.cacheDir).catch(() => {});
  } finally {
    await removeTree(git, { directory: staging });
  }
}
