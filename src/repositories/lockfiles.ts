import { createHash } from "node:crypto";
import type { Git } from "./git.ts";
import { isCovered } from "./path-rules.ts";

/** Files that pin a project's dependencies. */
export const LOCKFILE_PATTERNS = [
  "package-lock.json",
  "npm-shrinkwrap.json",
  "pnpm-lock.yaml",
  "yarn.lock",
  "bun.lock",
  "bun.lockb",
  "Cargo.lock",
  "go.sum",
  "poetry.lock",
  "uv.lock",
  "Pipfile.lock",
  "requirements*.txt",
  "Gemfile.lock",
  "composer.lock",
] as const;

interface LockfileParams {
  readonly gitDir: string;
  readonly commit: string;
  /** Names with `*`, in any directory; default `LOCKFILE_PATTERNS`. */
  readonly patterns?: readonly string[];
  /** Also part of the hash, e.g. the prepare commands. */
  readonly extra?: readonly string[];
}

export interface Lockfiles {
  /** 64 hex digits; the same for the same lockfiles and extras, whatever else the commit holds. Null where there is no lockfile. */
  readonly hash: string | null;
  readonly files: readonly string[];
}

/** Finds a commit's lockfiles and sums them up, so that the result of `prepare` can be kept for others with the same. */
export async function lockfileHash(git: Git, params: Readonly<LockfileParams>): Promise<Lockfiles> {
  const listing = await git.text({
    gitDir: params.gitDir,
    args: ["ls-tree", "-r", "-z", params.commit],
    maxOutputBytes: 128 * 1024 * 1024,
  });
  const patterns = params.patterns ?? LOCKFILE_PATTERNS;
  const found = listing
    .split("\0")
    .map((line) => ({ path: line.slice(line.indexOf("\t") + 1), id: line.split(/[ \t]/)[2] ?? "" }))
    .filter((file) => file.path !== "" && !/(^|\/)(node_modules|vendor)\//.test(file.path))
    .filter((file) => isCovered(file.path, patterns))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  const content = JSON.stringify([found, params.extra ?? []]);
  return {
    hash: found.length === 0 ? null : createHash("sha256").update(content).digest("hex"),
    files: found.map((file) => file.path),
  };
}
