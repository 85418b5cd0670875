import type { Draft } from "./decision.ts";
import { because } from "./reasons.ts";
import type { WorkflowStep } from "./workflow.ts";

export const CI_PENDING = because("ci.pending", "The checks of its pull request are running.");
export const MERGE_AWAITING = because("merge.awaiting", "Delivered: its pull request waits to be merged.");

/** What of a step's data outlives a new beginning: a person's approval of protected paths. */
export function approvedOf(draft: Draft, position: number): Readonly<Record<string, unknown>> {
  const { approved } = draft.stepAt(position).data;
  return approved === undefined ? {} : { approved };
}

/** Starts a step whose work is done elsewhere. */
export function beginRemoteStep(
  draft: Draft,
  position: number,
  definition: Extract<WorkflowStep, { kind: "pull-request" | "wait-ci" | "merge" }>,
): void {
  draft.step(position, "begin", { data: approvedOf(draft, position) });
  switch (definition.kind) {
    case "pull-request":
      draft.task("start", { reason: because("pull_request.opening", "Its pull request is being opened.") });
      return draft.effect({ type: "outbox", kind: "pull-request" });
    case "wait-ci":
      draft.step(position, "wait");
      return draft.task("wait", {
        waitsFor: "ci",
        reason: CI_PENDING,
      });
    case "merge":
      draft.step(position, "wait");
      return draft.task("deliver", {
        waitsFor: "review",
        reason: MERGE_AWAITING,
      });
  }
}

/** From here on GitHub must not merge what stands in its merge queue. */
export function leaveMergeQueue(draft: Draft, position: number): void {
  const { enqueued, ...data } = draft.stepAt(position).data;
  if (enqueued === undefined) return;
  draft.step(position, null, { data });
  draft.effect({ type: "outbox", kind: "leave-merge-queue" });
}

/** Whether the task's change goes through a pull request instead of our own merge queue. */
export const isRemote = (draft: Draft): boolean =>
  draft.aggregate.task.workflow.steps.some(({ kind }) => kind === "pull-request");
