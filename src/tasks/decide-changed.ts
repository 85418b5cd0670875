import { AppError } from "../base/index.ts";
import { beginStep, cause, currentPosition, passStep, sendBack } from "./begin-step.ts";
import type { Draft } from "./decision.ts";
import { isFinal } from "./machine/task-machine.ts";
import type { Reason, Step } from "./model.ts";
import { because } from "./reasons.ts";
import { CI_PENDING, leaveMergeQueue, MERGE_AWAITING } from "./remote-steps.ts";

/** The words of the task are others now: its agent gets them, and everything after it is done again. @throws conflict.state */
export function decideTextChanged(
  draft: Draft,
  happening: { readonly by: string; readonly text: string },
): void {
  const { task, activeRun, lastCause } = draft.aggregate;
  if (isFinal(task.state))
    throw new AppError({
      code: "conflict.state",
      message: `${task.id} has ended.`,
      fix: `miyabi task retry ${task.id}`,
    });
  if (task.takenOver)
    throw new AppError({
      code: "conflict.state",
      message: `A person works in the terminal of ${task.id}.`,
      fix: `miyabi handback ${task.id}`,
    });
  if (task.currentStep === null) return;
  const position = currentPosition(draft);
  const work = task.workflow.steps.findIndex((step) => step.kind === "agent" && step.onChanges === undefined);
  if (position < work) return;
  if (activeRun !== null) {
    // What has not begun begins with the new words.
    if (activeRun.state === "queued" && lastCause?.reason === "implement" && lastCause.again === null) return;
    const error = because("text.changed", `${happening.by} had the new text of its issue used.`, {
      by: happening.by,
    });
    draft.endRun({ id: activeRun.id, state: "cancelled", error, result: null });
  }
  draft.effect({ type: "close-approval" });
  const why = cause(
    "changes-requested",
    `The text of the task was changed. It says now:\n\n${happening.text}`,
  );
  leaveMergeQueue(draft, position);
  if (position > work) return sendBack(draft, position, work, why);
  draft.step(position, "reopen", { failures: 0, losses: 0 });
  beginStep(draft, position, why);
}

/**
 * Its pull request was merged, by us or by a person, whatever the task was doing: it is done, and what was still to come before the
 * merge is not done any more. @throws conflict.state where it has ended
 */
export function decideMergedRemotely(draft: Draft, commit: string): void {
  const { task, activeRun, steps } = draft.aggregate;
  const merge = steps.find(({ kind }) => kind === "merge");
  if (isFinal(task.state) || merge === undefined || merge.state === "passed")
    throw new AppError({ code: "conflict.state", message: `${task.id} is ${task.state} already.` });
  const why = because("pull_request.merged", "Its pull request was merged.");
  if (activeRun !== null) draft.endRun({ id: activeRun.id, state: "cancelled", error: why, result: null });
  draft.effect({ type: "close-approval" });
  for (const { position, state } of steps) {
    if (position >= merge.position || state === "passed") continue;
    if (state === "pending" || state === "running" || state === "waiting") draft.step(position, "cancel");
  }
  draft.patch({ mergeCommit: commit, currentStep: merge.name, takenOver: false });
  draft.event("task.merged", { commit });
  if (merge.state !== "running" && merge.state !== "waiting") {
    if (merge.state !== "pending") draft.step(merge.position, "reopen");
    draft.step(merge.position, "begin");
  }
  passStep(draft, merge.position);
}

/** We have no access to the place that hosts the repository: what waits for it says so. @throws conflict.state where it does not wait for it */
export function decideRemoteAway(draft: Draft, reason: Reason): void {
  const { kind } = waitingStep(draft);
  if (kind === "merge") draft.task("deliver", { waitsFor: "review", reason });
  else draft.task("wait", { waitsFor: "ci", reason });
}

/** The access is back: it waits for what it waited for before. @throws conflict.state */
export function decideRemoteBack(draft: Draft): void {
  const { kind } = waitingStep(draft);
  if (kind === "merge") draft.task("deliver", { waitsFor: "review", reason: MERGE_AWAITING });
  else draft.task("wait", { waitsFor: "ci", reason: CI_PENDING });
}

function waitingStep(draft: Draft): Step {
  const step = draft.stepAt(currentPosition(draft));
  const waits = (step.kind === "wait-ci" || step.kind === "merge") && step.state === "waiting";
  if (waits && draft.aggregate.activeRun === null && step.data["publishing"] !== true) return step;
  throw new AppError({
    code: "conflict.state",
    message: `${draft.aggregate.task.id} does not wait for its pull request.`,
  });
}
