import type { Draft } from "./decision.ts";
import { because } from "./reasons.ts";
import type { WorkflowStep } from "./workflow.ts";

export const CI_PENDING = because("ci.pending", "The checks of its pull request are running.");
export const MERGE_AWAITING = because("merge.awaiting", "Delivered: its pull request waits to be merged.");

/** Starts a step whose work is done elsewhere. */
export function beginRemoteStep(
  draft: Draft,
  position: number,
  definition: Extract<WorkflowStep, { kind: "pull-request" | "wait-ci" | "merge" }>,
): void {
  const { approved } = draft.stepAt(position).data;
  draft.step(position, "begin", { data: approved === undefined ? {} : { approved } });
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

/** Whether the task's change goes through a pull request instead of our own merge queue. */
export const isRemote = (draft: Draft): boolean =>
  draft.aggregate.task.workflow.steps.some(({ kind }) => kind === "pull-request");
