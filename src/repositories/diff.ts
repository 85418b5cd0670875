import { countLines, listChanges, type Change } from "./changes.ts";
import { gitFailure, requireCommitId, type Git } from "./git.ts";

interface DiffParams {
  readonly cachePath: string;
  readonly base: string;
  readonly head: string;
  /** The patch is cut off at this size, at the end of a line. */
  readonly maxBytes: number;
}

export interface FileDiff {
  readonly path: string;
  readonly status: Change["status"];
  /** Null for a binary file. */
  readonly insertions: number | null;
  readonly deletions: number | null;
}

export interface CommitSummary {
  readonly commit: string;
  readonly author: string;
  readonly email: string;
  readonly authoredAt: string;
  readonly subject: string;
}

export interface Diff {
  /** Unified diff with renames found. */
  readonly patch: string;
  readonly truncated: boolean;
  /** All files, also where the patch is cut off; a rename is a delete and an add. */
  readonly files: readonly FileDiff[];
  /** Oldest first; at most 500. */
  readonly commits: readonly CommitSummary[];
}

const MAX_COMMITS = 500;

/** What stands between two commits of the cache, for people and reviewers. @throws process.failed where a commit is unknown. */
export async function diffOf(git: Git, params: Readonly<DiffParams>): Promise<Diff> {
  const gitDir = params.cachePath;
  const base = requireCommitId("base", params.base);
  const head = requireCommitId("head", params.head);
  const args = [
    "diff",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--find-renames",
    "--src-prefix=a/",
    "--dst-prefix=b/",
  ];
  const [patch, changes, counts, log] = await Promise.all([
    git.run({ gitDir, args: [...args, base, head, "--"], maxOutputBytes: params.maxBytes }),
    listChanges(git, { gitDir, base, head }),
    countLines(git, { gitDir, base, head }),
    git.text({
      gitDir,
      args: [
        "log",
        "--reverse",
        "--topo-order",
        `--max-count=${MAX_COMMITS}`,
        "--encoding=UTF-8",
        "--format=%H%x00%an%x00%ae%x00%aI%x00%s%x00",
        `${base}..${head}`,
        "--",
      ],
    }),
  ]);
  if (patch.code !== 0) throw gitFailure(args, patch);
  const linesOf = new Map(counts.map((count) => [count.path, count]));
  return {
    patch: patch.truncated ? patch.stdout.slice(0, patch.stdout.lastIndexOf("\n") + 1) : patch.stdout,
    truncated: patch.truncated,
    files: changes.map(({ path, status }) => ({
      path,
      status,
      insertions: linesOf.get(path)?.insertions ?? null,
      deletions: linesOf.get(path)?.deletions ?? null,
    })),
    commits: parseLog(log),
  };
}

function parseLog(log: string): readonly CommitSummary[] {
  const fields = log.split("\0");
  const commits: CommitSummary[] = [];
  for (let index = 0; index + 5 <= fields.length; index += 5) {
    const [commit = "", author = "", email = "", authoredAt = "", subject = ""] = fields.slice(
      index,
      index + 5,
    );
    if (commit.trim() !== "") commits.push({ commit: commit.trim(), author, email, authoredAt, subject });
  }
  return commits;
}
