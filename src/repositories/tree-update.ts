import { copyFile, mkdtemp, readdir, rename, rm, rmdir, unlink } from "node:fs/promises";
import path from "node:path";
import { errnoOf } from "../base/index.ts";
import { listChanges, type Change } from "./changes.ts";
import type { Git } from "./git.ts";
import { SCRATCH_PREFIX } from "./index-lock.ts";
import { filteredElsewhere, modifiedElsewhere, readSettings, stagedByPerson } from "./person-changes.ts";
import { changesToCheckOut, readPathStates, type PathState } from "./path-state.ts";
import type { Worktree } from "./worktrees.ts";

interface TreeParams {
  readonly worktree: Worktree;
  readonly from: string;
  readonly to: string;
}

export type TreeProblem =
  | { readonly reason: "changes" | "untracked"; readonly files: readonly string[] }
  /** A content filter, sparse checkout or submodule that only the person's own git handles rightly. */
  | { readonly reason: "special"; readonly files: readonly string[]; readonly detail: string };

const ABSENT = "000000";

/** Runs `work` with a private copy of the worktree's index, in a directory of ours that lies in its git directory. */
async function withScratch<T>(
  worktree: Worktree,
  work: (scratch: string, indexFile: string) => Promise<T>,
): Promise<T> {
  const scratch = await mkdtemp(path.join(worktree.gitDir, SCRATCH_PREFIX));
  try {
    // Beside the real index, because a split index names its other part relative to itself.
    const indexFile = `${scratch}.index`;
    await copyFile(path.join(worktree.gitDir, "index"), indexFile).catch((error: unknown) => {
      if (errnoOf(error) !== "ENOENT") throw error;
    });
    return await work(scratch, indexFile);
  } finally {
    await rm(scratch, { recursive: true, force: true });
    await rm(`${scratch}.index`, { force: true });
    await rm(`${scratch}.index.lock`, { force: true });
  }
}

/** Removes what killed advances left in a git directory. Only with its index lock held. */
export async function sweepScratch(worktree: Worktree): Promise<void> {
  for (const name of await readdir(worktree.gitDir))
    if (name.startsWith(SCRATCH_PREFIX))
      await rm(path.join(worktree.gitDir, name), { recursive: true, force: true });
}

/** Brings index and files of the given paths to one side. Every step is safe to repeat; the index changes in one. */
async function bringTo(
  git: Git,
  {
    worktree,
    side,
    states,
    skipIndex,
    indexFile,
  }: {
    readonly worktree: Worktree;
    readonly side: "from" | "to";
    readonly states: readonly PathState[];
    readonly skipIndex: ReadonlySet<string>;
    readonly indexFile: string;
  },
): Promise<void> {
  const wanted = (change: Change): { readonly mode: string; readonly id: string } =>
    side === "to" ? { mode: change.newMode, id: change.newId } : { mode: change.oldMode, id: change.oldId };
  const place = { gitDir: worktree.gitDir, workTree: worktree.path, env: { GIT_INDEX_FILE: indexFile } };
  const entries = states.filter((state) => !skipIndex.has(state.change.path)).map((state) => state.change);
  // Removals first: a file may give way to a directory of its name.
  const ordered = [...entries].sort(
    (a, b) => Number(wanted(b).mode === ABSENT) - Number(wanted(a).mode === ABSENT),
  );
  const lines = ordered.map(
    (change) =>
      `${wanted(change).mode === ABSENT ? "0" : wanted(change).mode} ${wanted(change).id}\t${change.path}\0`,
  );
  await git.text({ ...place, args: ["update-index", "-z", "--index-info"], input: lines.join("") });

  const toChange = states.filter((state) => state.standing !== side && state.standing !== "other");
  for (const { change } of toChange)
    if (wanted(change).mode === ABSENT) await removeFile(worktree.path, change.path);
  const writes = toChange.filter(
    ({ change }) => wanted(change).mode !== ABSENT && !skipIndex.has(change.path),
  );
  await git.text({
    ...place,
    args: ["checkout-index", "-f", "-u", "-z", "--stdin"],
    input: writes.map(({ change }) => `${change.path}\0`).join(""),
    timeoutMs: 600_000,
  });
  await git.run({ ...place, args: ["update-index", "-q", "--refresh"], maxOutputBytes: 1_000 });
  await rename(indexFile, path.join(worktree.gitDir, "index"));
}

async function removeFile(root: string, name: string): Promise<void> {
  const file = path.join(root, name);
  await unlink(file).catch((error: unknown) => {
    // A directory by now, or below a file by now: the path itself is gone.
    if (!["ENOENT", "ENOTDIR", "EISDIR", "EPERM"].includes(errnoOf(error) ?? "")) throw error;
  });
  for (let above = path.dirname(name); above !== "."; above = path.dirname(above))
    if (
      !(await rmdir(path.join(root, above)).then(
        () => true,
        () => false,
      ))
    )
      return;
}

/**
 * Moves a clean worktree's files and index from one commit to another, or says what of a person's stands in the way and touches nothing.
 * A file that has its new content already is fine. The index lock has to be held.
 */
export async function updateTree(git: Git, params: Readonly<TreeParams>): Promise<TreeProblem | null> {
  const { worktree, from, to } = params;
  const settings = await readSettings(git, worktree);
  const changes = await changesToCheckOut(git, worktree.gitDir, from, to);
  if (settings.sparse) return { reason: "special", files: [], detail: "it is a sparse checkout" };
  if (changes === null) return { reason: "special", files: [], detail: "a submodule changes" };
  const filtered = await filteredElsewhere(
    git,
    worktree,
    changes.map((change) => change.path),
    settings.filters,
  );
  if (filtered.length > 0)
    return {
      reason: "special",
      files: filtered,
      detail: "a content filter (such as Git LFS) has to convert files",
    };
  return withScratch(worktree, async (scratch, indexFile) => {
    const staged = await stagedByPerson(git, worktree, from, changes, indexFile);
    const elsewhere = await modifiedElsewhere(git, worktree, changes, indexFile);
    const states = await readPathStates(git, {
      ...params,
      changes,
      fileMode: settings.fileMode,
      stageDir: scratch,
      interrupted: false,
    });
    const strange = states.filter((state) => state.standing === "other" || state.standing === "missing");
    const untracked = strange.filter(
      (state) => state.change.oldMode === ABSENT || state.obstacle !== state.change.path,
    );
    const tracked = strange.filter((state) => !untracked.includes(state)).map((state) => state.change.path);
    const changed = [...new Set([...staged, ...elsewhere, ...tracked])];
    if (changed.length > 0) return { reason: "changes", files: changed };
    if (untracked.length > 0)
      return { reason: "untracked", files: [...new Set(untracked.map((state) => state.obstacle))] };
    await bringTo(git, { worktree, side: "to", states, skipIndex: new Set(), indexFile });
    return null;
  });
}

/**
 * Settles a tree that a killed update left between two commits: brings every path that is recognisably ours to `side`,
 * and leaves alone what a person has changed since. The index lock has to be held.
 */
export async function settleTree(
  git: Git,
  params: Readonly<TreeParams & { side: "from" | "to" }>,
): Promise<void> {
  const { worktree, from, to, side } = params;
  const { fileMode } = await readSettings(git, worktree);
  const changes = await listChanges(git, { gitDir: worktree.gitDir, base: from, head: to });
  await withScratch(worktree, async (scratch, indexFile) => {
    const staged = await stagedByPerson(git, worktree, from, changes, indexFile);
    const states = await readPathStates(git, {
      ...params,
      changes,
      fileMode,
      stageDir: scratch,
      interrupted: true,
    });
    await bringTo(git, { worktree, side, states, skipIndex: staged, indexFile });
  });
}
