import { AppError } from "../base/index.ts";
import { cause, currentPosition, definitionOf, passStep, positionOf, sendBack } from "./begin-step.ts";
import { waitForPerson } from "./decide-finished.ts";
import type { Draft } from "./decision.ts";
import type { Reason } from "./model.ts";
import { askForChange, NEEDS_APPROVAL } from "./protected-change.ts";
import { because } from "./reasons.ts";
import { approvedOf } from "./remote-steps.ts";

/** What the merge queue says about a task. */
export type MergeHappening =
  /** The merge queue took the task up, rebased it, and says what came of it. */
  | { readonly type: "merge-started" }
  | {
      readonly type: "merge-candidate";
      readonly base: string;
      readonly commit: string;
      readonly tree: string;
      readonly needsCheck: boolean;
    }
  /** The target branch is about to move to the candidate: from here on the task cannot be cancelled. */
  | { readonly type: "merge-publishing"; readonly commit: string }
  | { readonly type: "merge-conflict"; readonly base: string; readonly files: readonly string[] }
  | { readonly type: "merge-held"; readonly reason: Reason }
  | { readonly type: "merged"; readonly commit: string };

/** @throws conflict.state where the task is not at an open merge step, or its candidate is being checked. */
export function decideMerge(draft: Draft, happening: MergeHappening): void {
  const position = mergePosition(draft);
  switch (happening.type) {
    case "merge-started":
      draft.step(position, "begin", { data: approvedOf(draft, position) });
      return draft.task("start", { reason: because("merge.running", "It is being merged.") });
    case "merge-candidate":
      return mergeCandidate(draft, position, happening);
    case "merge-publishing": {
      const { data } = draft.stepAt(position);
      if (candidateOf(draft, position) !== happening.commit)
        throw notMerging(draft.aggregate.task.id, "another result of merging it is due");
      return draft.step(position, null, { data: { ...data, publishing: true } });
    }
    case "merge-conflict":
      return mergeConflict(draft, position, happening);
    case "merge-held":
      if (happening.reason.code === NEEDS_APPROVAL) return askForChange(draft, position, happening.reason);
      // The candidate is kept: once there is room for it, it is published without another check.
      draft.step(position, "wait", {
        reason: happening.reason,
        data: { ...draft.stepAt(position).data, publishing: false },
      });
      return draft.task("deliver", { waitsFor: "person", reason: happening.reason });
    case "merged":
      if (![undefined, happening.commit].includes(candidateOf(draft, position)))
        throw notMerging(draft.aggregate.task.id, "another result of merging it is due");
      draft.patch({ mergeCommit: happening.commit });
      draft.event("task.merged", { commit: happening.commit });
      return passStep(draft, position);
  }
}

/** Commit that the task's change would become on the target branch. */
function candidateOf(draft: Draft, position: number): string | undefined {
  const { candidate } = draft.stepAt(position).data as { candidate?: string };
  return candidate;
}

function mergeCandidate(
  draft: Draft,
  position: number,
  happening: Extract<MergeHappening, { type: "merge-candidate" }>,
): void {
  const data = {
    ...approvedOf(draft, position),
    base: happening.base,
    candidate: happening.commit,
    tree: happening.tree,
  };
  draft.step(position, null, { data: happening.needsCheck ? data : { ...data, checked: happening.commit } });
  if (!happening.needsCheck)
    return draft.task("start", { reason: because("merge.running", "It is being merged.") });
  draft.task("requeue", { reason: because("merge.checking", "The result of merging it is being checked.") });
  draft.newRun({
    stepPosition: position,
    queue: "check",
    cause: cause("check"),
    commit: happening.commit,
    delayMs: 0,
  });
}

function mergeConflict(
  draft: Draft,
  position: number,
  happening: Extract<MergeHappening, { type: "merge-conflict" }>,
): void {
  const definition = definitionOf(draft, position);
  if (definition.kind !== "merge") throw notMerging(draft.aggregate.task.id, "it is at no merge step");
  if (draft.stepAt(position).returns + 1 >= definition.rounds)
    return waitForPerson(
      draft,
      position,
      because(
        "merge.rounds_used_up",
        `It conflicted with the target branch ${definition.rounds} times.`,
        { rounds: definition.rounds },
        `miyabi takeover ${draft.aggregate.task.id}`,
      ),
    );
  draft.patch({ baseCommit: happening.base });
  sendBack(
    draft,
    position,
    positionOf(draft, definition.onConflict),
    cause("conflict", happening.files.join("\n"), happening.base),
  );
}

/**
 * Position of the merge step that the task is at. The merge queue works outside of transactions: what it says may come
 * after a cancel, a retry, or the word of another control plane.
 */
function mergePosition(draft: Draft): number {
  const { task, activeRun } = draft.aggregate;
  const position = currentPosition(draft);
  const { kind, state } = draft.stepAt(position);
  if (kind !== "merge" || (state !== "running" && state !== "waiting")) throw notMerging(task.id, task.state);
  if (activeRun !== null) throw notMerging(task.id, "its result is being checked");
  return position;
}

function notMerging(taskId: string, why: string): AppError {
  return new AppError({
    code: "conflict.state",
    message: `${taskId} cannot be merged now: ${why}.`,
    fix: `miyabi task explain ${taskId}`,
  });
}
