import { z } from "zod";
import { STATE_LABELS } from "../write-back/progress-comment.ts";

/** What a delivery tells us to look at. Nothing else in it is believed: the look asks GitHub. */
export type Target = { readonly repository: string } & (
  | { readonly at: "issue"; readonly number: number }
  | { readonly at: "pull-request"; readonly number: number }
  | { readonly at: "comment"; readonly id: number }
  /** The repository itself. */
  | { readonly at: "repository" }
  /** Pull requests that stand at this commit. */
  | { readonly at: "commit"; readonly sha: string }
  /** A branch that now stands at `sha`; null: it is gone. */
  | { readonly at: "branch"; readonly name: string; readonly sha: string | null }
);

const number = z.number().int().positive();
const numbered = z.object({ number });
const payload = z.object({
  action: z.string().optional(),
  repository: z.object({ full_name: z.string() }).optional(),
  issue: numbered.extend({ pull_request: z.object({}).optional() }).optional(),
  pull_request: numbered.optional(),
  comment: z.object({ id: number, body: z.string().nullish() }).optional(),
  label: z.object({ name: z.string() }).optional(),
  check_suite: z.object({ head_sha: z.string() }).optional(),
  merge_group: z.object({ head_ref: z.string() }).optional(),
  state: z.string().optional(),
  sha: z.string().optional(),
  ref: z.string().optional(),
  ref_type: z.string().optional(),
  after: z.string().optional(),
  deleted: z.boolean().optional(),
  changes: z
    .object({
      repository: z
        .object({ name: z.object({ from: z.string().optional() }).optional() })
        .optional()
        .catch(undefined),
    })
    .optional()
    .catch(undefined),
});
type Payload = z.infer<typeof payload>;
type Place = Target extends infer One ? (One extends Target ? Omit<One, "repository"> : never) : never;

const PULL_REQUEST_ACTIONS = ["closed", "reopened", "synchronize", "dequeued"];
const REVIEW_ACTIONS = ["submitted", "dismissed", "edited"];
const HEADS = "refs/heads/";

/** Where each event points; events that are missing here tell us nothing. */
const PLACES: Readonly<Record<string, (said: Payload) => readonly (Place | null)[]>> = {
  issues: (said) => [isOurLabel(said) ? null : issueOf(said)],
  issue_comment: ({ action, comment }) => [
    action === "created" && comment?.body?.includes("/miyabi") === true
      ? { at: "comment", id: comment.id }
      : null,
  ],
  pull_request: (said) => [PULL_REQUEST_ACTIONS.includes(said.action ?? "") ? pullOf(said) : null],
  pull_request_review: (said) => [REVIEW_ACTIONS.includes(said.action ?? "") ? pullOf(said) : null],
  // One for all checks of an app, where `check_run` would come for each of them.
  check_suite: ({ action, check_suite: suite }) => [
    action === "completed" && suite !== undefined ? { at: "commit", sha: suite.head_sha } : null,
  ],
  status: ({ state, sha }) => [state !== "pending" && sha !== undefined ? { at: "commit", sha } : null],
  merge_group: ({ action, merge_group: group }) => [
    action === "destroyed" ? pullOfGroup(group?.head_ref ?? "") : null,
  ],
  repository: () => [{ at: "repository" }],
  push: ({ ref = "", after, deleted }) => [
    ref.startsWith(HEADS)
      ? { at: "branch", name: ref.slice(HEADS.length), sha: deleted === true ? null : (after ?? null) }
      : null,
  ],
  delete: ({ ref, ref_type: kind }) => [
    kind === "branch" && ref !== undefined ? { at: "branch", name: ref, sha: null } : null,
  ],
};

/** Events that GitHub has to send us. */
export const EVENTS: readonly string[] = Object.keys(PLACES);

/** The labels by which we show a task's state change with every step. */
const isOurLabel = ({ action, label }: Payload): boolean =>
  (action === "labeled" || action === "unlabeled") &&
  label !== undefined &&
  STATE_LABELS.includes(label.name);

const issueOf = ({ issue }: Payload): Place | null =>
  issue === undefined || issue.pull_request !== undefined ? null : { at: "issue", number: issue.number };

const pullOf = ({ pull_request: pull }: Payload): Place | null =>
  pull === undefined ? null : { at: "pull-request", number: pull.number };

/** The queue's branches are named after what they merge last: `refs/heads/gh-readonly-queue/main/pr-12-…`. */
function pullOfGroup(ref: string): Place | null {
  const found = /^refs\/heads\/gh-readonly-queue\/.+\/pr-(\d+)-/.exec(ref)?.[1];
  return found === undefined ? null : { at: "pull-request", number: Number(found) };
}

/**
 * Places that a delivery points at; empty where it is of no interest. Pure.
 * @throws ZodError where the text is not what GitHub sends under this event.
 */
export function targetsOf(event: string, body: unknown): readonly Target[] {
  const places = PLACES[event];
  if (places === undefined) return [];
  const said = payload.parse(body);
  const name = said.repository?.full_name.toLowerCase();
  if (name === undefined) return [];
  // After a rename we know it by its old name.
  const before = said.changes?.repository?.name?.from?.toLowerCase();
  const names = before === undefined ? [name] : [name, `${name.split("/")[0] ?? ""}/${before}`];
  const found = places(said).filter((place) => place !== null);
  return names.flatMap((repository) => found.map((place) => ({ ...place, repository })));
}
