export interface Permission {
  /** GitHub's own name. */
  readonly name: string;
  /** What its pages call it. */
  readonly title: string;
  readonly level: "read" | "write";
  /** What we need it for. */
  readonly why: string;
}

/** What a personal token needs, and nothing beyond it. */
export const TOKEN_PERMISSIONS: readonly Permission[] = [
  { name: "metadata", title: "Metadata", level: "read", why: "see the repository, and who has write access" },
  { name: "contents", title: "Contents", level: "write", why: "fetch, push branches, merge" },
  { name: "issues", title: "Issues", level: "write", why: "read issues, set labels, write comments" },
  { name: "pull_requests", title: "Pull requests", level: "write", why: "open them, read reviews" },
  { name: "checks", title: "Checks", level: "read", why: "see whether CI passed" },
  { name: "statuses", title: "Commit statuses", level: "read", why: "see CI that reports by statuses" },
  { name: "actions", title: "Actions", level: "read", why: "read the log of a job that failed" },
];

/** What an app needs: it alone may write check runs. */
export const APP_PERMISSIONS: readonly Permission[] = TOKEN_PERMISSIONS.map((one) =>
  one.name === "checks"
    ? { ...one, level: "write", why: "see whether CI passed, report our own checks with their lines" }
    : one,
);

/** Whether a granted level is enough for a wanted one. */
export const suffices = (granted: string | undefined, wanted: "read" | "write"): boolean =>
  granted === "write" || granted === "admin" || (granted === "read" && wanted === "read");
