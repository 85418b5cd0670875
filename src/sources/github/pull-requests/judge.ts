import type { TaskHappening } from "../../../tasks/index.ts";
import { because } from "../../../tasks/index.ts";
import type { HostedTask } from "../hosted-task.ts";
import type { ReviewReply } from "../replies.ts";
import type { OpenThread } from "./review-threads.ts";
import type { Snapshot } from "./snapshot.ts";

/** What a look at a pull request asks for. `tell` goes to the task as it is; the others need more work first. */
export type Verdict =
  | { readonly act: "tell"; readonly happening: TaskHappening }
  /** The target moved and the two do not go together as they are: rebase, else send back. */
  | { readonly act: "bring-up" }
  /** These checks failed: fetch what they printed and send the task back. */
  | { readonly act: "checks-failed"; readonly commit: string }
  /** These people asked for changes, in whole or in threads. */
  | {
      readonly act: "feedback";
      readonly reviews: readonly ReviewReply[];
      readonly threads: readonly OpenThread[];
    }
  /** It stands in GitHub's merge queue, or did: look there. */
  | { readonly act: "queued" }
  /** It was closed without a merge: by hand, or because its branch was deleted. */
  | { readonly act: "closed" }
  | { readonly act: "nothing" };

export interface JudgeParams {
  readonly task: HostedTask;
  readonly snapshot: Snapshot;
  readonly policy: "never" | "when-approved" | "when-green";
  /** Threads with something new from trusted people. */
  readonly threads: readonly OpenThread[];
  /** Logins whose word counts. */
  readonly trusted: ReadonlySet<string>;
  /** GitHub may still show where the branch stood before our push. */
  readonly isJustPushed: boolean;
  /** Whether checks that have not appeared by now will not come. */
  readonly graceOver: boolean;
}

/** Pure: what follows for a task at its CI or merge step from how its pull request looks. */
export function judgePullRequest(params: Readonly<JudgeParams>): Verdict {
  const { task, snapshot } = params;
  const { pull, checks } = snapshot;
  if (pull.merged) return tell({ type: "merged", commit: pull.merge_commit_sha ?? pull.head.sha });
  // Back to the pull request's own step, because it was closed: opened again, it goes on.
  if (task.stepKind === "pull-request")
    return pull.state === "open" ? tell({ type: "retry", by: "GitHub" }) : { act: "nothing" };
  if (pull.state === "closed") return { act: "closed" };
  if (pull.head.sha !== task.headCommit)
    return params.isJustPushed ||
      (task.reason?.code === "branch.moved" && task.reason.params["to"] === pull.head.sha)
      ? { act: "nothing" }
      : tell({ type: "branch-moved", to: pull.head.sha });
  // It is ours again.
  if (task.reason?.code === "branch.moved") return tell({ type: "remote-back" });
  const asked = openRequests(snapshot.reviews, params.trusted).filter(
    ({ submitted_at: at }) => at !== undefined && at > (task.pullRequest?.feedbackUntil ?? new Date(0)),
  );
  // A person was asked what follows; a reviewer may have said it by approving.
  const waitsForReviewer = task.reason?.code === "review.remote_rounds_used_up" && !isApproved(params);
  if (asked.length > 0 || params.threads.length > 0)
    return waitsForReviewer
      ? { act: "nothing" }
      : { act: "feedback", reviews: asked, threads: params.threads };
  if (pull.mergeable === false)
    return task.reason?.code === "merge.rounds_used_up" ? { act: "nothing" } : { act: "bring-up" };
  if (
    checks.some(({ outcome }) => outcome === "failed") &&
    !checks.some(({ outcome }) => outcome === "pending")
  )
    return task.reason?.code === "ci.rounds_used_up"
      ? { act: "nothing" }
      : { act: "checks-failed", commit: pull.head.sha };
  const isPending =
    checks.some(({ outcome }) => outcome === "pending") || (checks.length === 0 && !params.graceOver);
  if (task.stepKind === "wait-ci")
    return isPending
      ? { act: "nothing" }
      : tell({
          type: "ci-finished",
          commit: pull.head.sha,
          outcome: checks.length === 0 ? "none" : "passed",
          log: "",
        });
  return judgeMerge(params, isPending);
}

function judgeMerge(params: Readonly<JudgeParams>, isPending: boolean): Verdict {
  const { task, snapshot, policy, trusted } = params;
  const awaits = (code: string, message: string): Verdict =>
    task.reason?.code === code
      ? { act: "nothing" }
      : tell({ type: "merge-awaits", reason: because(code, message) });
  if (task.reason?.code === "merge.in_queue") return { act: "queued" };
  // Else it would be put back at once, against whoever took it out.
  if (task.reason?.code === "merge.dequeued") return { act: "nothing" };
  if (policy === "never") return awaits("merge.by_person", "Delivered: a person merges its pull request.");
  if (isPending)
    return awaits("merge.awaiting_checks", "Delivered: the checks of its pull request are running.");
  if (openRequests(snapshot.reviews, trusted).length > 0)
    return awaits(
      "merge.awaiting_changes",
      "Delivered: a reviewer has asked for changes and not approved since.",
    );
  if (policy === "when-approved" && !isApproved(params))
    return awaits("merge.awaiting_approval", "Delivered: its pull request waits for an approval.");
  // GitHub works it out in the background.
  if (snapshot.pull.mergeable === null) return { act: "nothing" };
  return tell({ type: "merge-allowed" });
}

/** Whether a trusted person approved exactly this commit, in a review or by a command. */
function isApproved({ task, snapshot, trusted }: Readonly<JudgeParams>): boolean {
  const head = snapshot.pull.head.sha;
  return (
    task.pullRequest?.approvedCommit === head ||
    latestReviews(snapshot.reviews).some(
      ({ user, state, commit_id: commit }) =>
        state === "APPROVED" && user !== null && trusted.has(user.login) && commit === head,
    )
  );
}

/** The last word of each person; a comment is no word on the whole. */
function latestReviews(reviews: readonly ReviewReply[]): readonly ReviewReply[] {
  const latest = new Map<string, ReviewReply>();
  for (const review of reviews)
    if (["APPROVED", "CHANGES_REQUESTED", "DISMISSED"].includes(review.state))
      latest.set(review.user?.login ?? "", review);
  return [...latest.values()];
}

const openRequests = (
  reviews: readonly ReviewReply[],
  trusted: ReadonlySet<string>,
): readonly ReviewReply[] =>
  latestReviews(reviews).filter(
    ({ state, user }) => state === "CHANGES_REQUESTED" && user !== null && trusted.has(user.login),
  );

const tell = (happening: TaskHappening): Verdict => ({ act: "tell", happening });
