import type { Author } from "./clone.ts";

/**
 * What an agent host runs INSIDE an agent's sandbox, in the clone, once an agent has been there. Nothing of it may run outside:
 * the clone's configuration, hooks, filters and attributes are the agent's. The flags below are for a dependable result, not for safety.
 */
export interface SandboxCommand {
  /** Program and arguments; needs `sh`, `git`, `find`, `grep`, `sed` and `xargs`. Working directory: the top of the clone. */
  readonly argv: readonly string[];
}

interface HandoverParams {
  /** Commit that the work started from, or was last brought up to. */
  readonly base: string;
  /** File that the bundle is written to; its directory has to be writable inside and outside the clone. */
  readonly bundleFile: string;
  /** Message of the commit that takes in what the agent left uncommitted. */
  readonly message: string;
  readonly author: Author;
}

interface UpdateParams {
  /** Commit that the clone is brought up to; its objects come through the read-only cache. */
  readonly commit: string;
  /** Commit that the work started from; only a rebase uses it. */
  readonly base: string;
  readonly mode: "merge" | "rebase";
  /** Leave conflict markers for the agent to solve, or put everything back. */
  readonly onConflict: "leave" | "abort";
  readonly message: string;
  readonly author: Author;
}

export type HandoverOutcome =
  | { readonly outcome: "bundle"; readonly head: string }
  /** Nothing was changed since the base. */
  | { readonly outcome: "empty" }
  /** Conflict markers remain in these files. */
  | { readonly outcome: "unfinished"; readonly files: readonly string[] }
  /** The base is not in the history of HEAD any more. */
  | { readonly outcome: "diverged" }
  | { readonly outcome: "failed"; readonly detail: string };

export type UpdateOutcome =
  | { readonly outcome: "updated"; readonly head: string }
  | { readonly outcome: "conflict"; readonly files: readonly string[] }
  | { readonly outcome: "unfinished"; readonly files: readonly string[] }
  | { readonly outcome: "failed"; readonly detail: string };

const EXIT = { empty: 10, unfinished: 11, diverged: 12, conflict: 14 } as const;

/** Defines `g`, git with a dependable configuration, and `dir`, its directory; removes the locks of a killed git. */
export const GIT_IN_CLONE = String.raw`
set -u
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_COMMON_DIR GIT_NAMESPACE
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0 GIT_EDITOR=true GIT_PAGER=cat LC_ALL=C
g() {
  git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c commit.gpgSign=false -c gc.auto=0 -c maintenance.auto=false \
    -c core.quotePath=false -c merge.conflictStyle=merge -c rerere.enabled=false -c rebase.autoStash=false \
    -c rebase.autoSquash=false -c commit.template= -c core.commentChar='#' -c 'safe.directory=*' "$@"
}
unmerged() { g diff --name-only --diff-filter=U; }
report() { sed 's/^/file /'; }
dir=$(g rev-parse --absolute-git-dir) || exit 15
# The agent is idle or dead by now: a lock is what a killed git left.
find "$dir" -name '*.lock' -type f -exec rm -f {} +
`;

// Arguments of both scripts start with: message, author's name, author's e-mail.
const PRELUDE = String.raw`
message=$1
export GIT_AUTHOR_NAME="$2" GIT_AUTHOR_EMAIL="$3" GIT_COMMITTER_NAME="$2" GIT_COMMITTER_EMAIL="$3"
shift 3
settle() {
  marked=$(g diff --name-only --diff-filter=U -z | xargs -0 -r grep -lE '^(<<<<<<<|>>>>>>>) ' -- 2>/dev/null)
  if [ -n "$marked" ]; then printf '%s\n' "$marked" | report; exit 11; fi
  g add -A || exit 15
  if [ -d "$dir/rebase-merge" ] || [ -d "$dir/rebase-apply" ]; then
    g rebase --continue >&2 || { unmerged | report; exit 11; }
  elif [ -e "$dir/MERGE_HEAD" ]; then
    g commit -q --no-verify --no-edit >&2 || exit 15
  elif ! g diff --cached --quiet; then
    g commit -q --no-verify -m "$message" >&2 || exit 15
  fi
}
settle
`;

const HANDOVER = String.raw`
base=$1 out=$2
g merge-base --is-ancestor "$base" HEAD || exit 12
[ "$(g rev-list --count "$base..HEAD")" != 0 ] || exit 10
rm -f "$out.part"
g bundle create -q "$out.part" "$base..HEAD" >&2 || exit 15
mv -f "$out.part" "$out" || exit 15
echo "head $(g rev-parse HEAD)"
`;

const UPDATE = String.raw`
commit=$1 base=$2 mode=$3 conflict=$4
if ! g merge-base --is-ancestor "$commit" HEAD; then
  if [ "$mode" = rebase ]; then
    g rebase -q --onto "$commit" "$base" >&2
  else
    g merge -q --no-verify -m "$message" "$commit" >&2
  fi
  status=$?
  if [ $status != 0 ]; then
    files=$(unmerged)
    [ "$conflict" = leave ] && [ -n "$files" ] || g "$mode" --abort >&2
    [ -n "$files" ] || exit 15
    printf '%s\n' "$files" | report
    exit 14
  fi
fi
echo "head $(g rev-parse HEAD)"
`;

function script(text: string, author: Author, message: string, ...rest: readonly string[]): SandboxCommand {
  return {
    argv: [
      "/bin/sh",
      "-c",
      GIT_IN_CLONE + PRELUDE + text,
      "miyabi",
      message,
      author.name,
      author.email,
      ...rest,
    ],
  };
}

/** Commits what is left over (concluding a merge or rebase whose conflicts are solved) and bundles `base..HEAD`. Safe to repeat. */
export function handoverScript(params: Readonly<HandoverParams>): SandboxCommand {
  return script(HANDOVER, params.author, params.message, params.base, params.bundleFile);
}

/** Brings an existing clone up to `commit`, after committing what is left over. Safe to repeat. */
export function updateScript(params: Readonly<UpdateParams>): SandboxCommand {
  const { commit, base, mode, onConflict } = params;
  return script(UPDATE, params.author, params.message, commit, base, mode, onConflict);
}

export interface ScriptResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function headOf(result: Readonly<ScriptResult>): string | null {
  return result.code === 0 ? (/^head ([0-9a-f]{40,64})$/m.exec(result.stdout)?.[1] ?? null) : null;
}

/** Files that a script names, at most 200. */
export function filesOf(result: Readonly<ScriptResult>): readonly string[] {
  const lines = result.stdout.split("\n").filter((line) => line.startsWith("file "));
  return lines.slice(0, 200).map((line) => line.slice("file ".length));
}

/** What a failed script said last. */
export function detailOf(result: Readonly<ScriptResult>): string {
  return result.stderr.trim().slice(-1_000) || `exit ${result.code ?? "by signal"}`;
}

/** Reads the end of a `handoverScript`. What it says is the sandbox's claim; `importBundle` checks it. */
export function parseHandover(result: Readonly<ScriptResult>): HandoverOutcome {
  const head = headOf(result);
  if (head !== null) return { outcome: "bundle", head };
  if (result.code === EXIT.empty) return { outcome: "empty" };
  if (result.code === EXIT.unfinished) return { outcome: "unfinished", files: filesOf(result) };
  if (result.code === EXIT.diverged) return { outcome: "diverged" };
  return { outcome: "failed", detail: detailOf(result) };
}

/** Removes the locks that a killed git left in the clone. Nothing else may work there meanwhile. */
export function unlockScript(): SandboxCommand {
  return { argv: ["/bin/sh", "-c", "find .git -name '*.lock' -type f -exec rm -f {} +"] };
}

/** Reads the end of an `updateScript`. */
export function parseUpdate(result: Readonly<ScriptResult>): UpdateOutcome {
  const head = headOf(result);
  if (head !== null) return { outcome: "updated", head };
  if (result.code === EXIT.conflict) return { outcome: "conflict", files: filesOf(result) };
  if (result.code === EXIT.unfinished) return { outcome: "unfinished", files: filesOf(result) };
  return { outcome: "failed", detail: detailOf(result) };
}
