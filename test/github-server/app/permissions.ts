import type { Level, Permissions } from "./state.ts";

/** What a request to the API needs, as GitHub's table of permissions says; several: one of them is enough. */
const NEEDS: readonly (readonly [RegExp, string | readonly string[]])[] = [
  [/^\/issues(\/|$)/, "issues"],
  [/^\/labels(\/|$)/, ["issues", "pull_requests"]],
  [/^\/pulls\/\d+\/merge$/, "contents"],
  [/^\/pulls(\/|$)/, "pull_requests"],
  [/^\/collaborators\//, "metadata"],
  [/^\/branches\//, "contents"],
  [/^\/contents\//, "contents"],
  [/^\/check-runs(\/|$)/, "checks"],
  [/^\/commits\/[^/]+\/check-runs$/, "checks"],
  [/^\/commits\/[^/]+\/status$/, "statuses"],
  [/^\/statuses\//, "statuses"],
  [/^\/actions\//, "actions"],
  [/^$/, "metadata"],
];

/** `issues=write; pull_requests=write`, GitHub's form for alternatives. */
export function neededFor(method: string, rest: string, isPull: boolean): string | null {
  const level: Level = method === "GET" ? "read" : "write";
  const found = NEEDS.find(([path]) => path.test(rest))?.[1];
  if (found === undefined) return null;
  // A pull request's comments and labels may be written with either.
  const names = isPull && found === "issues" ? ["issues", "pull_requests"] : [found].flat();
  return names.map((name) => `${name}=${name === "metadata" ? "read" : level}`).join("; ");
}

export function isGranted(permissions: Permissions, needed: string): boolean {
  return needed.split("; ").some((one) => {
    const [name = "", level] = one.split("=");
    const has = name === "metadata" ? "read" : permissions[name];
    return has === "write" || (has === "read" && level === "read");
  });
}
