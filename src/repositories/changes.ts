import type { Git } from "./git.ts";

/** One path that differs between two trees. Modes are git's (`100644`, `100755`, `120000`, `160000`), `000000` where absent. */
export interface Change {
  readonly path: string;
  readonly status: "A" | "M" | "D" | "T";
  readonly oldMode: string;
  readonly newMode: string;
  readonly oldId: string;
  readonly newId: string;
}

interface ListChangesParams {
  readonly gitDir: string;
  readonly base: string;
  readonly head: string;
  readonly maxOutputBytes?: number;
}

/** A mode of a submodule's entry. */
export const GITLINK_MODE = "160000";
/** A mode of a symbolic link's entry. */
export const SYMLINK_MODE = "120000";

/** The paths that differ between two commits or trees, sorted as git does, renames as delete and add. @throws input.too_large. */
export async function listChanges(git: Git, params: Readonly<ListChangesParams>): Promise<readonly Change[]> {
  const output = await git.text({
    gitDir: params.gitDir,
    args: ["diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", params.base, params.head, "--"],
    maxOutputBytes: params.maxOutputBytes ?? 64 * 1024 * 1024,
  });
  const fields = output.split("\0");
  const changes: Change[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const [oldMode, newMode, oldId, newId, status] = (fields[index] ?? "").slice(1).split(" ");
    const path = fields[index + 1];
    if (
      oldMode === undefined ||
      newMode === undefined ||
      oldId === undefined ||
      newId === undefined ||
      path === undefined
    )
      continue;
    changes.push({ path, status: statusOf(status), oldMode, newMode, oldId, newId });
  }
  return changes;
}

function statusOf(letter: string | undefined): Change["status"] {
  return letter === "A" || letter === "D" || letter === "T" ? letter : "M";
}

/** Lines added and removed by file. Null counts mean binary. */
export interface LineCount {
  readonly path: string;
  readonly insertions: number | null;
  readonly deletions: number | null;
}

/** Line counts of every changed file, renames as delete and add. */
export async function countLines(
  git: Git,
  params: Readonly<ListChangesParams>,
): Promise<readonly LineCount[]> {
  const output = await git.text({
    gitDir: params.gitDir,
    args: [
      "diff-tree",
      "-r",
      "-z",
      "--numstat",
      "--no-renames",
      "--no-ext-diff",
      params.base,
      params.head,
      "--",
    ],
    maxOutputBytes: params.maxOutputBytes ?? 64 * 1024 * 1024,
  });
  return output
    .split("\0")
    .map((record) => record.split("\t"))
    .filter((record) => record.length >= 3)
    .map(([added, removed, ...name]) => ({
      path: name.join("\t"),
      insertions: added === "-" ? null : Number(added),
      deletions: removed === "-" ? null : Number(removed),
    }));
}
