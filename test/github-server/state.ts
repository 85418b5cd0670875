import type { Connection } from "./app/state.ts";
import type { Fault, SecondaryLimit, WriteLog } from "./faults.ts";
import type { Hook } from "./deliveries.ts";

/** What the server remembers of one repository. Names of fields that are sent are GitHub's. */
export interface Issue {
  readonly number: number;
  title: string;
  body: string;
  state: "open" | "closed";
  readonly user: string;
  labels: string[];
  updatedAt: number;
  blockedBy?: Related[];
  subIssues?: Related[];
  /** Set for pull requests, which are issues too. */
  pull: Pull | null;
  edited: { readonly at: string; readonly by: string } | null;
  readonly events: {
    id: number;
    event: string;
    actor: string;
    created_at: string;
    label?: { name: string };
  }[];
  readonly comments: Comment[];
}

export interface Comment {
  readonly id: number;
  body: string;
  readonly user: string;
  readonly created_at: string;
  updated_at: string;
  readonly reactions: { readonly user: string; readonly content: string }[];
}

/** Another issue, maybe of another repository. */
export interface Related {
  readonly repository: Repository;
  readonly issue: Issue;
}

export interface Pull {
  readonly head: string;
  readonly base: string;
  merged: boolean;
  mergeCommit: string | null;
  /** Where the branch stood when it was deleted. */
  lastHead?: string | null;
  readonly reviews: {
    id: number;
    user: string;
    state: string;
    body: string;
    submitted_at: string;
    commit_id: string;
  }[];
  threads?: Thread[];
  /** From the merge queue, the last time. */
  removed?: {
    readonly createdAt: string;
    readonly reason: string;
    readonly by: string;
    readonly commit: string;
  };
}

/** A thread of a review. */
export interface Thread {
  readonly id: string;
  isResolved: boolean;
  readonly path: string;
  readonly line: number | null;
  readonly comments: { readonly user: string; readonly body: string; readonly hunk: string }[];
}

export interface CheckRun {
  readonly id: number;
  readonly name: string;
  readonly status: "completed" | "in_progress" | "queued";
  readonly conclusion: string | null;
  readonly output: { readonly title: string; readonly summary: string };
  readonly head_sha?: string | undefined;
  readonly external_id?: string | undefined;
  readonly details_url?: string | undefined;
  readonly annotations?: readonly Annotation[];
}

export interface Annotation {
  readonly path: string;
  readonly start_line: number;
  readonly end_line: number;
  readonly annotation_level: "notice" | "warning" | "failure";
  readonly message: string;
}

export interface Repository {
  /** Default 1. */
  readonly id?: number;
  readonly owner: string;
  /** Changes with a rename. */
  name: string;
  archived?: boolean;
  /** Bare repository on disk. */
  gitDir: string;
  readonly permissions: Map<string, string>;
  readonly issues: Map<number, Issue>;
  /** Issues that are no more: where they were transferred to, or null. */
  readonly gone: Map<number, { readonly repository: string; readonly number: number } | null>;
  /** Whether the credential may write check runs, as only that of an app may. */
  mayWriteChecks?: boolean;
  /** Of the default branch; absent: it has none. */
  mergeQueue?: {
    readonly entries: { readonly number: number; readonly enqueuedAt: string }[];
    enqueued: number;
  };
  /** Check runs by commit. */
  readonly checks: Map<string, CheckRun[]>;
}

export interface State {
  /** Changes when it is revoked. */
  token: string;
  readonly connection: Connection;
  /** Whose doing our requests are. */
  login: string;
  readonly repositories: Map<string, Repository>;
  /** Names that repositories had before, to their present ones; lower case. */
  readonly renamed: Map<string, string>;
  readonly requests: { readonly method: string; readonly path: string; readonly status: number }[];
  readonly faults: Fault[];
  readonly writes: WriteLog;
  secondaryLimit: SecondaryLimit | null;
  /** Where it tells of what happens; null: nowhere. */
  hook: Hook | null;
  ids: number;
}
