import { AppError } from "../base/index.ts";
import {
  readCommit,
  TASK_TRAILER,
  withoutOurTrailers,
  withTrailers,
  writeCommit,
  type CommitContent,
  type Trailer,
} from "./commit-writing.ts";
import { gitFailure, isAncestor, requireCommitId, resolveCommit, treeOf, type Git } from "./git.ts";

interface RebaseParams {
  readonly cachePath: string;
  readonly taskId: string;
  /** Last commit of the task's work. */
  readonly taskCommit: string;
  /** Commit that the work started from or was last brought up to. */
  readonly base: string;
  /** Commit of the target branch to put the work on. */
  readonly target: string;
  /** One commit instead of the task's own; always so where its history has merges. Default false. */
  readonly squash?: boolean;
  /** Message of the squashed commit; null joins the messages of its commits. */
  readonly message?: string | null;
  /** Added to the last commit after `Miyabi-Task`, e.g. who reviewed it. */
  readonly trailers?: readonly Trailer[];
}

export type RebaseOutcome =
  | {
      readonly outcome: "rebased";
      readonly commit: string;
      readonly treeHash: string;
      readonly commits: number;
    }
  /** The work stands on the target already, trailers included. */
  | { readonly outcome: "unchanged"; readonly commit: string; readonly treeHash: string }
  /** The target already contains all of it. */
  | { readonly outcome: "empty" }
  | {
      readonly outcome: "conflict";
      readonly files: readonly string[];
      /** What git says about each conflict, for the agent; at most 8,000 characters. */
      readonly detail: string;
      /** The commit that does not fit. */
      readonly commit: string;
    };

interface Conflict {
  readonly files: readonly string[];
  readonly detail: string;
}

const MAX_DETAIL = 8_000;

/** Applies what lies between two trees to a third, without a worktree: nothing that an agent wrote is checked out or run. */
async function mergeTrees(
  git: Git,
  gitDir: string,
  { before, after, onto }: { readonly before: string; readonly after: string; readonly onto: string },
): Promise<string | Conflict> {
  if (before === onto) return after;
  // git finds the merge base by ancestry, so both sides get a parent that says what it is.
  const stand = { author: "miyabi <miyabi@localhost> 0 +0000", committedSeconds: 0, message: "stand-in" };
  const parent = await writeCommit(git, gitDir, { ...stand, parents: [], tree: before });
  const [ours, theirs] = await Promise.all(
    [onto, after].map((tree) => writeCommit(git, gitDir, { ...stand, parents: [parent], tree })),
  );
  const args = ["merge-tree", "--write-tree", "-z", "--name-only", ours ?? "", theirs ?? ""];
  const result = await git.run({ gitDir, args });
  const fields = result.stdout.split("\0");
  if (result.code === 0) return fields[0]?.trim() ?? "";
  if (result.code !== 1) throw gitFailure(args, result);
  const end = fields.indexOf("", 1);
  const messages = fields.slice(end + 1).filter((field) => /^CONFLICT[^:]*: /.test(field));
  const detail = messages
    .join("")
    .replaceAll(ours ?? "", "the target")
    .replaceAll(theirs ?? "", "the task");
  return { files: [...new Set(fields.slice(1, end))], detail: detail.slice(0, MAX_DETAIL) };
}

async function squashMessage(git: Git, gitDir: string, commits: readonly string[]): Promise<string> {
  const messages: string[] = [];
  for (const commit of commits) {
    const { parents, message } = await readCommit(git, gitDir, commit);
    if (parents.length < 2) messages.push(withoutOurTrailers(message));
  }
  const [first = "Change", ...others] = messages;
  return [first, ...others.map((message) => `* ${message.split("\n")[0] ?? ""}`)].join("\n\n");
}

interface Step {
  readonly commit: string;
  readonly treeBefore: string;
  readonly content: CommitContent;
}

/** The task's commits, oldest first; a single one where they are to be squashed or hold merges. */
async function stepsOf(git: Git, from: string, params: Readonly<RebaseParams>): Promise<readonly Step[]> {
  const { cachePath: gitDir, taskCommit } = params;
  const range = `${from}..${taskCommit}`;
  const listed = await git.text({
    gitDir,
    args: ["rev-list", "--reverse", "--topo-order", "--parents", range, "--"],
  });
  const lines = listed.split("\n").filter((line) => line !== "");
  const commits = lines.map((line) => line.split(" ")[0] ?? "");
  const hasMerges = lines.some((line) => line.split(" ").length > 2);
  let treeBefore = await treeOf(git, gitDir, from);
  if (params.squash !== true && !hasMerges) {
    const steps: Step[] = [];
    for (const commit of commits) {
      const content = await readCommit(git, gitDir, commit);
      steps.push({ commit, treeBefore, content });
      treeBefore = content.tree;
    }
    return steps;
  }
  if (commits.length === 0) return [];
  const own = (await git.text({ gitDir, args: ["rev-list", "--no-merges", "-1", range, "--"] })).trim();
  const last = await readCommit(git, gitDir, taskCommit);
  const author = own === "" ? last.author : (await readCommit(git, gitDir, own)).author;
  const message = params.message ?? (await squashMessage(git, gitDir, commits));
  return [{ commit: taskCommit, treeBefore, content: { ...last, author, message } }];
}

/** Where the task's own work begins: an agent that was brought up to a newer target has that in its history. */
async function startOf(git: Git, { cachePath: gitDir, ...params }: Readonly<RebaseParams>): Promise<string> {
  for (const field of ["taskCommit", "base", "target"] as const)
    if ((await resolveCommit(git, gitDir, requireCommitId(field, params[field]))) === null)
      throw new AppError({
        code: "not_found",
        message: `The cache has no commit ${params[field]} (${field}).`,
      });
  const common = await git.run({ gitDir, args: ["merge-base", params.target, params.taskCommit] });
  const shared = common.stdout.trim();
  return common.code === 0 && (await isAncestor(git, gitDir, params.base, shared)) ? shared : params.base;
}

/**
 * Puts a task's commits onto the target, in the cache and without any worktree. Authors and their dates stay; lines that look like
 * our trailers are taken out of the messages, then `Miyabi-Task` and the given trailers are added to the last commit.
 * The same input gives the same commits, so repeating it after a crash is safe; no ref moves.
 * @throws not_found where the cache lacks a commit; input.invalid.
 */
export async function rebaseOnto(git: Git, params: Readonly<RebaseParams>): Promise<RebaseOutcome> {
  const { cachePath: gitDir, target } = params;
  const from = await startOf(git, params);
  const targetContent = await readCommit(git, gitDir, target);
  const placed: { readonly step: Step; readonly tree: string }[] = [];
  let tree = targetContent.tree;
  for (const step of await stepsOf(git, from, params)) {
    const merged = await mergeTrees(git, gitDir, {
      before: step.treeBefore,
      after: step.content.tree,
      onto: tree,
    });
    if (typeof merged !== "string") return { outcome: "conflict", ...merged, commit: step.commit };
    if (merged !== tree) placed.push({ step, tree: merged });
    tree = merged;
  }
  if (tree === targetContent.tree) return { outcome: "empty" };

  let parent = target;
  let seconds = targetContent.committedSeconds;
  for (const [index, { step, tree: placedTree }] of placed.entries()) {
    const { content } = step;
    const isLast = index === placed.length - 1;
    const own = withoutOurTrailers(content.message);
    const trailers = [{ name: TASK_TRAILER, value: params.taskId }, ...(params.trailers ?? [])];
    const message = isLast ? await withTrailers(git, own, trailers) : own;
    seconds = Math.max(seconds, content.committedSeconds);
    const isSame =
      content.parents.join() === parent &&
      content.tree === placedTree &&
      content.message.trimEnd() === message.trimEnd();
    parent = isSame
      ? step.commit
      : await writeCommit(git, gitDir, {
          ...content,
          parents: [parent],
          tree: placedTree,
          message,
          committedSeconds: seconds,
        });
  }
  return parent === params.taskCommit
    ? { outcome: "unchanged", commit: parent, treeHash: tree }
    : { outcome: "rebased", commit: parent, treeHash: tree, commits: placed.length };
}
