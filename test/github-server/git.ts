import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);
const IDENTITY = [
  "-c",
  "user.name=GitHub",
  "-c",
  "user.email=noreply@github.example",
  "-c",
  "safe.directory=*",
];

export async function git(gitDir: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run("git", [...IDENTITY, `--git-dir=${gitDir}`, ...args]);
  return stdout.trim();
}

export const headOf = (gitDir: string, branch: string): Promise<string | null> =>
  git(gitDir, "rev-parse", "--verify", "--quiet", `refs/heads/${branch}`).catch(() => null);

/** Tree of the merge of two branches; null where they conflict. */
export const mergeTree = (gitDir: string, base: string, head: string): Promise<string | null> =>
  git(gitDir, "merge-tree", "--write-tree", base, head).then(
    (text) => text.split("\n")[0] ?? null,
    () => null,
  );

/** Squashes `head` onto `base`, as the button of that name does. Returns the commit. */
export async function squash(
  gitDir: string,
  params: { base: string; head: string; message: string },
): Promise<string> {
  const [base, tree] = await Promise.all([
    headOf(gitDir, params.base),
    mergeTree(gitDir, params.base, params.head),
  ]);
  const commit = await git(gitDir, "commit-tree", tree ?? "", "-p", base ?? "", "-m", params.message);
  await git(gitDir, "update-ref", `refs/heads/${params.base}`, commit, base ?? "");
  return commit;
}
