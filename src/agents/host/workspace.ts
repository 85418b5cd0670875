import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { AppError, ensurePrivateDirectory } from "../../base/index.ts";
import {
  createCheckout,
  createClone,
  type Git,
  parseRestored,
  parseUpdate,
  removeTree,
  restoreInstructionsScript,
  unlockScript,
  updateScript,
} from "../../repositories/index.ts";
import type { RunSpec } from "../protocol.ts";
import { finishProgram } from "./program.ts";
import type { RunDirectories, RunSandbox } from "./run-sandbox.ts";

/** `fresh`: exactly the commit, nobody worked there yet. `kept`: a session's clone with its earlier work. */
export type WorkspaceState = "fresh" | "kept";

interface WorkspaceParams {
  readonly git: Git;
  readonly spec: RunSpec;
  readonly directories: RunDirectories;
}

const BROUGHT_IN = "brought-in";

/**
 * Makes the directories of a run. Runs no git in a directory that an agent has written to: a session's clone is left as it is,
 * every other one is made anew.
 * @throws not_found where the cache lacks the commit; disk.full, disk.not_writable
 */
export async function openWorkspace(params: Readonly<WorkspaceParams>): Promise<WorkspaceState> {
  const { git, spec, directories } = params;
  const { workspace } = spec;
  await ensurePrivateDirectory(directories.root);
  await Promise.all([
    ensurePrivateDirectory(directories.home),
    ...[directories.tmp, directories.handover].map(async (directory) => {
      await removeTree(git, { directory });
      await mkdir(directory, { mode: 0o700 });
    }),
  ]);
  if (workspace.mode === "session" && (await isDirectory(directories.clone))) return "kept";
  await makeClone(params);
  return "fresh";
}

async function makeClone({ git, spec, directories }: Readonly<WorkspaceParams>): Promise<void> {
  const { workspace } = spec;
  const source = { cachePath: workspace.cacheDir, commit: workspace.commit };
  if (workspace.mode === "checkout") return createCheckout(git, { ...source, dir: directories.clone });
  await createClone(git, {
    ...source,
    cloneDir: directories.clone,
    branch: workspace.mode === "session" ? workspace.branch : null,
    author: workspace.author,
    exclude: (workspace.prepare?.outputs ?? []).map((output) => `/${output}`),
    // What is reviewed must not instruct its reviewer, nor an agent those that go on with its work.
    instructionsOf: workspace.base,
  });
  await writeFile(path.join(directories.root, BROUGHT_IN), workspace.commit);
}

const isDirectory = async (directory: string): Promise<boolean> =>
  stat(directory).then(
    (found) => found.isDirectory(),
    () => false,
  );

interface BringInParams extends WorkspaceParams {
  readonly sandbox: RunSandbox;
  readonly signal: AbortSignal;
}

export type BroughtIn =
  | { readonly outcome: "contained" }
  | { readonly outcome: "merged" }
  /** The agent has to solve these files' conflicts. */
  | { readonly outcome: "conflict"; readonly files: readonly string[] }
  /** The clone was beyond use; a new one stands in its place. */
  | { readonly outcome: "replaced"; readonly detail: string };

/**
 * Brings the run's commit into a kept clone, inside the sandbox. Safe to repeat.
 * @throws repository.unusable where git fails for another reason than a broken clone.
 */
export async function bringIn(params: Readonly<BringInParams>): Promise<BroughtIn> {
  const { spec, directories, sandbox } = params;
  const { commit, base, author } = spec.workspace;
  const mark = path.join(directories.root, BROUGHT_IN);
  if ((await readFile(mark, "utf8").catch(() => "")) === commit) {
    // The agent before may have been killed in the middle of a commit.
    const [command = "", ...args] = unlockScript().argv;
    const handle = await sandbox.start({ command, args, isolated: true });
    await finishProgram(handle, { signal: params.signal });
    params.signal.throwIfAborted();
    return { outcome: "contained" };
  }
  const { argv } = updateScript({
    commit,
    base,
    // Conflicts of a merge are solved once; those of a rebase once per commit.
    mode: "merge",
    onConflict: "leave",
    message: `Merge ${commit.slice(0, 12)} into ${spec.workspace.branch}`,
    author,
  });
  const [command = "", ...args] = argv;
  const handle = await sandbox.start({ command, args, isolated: true });
  const result = parseUpdate(await finishProgram(handle, { signal: params.signal }));
  params.signal.throwIfAborted();
  switch (result.outcome) {
    case "updated":
      await writeFile(mark, commit);
      return { outcome: "merged" };
    case "conflict":
    case "unfinished":
      return { outcome: "conflict", files: result.files };
    case "failed":
      if (!/not a git repository|invalid object|bad object|unable to read/i.test(result.detail))
        throw new AppError({
          code: "repository.unusable",
          message: `The session's clone could not be brought up to ${commit.slice(0, 12)}: ${result.detail}`,
        });
      await makeClone(params);
      return { outcome: "replaced", detail: result.detail };
  }
}

/**
 * Before an agent goes on in a kept clone: the instructions to agents that stand there are those of the base again. Resolves with the
 * files that differ from the clone's commit. Safe to repeat. @throws repository.unusable
 */
export async function restoreInstructions(params: Readonly<BringInParams>): Promise<readonly string[]> {
  const [command = "", ...args] = restoreInstructionsScript({ trusted: params.spec.workspace.base }).argv;
  const handle = await params.sandbox.start({ command, args, isolated: true });
  const result = await finishProgram(handle, { signal: params.signal });
  params.signal.throwIfAborted();
  return parseRestored(result);
}

/** Removes what a run needs only while it lasts. Safe to repeat. */
export async function closeWorkspace({ git, spec, directories }: Readonly<WorkspaceParams>): Promise<void> {
  if (spec.workspace.mode === "checkout") return removeTree(git, { directory: directories.root });
  for (const directory of [directories.tmp, directories.handover]) await removeTree(git, { directory });
}
