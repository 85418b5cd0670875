import { appendFile } from "node:fs/promises";
import path from "node:path";
import { listChanges, type Change } from "./changes.ts";
import type { Git } from "./git.ts";
import { AGENT_FILES, isProtected } from "./protected-paths.ts";

interface CheckOutParams {
  readonly gitDir: string;
  readonly workTree: string;
  /** Commit that is looked at. */
  readonly commit: string;
  /** Commit whose instructions to agents hold. */
  readonly trusted: string;
  readonly timeoutMs: number;
}

/**
 * Fills an empty work tree with a commit, but with the instructions to agents of another one: whoever looks at a change must not be
 * told by it what to think. The index holds the commit as it is, and git does not see the difference. False, with nothing done, where
 * the two have the same instructions.
 */
export async function checkOutWithoutInstructions(
  git: Git,
  params: Readonly<CheckOutParams>,
): Promise<boolean> {
  const { gitDir, workTree, commit, trusted, timeoutMs } = params;
  const all = await listChanges(git, { gitDir, base: trusted, head: commit });
  const changes = all.filter((change) => isProtected(change.path, AGENT_FILES));
  if (changes.length === 0) return false;
  const run = (args: readonly string[], input = ""): Promise<string> =>
    git.text({ gitDir, workTree, args, input, timeoutMs });
  const put = (entry: (change: Change) => string): Promise<string> =>
    run(["update-index", "-z", "--index-info"], changes.map(entry).join(""));
  await run(["read-tree", commit]);
  await put(({ path: file, oldMode, oldId }) => entryOf(file, oldMode, oldId));
  await run(["checkout-index", "--all", "--quiet", "--index"]);
  await put(({ path: file, newMode, newId }) => entryOf(file, newMode, newId));
  const kept = changes.filter(({ status }) => status !== "D").map(({ path: file }) => `${file}\0`);
  await run(["update-index", "-z", "--skip-worktree", "--stdin"], kept.join(""));
  const gone = changes
    .filter(({ status }) => status === "D")
    .map(({ path: file }) => `/${file.replace(/[*?[\\#!]/g, "\\$&")}\n`);
  await appendFile(path.join(gitDir, "info", "exclude"), gone.join(""));
  return true;
}

/** A line of `update-index --index-info`; mode 0 removes. */
const entryOf = (file: string, mode: string, id: string): string =>
  `${mode === "000000" ? "0" : mode} ${id}\t${file}\0`;
