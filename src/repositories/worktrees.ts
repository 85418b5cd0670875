import { quoteForShell } from "../base/index.ts";
import { access, readFile } from "node:fs/promises";
import path from "node:path";
import type { Git } from "./git.ts";

/** A directory that a repository is checked out in. */
export interface Worktree {
  readonly path: string;
  /** Where its HEAD, index and operations in progress are. */
  readonly gitDir: string;
  /** Made by `git worktree add`; false for the repository's own. */
  readonly linked: boolean;
  /** Branch that HEAD is on; null where it is detached. */
  readonly branch: string | null;
}

/** A git operation that a person has begun and not ended. */
export interface Operation {
  readonly name: "merge" | "rebase" | "am" | "cherry-pick" | "revert" | "bisect";
  /** Branch that it will move when it ends, where that is known. */
  readonly branch: string | null;
  /** Command that ends it. */
  readonly command: string;
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** The worktrees of a repository that exist on disk; none for a bare one without linked worktrees. */
export async function listWorktrees(git: Git, gitDir: string): Promise<readonly Worktree[]> {
  const listed = await git.text({ gitDir, args: ["worktree", "list", "--porcelain", "-z"] });
  const found: Worktree[] = [];
  for (const [index, record] of listed.split("\0\0").entries()) {
    const fields = record.split("\0").filter((field) => field !== "");
    const directory = fields.find((field) => field.startsWith("worktree "))?.slice("worktree ".length);
    if (directory === undefined || fields.includes("bare") || !(await exists(path.join(directory, ".git"))))
      continue;
    const own = await git.run({ cwd: directory, args: ["rev-parse", "--absolute-git-dir"] });
    if (own.code !== 0) continue;
    const branch = fields.find((field) => field.startsWith("branch refs/heads/"));
    found.push({
      path: directory,
      gitDir: own.stdout.replace(/\n$/, ""),
      linked: index > 0,
      branch: branch?.slice("branch refs/heads/".length) ?? null,
    });
  }
  return found;
}

/** The operation that is in progress in a worktree, or null. */
export async function operationIn(worktree: Readonly<Worktree>): Promise<Operation | null> {
  const at = (name: string): string => path.join(worktree.gitDir, name);
  const command = (text: string): string => `git -C ${quoteForShell(worktree.path)} ${text}`;
  const headName = async (directory: string): Promise<string | null> => {
    const name = await readFile(path.join(at(directory), "head-name"), "utf8").catch(() => "");
    return name.startsWith("refs/heads/") ? name.trim().slice("refs/heads/".length) : null;
  };
  if (await exists(at("rebase-merge")))
    return { name: "rebase", branch: await headName("rebase-merge"), command: command("rebase --continue") };
  if (await exists(at("rebase-apply"))) {
    const isAm = await exists(at("rebase-apply/applying"));
    return {
      name: isAm ? "am" : "rebase",
      branch: (await headName("rebase-apply")) ?? worktree.branch,
      command: command(isAm ? "am --continue" : "rebase --continue"),
    };
  }
  for (const [file, name] of [
    ["MERGE_HEAD", "merge"],
    ["CHERRY_PICK_HEAD", "cherry-pick"],
    ["REVERT_HEAD", "revert"],
  ] as const)
    if (await exists(at(file)))
      return { name, branch: worktree.branch, command: command(`${name} --continue`) };
  if (await exists(at("BISECT_LOG"))) {
    const start = (await readFile(at("BISECT_START"), "utf8").catch(() => "")).trim();
    return {
      name: "bisect",
      branch: start === "" ? worktree.branch : start,
      command: command("bisect reset"),
    };
  }
  return null;
}

/** Paths whose tracked content differs from HEAD, in index or tree; at most `limit`. Untracked files do not count. */
export async function changedTrackedFiles(
  git: Git,
  worktree: Readonly<Worktree>,
  limit: number,
): Promise<readonly string[]> {
  const status = await git.text({
    gitDir: worktree.gitDir,
    workTree: worktree.path,
    args: [
      "status",
      "--porcelain=v1",
      "-z",
      "--untracked-files=no",
      "--no-renames",
      "--ignore-submodules=dirty",
    ],
  });
  return status
    .split("\0")
    .filter((entry) => entry.length > 3)
    .slice(0, limit)
    .map((entry) => entry.slice(3));
}
