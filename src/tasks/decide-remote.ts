import { AppError } from "../base/index.ts";
import {
  beginStep,
  cause,
  currentPosition,
  definitionOf,
  passStep,
  positionOf,
  sendBack,
} from "./begin-step.ts";
import { waitForPerson } from "./decide-finished.ts";
import type { Draft } from "./decision.ts";
import type { Cause, Reason } from "./model.ts";
import { because } from "./reasons.ts";
import { leaveMergeQueue } from "./remote-steps.ts";
import { askForChange, NEEDS_APPROVAL } from "./protected-change.ts";
import type { WorkflowStep } from "./workflow.ts";

/** What the place that hosts the repository (GitHub) says about a task's pull request. */
export type RemoteHappening =
  /** The branch is pushed at `commit` and its pull request is open. */
  | {
      readonly type: "pull-request-opened";
      readonly number: number;
      readonly url: string;
      readonly commit: string;
    }
  /**
   * It cannot be opened or updated before a person acts. With the code `protected.changed` they are asked to approve what
   * `params.digest` stands for.
   */
  | { readonly type: "pull-request-held"; readonly reason: Reason }
  /** All checks of `commit` have ended, or none will come. */
  | {
      readonly type: "ci-finished";
      readonly commit: string;
      readonly outcome: "passed" | "failed" | "none";
      readonly log: string;
    }
  /** Trusted people asked for changes in their reviews. */
  | { readonly type: "feedback"; readonly by: string; readonly text: string }
  /** The branch was brought onto the moved target without a conflict; it is to be checked again. */
  | { readonly type: "rebased"; readonly base: string; readonly commit: string; readonly tree: string }
  | { readonly type: "remote-conflict"; readonly base: string; readonly files: readonly string[] }
  /** The merge policy is met: the merge is asked for. */
  | { readonly type: "merge-allowed" }
  /** It stands in the merge queue of the place that hosts it, since then by that place's clock. */
  | { readonly type: "merge-enqueued"; readonly at: string }
  /** It left that queue without being merged, and only a person can say what follows. */
  | { readonly type: "merge-dequeued"; readonly reason: Reason }
  /** It left that queue because the checks of the merged result failed. */
  | { readonly type: "merge-checks-failed"; readonly log: string }
  /** What the merge waits for changed. */
  | { readonly type: "merge-awaits"; readonly reason: Reason }
  /** `branch`: its name, where it was deleted; null: somebody closed the pull request itself. */
  | { readonly type: "pull-request-closed"; readonly by: string; readonly branch: string | null }
  /** Somebody else's commit stands on the branch. It goes on by itself once ours stands there again. */
  | { readonly type: "branch-moved"; readonly to: string }
  /** The target was rewritten under the work, and the work does not fit on the new one at these files. */
  | { readonly type: "base-rewritten"; readonly to: string; readonly files: readonly string[] };

/** @throws conflict.state where the task is at no step that this can be said of; the caller says it again later. */
export function decideRemote(draft: Draft, happening: RemoteHappening): void {
  switch (happening.type) {
    case "pull-request-opened": {
      const position = openStep(draft, ["pull-request"]);
      if (draft.head() !== happening.commit) throw notNow(draft, "it has a newer commit");
      draft.event("pull_request.changed", {
        state: "open",
        number: happening.number,
        url: happening.url,
        commit: happening.commit,
      });
      return passStep(draft, position);
    }
    case "pull-request-held":
      return held(draft, openStep(draft, ["pull-request"]), happening.reason);
    case "ci-finished":
      return ciFinished(draft, happening);
    case "feedback":
      return goBack(draft, "changes-requested", happening.text, null, (rounds) =>
        because(
          "review.remote_rounds_used_up",
          `Reviewers asked for changes ${rounds} times; last: ${happening.by}.`,
          { rounds, by: happening.by },
          `miyabi takeover ${draft.aggregate.task.id}`,
        ),
      );
    case "remote-conflict":
      draft.patch({ baseCommit: happening.base });
      return goBack(draft, "conflict", happening.files.join("\n"), happening.base, (rounds) =>
        because(
          "merge.rounds_used_up",
          `It conflicted with the target branch ${rounds} times.`,
          { rounds },
          `miyabi takeover ${draft.aggregate.task.id}`,
        ),
      );
    case "rebased":
      return rebased(draft, happening);
    case "merge-allowed": {
      const position = openStep(draft, ["merge"]);
      const { data } = draft.stepAt(position);
      if (data["publishing"] === true) return;
      draft.step(position, null, { data: { ...data, publishing: true } });
      draft.task("deliver", { waitsFor: "merge", reason: because("merge.running", "It is being merged.") });
      return draft.effect({ type: "outbox", kind: "merge" });
    }
    case "merge-enqueued": {
      const position = openStep(draft, ["merge"]);
      const data = { ...draft.stepAt(position).data, publishing: false, enqueued: happening.at };
      draft.step(position, null, { data });
      return draft.task("deliver", {
        waitsFor: "merge",
        reason: because("merge.in_queue", "Delivered: it is in GitHub's merge queue.", { at: happening.at }),
      });
    }
    case "merge-dequeued": {
      const position = openStep(draft, ["merge"]);
      forgetQueue(draft, position);
      return waitForPerson(draft, position, happening.reason);
    }
    case "merge-checks-failed":
      forgetQueue(draft, openStep(draft, ["merge"]));
      return goBack(draft, "ci-failed", happening.log, null, (rounds) => ciRoundsUsedUp(draft, rounds));
    case "merge-awaits":
      openStep(draft, ["merge"]);
      return draft.task("deliver", { waitsFor: "review", reason: happening.reason });
    case "pull-request-closed":
      return closed(draft, happening);
    case "base-rewritten": {
      const position = openStep(draft, ["wait-ci", "merge"]);
      const { id, reason } = draft.aggregate.task;
      const { to, files } = happening;
      if (reason?.code === "base.rewritten" && reason.params["to"] === to) return;
      leaveMergeQueue(draft, position);
      // Merging the two, as an agent would, could bring back what was taken out of the target.
      return waitForPerson(
        draft,
        position,
        because(
          "base.rewritten",
          `The target branch was force-pushed to ${to.slice(0, 12)}, and the work conflicts with it in ${files.slice(0, 5).join(", ")}. Put the work onto it by hand.`,
          { to, files: [...files] },
          `miyabi takeover ${id}`,
        ),
      );
    }
    case "branch-moved": {
      const position = openStep(draft, ["wait-ci", "merge"]);
      const { id, reason, branch } = draft.aggregate.task;
      if (reason?.code === "branch.moved" && reason.params["to"] === happening.to) return;
      return waitForPerson(
        draft,
        position,
        because(
          "branch.moved",
          `Somebody pushed ${happening.to.slice(0, 12)} to ${branch ?? "its branch"}. It stays; merge it, or bring the branch back to ${(draft.head() ?? "").slice(0, 12)}.`,
          { to: happening.to, branch: branch ?? "" },
          `miyabi task explain ${id}`,
        ),
      );
    }
  }
}

/** Back to where the pull request is opened: a retry pushes the branch and opens one again. */
function closed(
  draft: Draft,
  { by, branch }: Extract<RemoteHappening, { type: "pull-request-closed" }>,
): void {
  const from = openStep(draft, ["wait-ci", "merge"]);
  const { id, workflow } = draft.aggregate.task;
  const again = `miyabi task retry ${id}`;
  const why =
    branch === null
      ? because("pull_request.closed", `Its pull request was closed by ${by} without a merge.`, { by }, again)
      : because("branch.deleted", `Its branch ${branch} was deleted on GitHub.`, { branch }, again);
  const to = workflow.steps.findIndex(({ kind }) => kind === "pull-request");
  if (to < 0) return waitForPerson(draft, from, why);
  for (let position = to; position < workflow.steps.length; position += 1)
    if (draft.stepAt(position).state !== "pending")
      draft.step(position, "reopen", { failures: 0, losses: 0 });
  draft.patch({ currentStep: workflow.steps[to]?.name ?? null });
  draft.step(to, "begin");
  waitForPerson(draft, to, why);
}

function held(draft: Draft, position: number, reason: Reason): void {
  if (reason.code !== NEEDS_APPROVAL) return waitForPerson(draft, position, reason);
  askForChange(draft, position, reason);
}

function ciFinished(draft: Draft, happening: Extract<RemoteHappening, { type: "ci-finished" }>): void {
  const position = openStep(draft, ["wait-ci"]);
  if (draft.head() !== happening.commit) throw notNow(draft, "it has a newer commit");
  if (happening.outcome !== "failed") return passStep(draft, position);
  goBack(draft, "ci-failed", happening.log, null, (rounds) => ciRoundsUsedUp(draft, rounds));
}

const ciRoundsUsedUp = (draft: Draft, rounds: number): Reason =>
  because(
    "ci.rounds_used_up",
    `The checks of its pull request failed ${rounds} times.`,
    { rounds },
    `miyabi takeover ${draft.aggregate.task.id}`,
  );

/** It is out already: nothing has to be taken out. */
function forgetQueue(draft: Draft, position: number): void {
  const { enqueued: _enqueued, ...data } = draft.stepAt(position).data;
  draft.step(position, null, { data });
}

function goBack(
  draft: Draft,
  reason: Cause["reason"],
  details: string,
  target: string | null,
  exhausted: (rounds: number) => Reason,
): void {
  const position = openStep(draft, ["wait-ci", "merge"]);
  const definition = definitionOf(draft, position);
  if (definition.kind !== "wait-ci" && definition.kind !== "merge")
    throw notNow(draft, "it is not delivered");
  leaveMergeQueue(draft, position);
  if (draft.stepAt(position).returns + 1 >= definition.rounds)
    return waitForPerson(draft, position, exhausted(definition.rounds));
  const back = definition.kind === "wait-ci" ? definition.onFailure : definition.onConflict;
  sendBack(draft, position, positionOf(draft, back), cause(reason, details, target));
}

function rebased(draft: Draft, happening: Extract<RemoteHappening, { type: "rebased" }>): void {
  const position = openStep(draft, ["wait-ci", "merge"]);
  leaveMergeQueue(draft, position);
  const { steps } = draft.aggregate.task.workflow;
  draft.patch({ baseCommit: happening.base, headCommit: happening.commit, headTree: happening.tree });
  const again = steps.findIndex(({ kind }) => kind === "check" || kind === "pull-request");
  for (let later = again; later < steps.length; later += 1)
    if (later !== position && steps[later]?.kind !== "agent" && draft.stepAt(later).state !== "pending")
      draft.step(later, "reopen", { failures: 0, losses: 0 });
  draft.step(position, "reopen", { failures: 0, losses: 0 });
  beginStep(draft, again, cause("check"));
}

/** Position of the step that the task is at, where it is open and of one of these kinds. */
function openStep(draft: Draft, kinds: readonly WorkflowStep["kind"][]): number {
  const position = currentPosition(draft);
  const { kind, state } = draft.stepAt(position);
  const isOpen = state === "running" || state === "waiting";
  if (!isOpen || !kinds.some((one) => one === kind) || draft.aggregate.activeRun !== null)
    throw notNow(draft, `it is at ${draft.stepAt(position).name}`);
  return position;
}

function notNow(draft: Draft, why: string): AppError {
  const { id } = draft.aggregate.task;
  return new AppError({
    code: "conflict.state",
    message: `This cannot be said of ${id} now: ${why}.`,
    fix: `miyabi task explain ${id}`,
  });
}
