import type { Stats } from "node:fs";
import { lstat, open, readdir, readlink } from "node:fs/promises";
import path from "node:path";
import { GITLINK_MODE, listChanges, SYMLINK_MODE, type Change } from "./changes.ts";
import type { Git } from "./git.ts";
import type { Worktree } from "./worktrees.ts";

/**
 * What stands at a path that differs between two commits: the content of the one or the other, nothing, the beginning of either
 * (a killed git wrote it), or something that a person made.
 */
export type Standing = "from" | "to" | "missing" | "partial" | "other";

export interface PathState {
  readonly change: Change;
  readonly standing: Standing;
  /** What stands in the way where it is not the path itself, e.g. a file where a directory has to be. */
  readonly obstacle: string;
}

interface ReadStatesParams {
  readonly worktree: Worktree;
  readonly from: string;
  readonly to: string;
  readonly changes: readonly Change[];
  readonly fileMode: boolean;
  /** Directory of ours on the same machine for the expected contents; only with `interrupted`. */
  readonly stageDir: string;
  /** Look whether unknown content is the beginning of a version. */
  readonly interrupted: boolean;
}

const ABSENT = "000000";

interface Found {
  readonly mode: string;
  readonly id: string | null;
}

async function lstatOrNull(file: string): Promise<Stats | null> {
  return lstat(file).catch(() => null);
}

/** Ids of files as git would store them, filters and line ends applied. */
async function hashFiles(
  git: Git,
  worktree: Worktree,
  paths: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const plain = paths.filter((name) => !name.includes("\n") && !name.startsWith('"'));
  const place = { gitDir: worktree.gitDir, workTree: worktree.path };
  const ids = new Map<string, string>();
  if (plain.length > 0) {
    const output = await git.text({
      ...place,
      args: ["hash-object", "--stdin-paths"],
      input: plain.map((name) => `${name}\n`).join(""),
      maxOutputBytes: 64 * 1024 * 1024,
    });
    for (const [index, id] of output.split("\n").entries())
      if (plain[index] !== undefined) ids.set(plain[index], id);
  }
  for (const name of paths.filter((candidate) => !plain.includes(candidate)))
    ids.set(name, (await git.text({ ...place, args: ["hash-object", "--", name] })).trim());
  return ids;
}

/** The nearest thing above a path that is not a real directory, or null. */
async function blockedAbove(root: string, name: string): Promise<string | null> {
  const parts = name.split("/");
  for (let depth = 1; depth < parts.length; depth += 1) {
    const above = parts.slice(0, depth).join("/");
    const stats = await lstatOrNull(path.join(root, above));
    if (stats === null) return null;
    if (!stats.isDirectory()) return above;
  }
  return null;
}

/** First file below a directory that is not among `known`, or null. An empty directory holds nothing to lose. */
async function foreignFileIn(
  root: string,
  directory: string,
  known: ReadonlySet<string>,
): Promise<string | null> {
  for (const entry of await readdir(path.join(root, directory), { withFileTypes: true })) {
    const name = `${directory}/${entry.name}`;
    const foreign = entry.isDirectory()
      ? await foreignFileIn(root, name, known)
      : known.has(name)
        ? null
        : name;
    if (foreign !== null) return foreign;
  }
  return null;
}

async function isBeginningOf(file: string, expected: string): Promise<boolean> {
  const [start, whole] = await Promise.all([open(file, "r"), open(expected, "r").catch(() => null)]);
  try {
    if (whole === null) return false;
    const size = (await start.stat()).size;
    if (size > (await whole.stat()).size) return false;
    const [left, right] = [Buffer.alloc(64 * 1024), Buffer.alloc(64 * 1024)];
    for (let at = 0; at < size;) {
      const { bytesRead } = await start.read(left, 0, left.length, at);
      const other = await whole.read(right, 0, bytesRead, at);
      if (bytesRead === 0 || !left.subarray(0, bytesRead).equals(right.subarray(0, other.bytesRead)))
        return false;
      at += bytesRead;
    }
    return true;
  } finally {
    await start.close();
    await whole?.close();
  }
}

/** Writes the given paths of a commit into a directory of ours, as a checkout would. */
async function stage(
  git: Git,
  params: Readonly<ReadStatesParams>,
  commit: string,
  paths: readonly string[],
): Promise<string> {
  const directory = path.join(params.stageDir, commit);
  const place = {
    gitDir: params.worktree.gitDir,
    workTree: params.worktree.path,
    env: { GIT_INDEX_FILE: path.join(params.stageDir, `${commit}.index`) },
  };
  await git.text({ ...place, args: ["read-tree", commit] });
  // Paths that this commit lacks make git answer with an error after it has written the others.
  await git.run({
    ...place,
    args: ["checkout-index", "-f", "-q", `--prefix=${directory}/`, "-z", "--stdin"],
    input: paths.map((name) => `${name}\0`).join(""),
  });
  return directory;
}

async function lookAt(
  git: Git,
  params: Readonly<ReadStatesParams>,
): Promise<ReadonlyMap<string, Found | string>> {
  const root = params.worktree.path;
  const known = new Set(params.changes.map((change) => change.path));
  const found = new Map<string, Found | string>();
  const files: { readonly name: string; readonly mode: string }[] = [];
  for (const { path: name } of params.changes) {
    const above = await blockedAbove(root, name);
    const stats = above === null ? await lstatOrNull(path.join(root, name)) : null;
    if (above !== null && !known.has(above)) found.set(name, above);
    else if (stats === null) found.set(name, { mode: ABSENT, id: null });
    else if (stats.isDirectory())
      found.set(name, (await foreignFileIn(root, name, known)) ?? { mode: ABSENT, id: null });
    else if (stats.isSymbolicLink()) {
      const target = await readlink(path.join(root, name));
      const id = await git.text({
        gitDir: params.worktree.gitDir,
        args: ["hash-object", "--stdin"],
        input: target,
      });
      found.set(name, { mode: SYMLINK_MODE, id: id.trim() });
    } else if (stats.isFile()) files.push({ name, mode: (stats.mode & 0o100) === 0 ? "100644" : "100755" });
    else found.set(name, name);
  }
  const ids = await hashFiles(
    git,
    params.worktree,
    files.map((file) => file.name),
  );
  for (const { name, mode } of files) found.set(name, { mode, id: ids.get(name) ?? null });
  return found;
}

function standingOf(change: Change, found: Found, fileMode: boolean): Standing {
  const matches = (mode: string, id: string): boolean => {
    if (mode === ABSENT || found.mode === ABSENT) return mode === found.mode;
    const sameMode =
      mode === found.mode || (!fileMode && mode !== SYMLINK_MODE && found.mode !== SYMLINK_MODE);
    return sameMode && id === found.id && mode !== GITLINK_MODE;
  };
  if (matches(change.newMode, change.newId)) return "to";
  if (matches(change.oldMode, change.oldId)) return "from";
  return found.mode === ABSENT ? "missing" : "other";
}

/** Judges every path that differs between two commits by what stands in the worktree. Reads only the worktree. */
export async function readPathStates(
  git: Git,
  params: Readonly<ReadStatesParams>,
): Promise<readonly PathState[]> {
  const found = await lookAt(git, params);
  const states = params.changes.map((change): PathState => {
    const at = found.get(change.path) ?? change.path;
    return typeof at === "string"
      ? { change, standing: "other", obstacle: at }
      : { change, standing: standingOf(change, at, params.fileMode), obstacle: change.path };
  });
  const unknown = states.filter(
    (state) => state.standing === "other" && state.obstacle === state.change.path,
  );
  if (!params.interrupted || unknown.length === 0) return states;
  const names = unknown.map((state) => state.change.path);
  const versions = [await stage(git, params, params.from, names), await stage(git, params, params.to, names)];
  const partial = new Set<string>();
  for (const name of names) {
    const file = path.join(params.worktree.path, name);
    if ((await lstatOrNull(file))?.isFile() !== true) continue;
    for (const version of versions)
      if (await isBeginningOf(file, path.join(version, name))) partial.add(name);
  }
  return states.map((state) => (partial.has(state.change.path) ? { ...state, standing: "partial" } : state));
}

/** The paths that differ between two commits; null where a submodule is among them, whose content only a person can bring. */
export async function changesToCheckOut(
  git: Git,
  gitDir: string,
  from: string,
  to: string,
): Promise<readonly Change[] | null> {
  const changes = await listChanges(git, { gitDir, base: from, head: to });
  return changes.some((change) => change.oldMode === GITLINK_MODE || change.newMode === GITLINK_MODE)
    ? null
    : changes;
}
