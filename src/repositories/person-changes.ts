import type { Change } from "./changes.ts";
import type { Git } from "./git.ts";
import type { Worktree } from "./worktrees.ts";

/** The repository's own settings that matter to a checkout. */
interface Settings {
  readonly fileMode: boolean;
  readonly sparse: boolean;
  readonly filters: ReadonlySet<string>;
}

/** Reads what decides how files of this repository compare and convert. */
export async function readSettings(git: Git, worktree: Worktree): Promise<Settings> {
  const pattern = "^(core\\.(filemode|sparsecheckout)|filter\\..*\\.(clean|smudge|process))$";
  const { stdout } = await git.run({
    gitDir: worktree.gitDir,
    args: ["config", "-z", "--get-regexp", pattern],
  });
  const values = new Map<string, string>();
  for (const entry of stdout.split("\0")) {
    const [key = "", value = "true"] = entry.split("\n", 2);
    values.set(key, value.toLowerCase());
  }
  const isTrue = (key: string, otherwise: string): boolean =>
    /^(true|yes|on|1)$/.test(values.get(key) ?? otherwise);
  const filters = [...values.keys()].filter((key) => key.startsWith("filter."));
  return {
    fileMode: isTrue("core.filemode", "true"),
    sparse: isTrue("core.sparsecheckout", "false"),
    filters: new Set(filters.map((key) => key.slice("filter.".length, key.lastIndexOf(".")))),
  };
}

/** Paths whose content passes a filter that this repository's own configuration does not define (Git LFS mostly is global). */
export async function filteredElsewhere(
  git: Git,
  worktree: Worktree,
  paths: readonly string[],
  known: ReadonlySet<string>,
): Promise<readonly string[]> {
  const output = await git.text({
    gitDir: worktree.gitDir,
    workTree: worktree.path,
    args: ["check-attr", "-z", "--stdin", "filter"],
    input: paths.map((name) => `${name}\0`).join(""),
    maxOutputBytes: 64 * 1024 * 1024,
  });
  const fields = output.split("\0");
  const found: string[] = [];
  for (let index = 0; index + 2 < fields.length; index += 3) {
    const value = fields[index + 2] ?? "";
    if (!["unspecified", "unset", "set", ""].includes(value) && !known.has(value))
      found.push(fields[index] ?? "");
  }
  return found;
}

/** Paths whose staged entry is neither that of `from` nor, where the path is to change, the new one. */
export async function stagedByPerson(
  git: Git,
  worktree: Worktree,
  from: string,
  changes: readonly Change[],
  indexFile: string,
): Promise<ReadonlySet<string>> {
  const expected = new Map(changes.map((change) => [change.path, `${change.newMode} ${change.newId}`]));
  const output = await git.text({
    gitDir: worktree.gitDir,
    workTree: worktree.path,
    env: { GIT_INDEX_FILE: indexFile },
    args: [
      "diff-index",
      "--cached",
      "--raw",
      "-z",
      "--no-renames",
      "--no-abbrev",
      "--ignore-submodules=none",
      from,
      "--",
    ],
    maxOutputBytes: 64 * 1024 * 1024,
  });
  const fields = output.split("\0");
  const staged = new Set<string>();
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const [, mode, , id] = (fields[index] ?? "").split(" ");
    const name = fields[index + 1] ?? "";
    if (expected.get(name) !== `${mode} ${id}`) staged.add(name);
  }
  return staged;
}

/** Tracked paths with uncommitted changes that are not among those to change. */
export async function modifiedElsewhere(
  git: Git,
  worktree: Worktree,
  changes: readonly Change[],
  indexFile: string,
): Promise<readonly string[]> {
  const known = new Set(changes.map((change) => change.path));
  const output = await git.text({
    gitDir: worktree.gitDir,
    workTree: worktree.path,
    env: { GIT_INDEX_FILE: indexFile },
    args: [
      "status",
      "--porcelain=v1",
      "-z",
      "--untracked-files=no",
      "--no-renames",
      "--ignore-submodules=dirty",
    ],
    maxOutputBytes: 64 * 1024 * 1024,
  });
  const paths = output.split("\0").filter((entry) => entry.length > 3);
  return paths.map((entry) => entry.slice(3)).filter((name) => !known.has(name));
}
