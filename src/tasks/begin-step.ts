import { AppError } from "../base/index.ts";
import type { Draft } from "./decision.ts";
import type { Cause } from "./model.ts";
import { because } from "./reasons.ts";
import { approvedOf, beginRemoteStep, isRemote } from "./remote-steps.ts";
import type { WorkflowStep } from "./workflow.ts";

export const cause = (reason: Cause["reason"], details = "", target: string | null = null): Cause => ({
  reason,
  details,
  target,
  again: null,
});

/** The workflow's definition of a step. */
export function definitionOf(draft: Draft, position: number): WorkflowStep {
  const step = draft.aggregate.task.workflow.steps[position];
  if (step === undefined)
    throw new AppError({
      code: "internal.bug",
      message: `${draft.aggregate.task.id} has no step ${position}.`,
    });
  return step;
}

/** Position of a named step of the workflow. */
export function positionOf(draft: Draft, name: string): number {
  return draft.aggregate.task.workflow.steps.findIndex((step) => step.name === name);
}

/** Position of the step that the task is at. @throws conflict.state where it has not started. */
export function currentPosition(draft: Draft): number {
  const { task } = draft.aggregate;
  const position = task.currentStep === null ? -1 : positionOf(draft, task.currentStep);
  if (position < 0)
    throw new AppError({
      code: "conflict.state",
      message: `${task.id} has not started yet.`,
      details: { state: task.state },
    });
  return position;
}

const isReview = (step: WorkflowStep): boolean => step.kind === "agent" && step.onChanges !== undefined;

/** Starts a step: queues its run, asks for the approval, or puts the task into the merge queue. */
export function beginStep(draft: Draft, position: number, why: Cause | null = null): void {
  const definition = definitionOf(draft, position);
  const { state } = draft.stepAt(position);
  if (state !== "pending" && state !== "running" && state !== "waiting") draft.step(position, "reopen");
  const head = draft.head();
  draft.patch({ currentStep: definition.name });
  switch (definition.kind) {
    case "agent":
      draft.step(position, "begin");
      draft.task("requeue");
      draft.newRun({
        stepPosition: position,
        queue: definition.role,
        cause: why ?? cause(isReview(definition) ? "review" : "implement"),
        commit: isReview(definition) ? head : null,
        delayMs: 0,
      });
      return;
    case "check":
    case "command":
      draft.step(position, "begin");
      draft.task("requeue");
      draft.newRun({
        stepPosition: position,
        queue: queueOf(definition),
        cause: why ?? cause("check"),
        commit: head,
        delayMs: 0,
      });
      return;
    case "approval":
      draft.step(position, "begin");
      draft.step(position, "wait");
      draft.task("wait", {
        waitsFor: "approval",
        reason: because(
          "approval.open",
          definition.text,
          {},
          `miyabi task approve ${draft.aggregate.task.id}`,
        ),
      });
      draft.effect({ type: "ask-approval", text: definition.text });
      return;
    case "pull-request":
    case "wait-ci":
      return beginRemoteStep(draft, position, definition);
    case "merge":
      if (isRemote(draft)) return beginRemoteStep(draft, position, definition);
      draft.step(position, "begin", { data: approvedOf(draft, position) });
      draft.task("requeue", {
        reason: because("merge.queued", "It is in the merge queue of its repository."),
      });
      draft.effect({ type: "merge-queue" });
      return;
  }
}

/** Queue that carries out a step's runs: an agent's role, `check` for checks, `deploy` for commands. */
export function queueOf(definition: WorkflowStep): string {
  return definition.kind === "agent" ? definition.role : definition.kind === "command" ? "deploy" : "check";
}

/** The step is done: goes on with the next one, or ends the task. */
export function passStep(draft: Draft, position: number): void {
  draft.step(position, "pass", { failures: 0, losses: 0 });
  // After a rebase without conflicts a review that passed stays passed.
  const next = draft.aggregate.steps.find(
    (step) => step.position > position && draft.stepAt(step.position).state !== "passed",
  );
  if (next !== undefined) return beginStep(draft, next.position);
  draft.task("finish");
  draft.effect({ type: "dependents" });
}

/** Sends the task back to an earlier step with what it has to mend; everything from there on is to be done again. */
export function sendBack(draft: Draft, from: number, to: number, why: Cause): void {
  draft.step(from, "return", { returns: draft.stepAt(from).returns + 1, failures: 0, losses: 0 });
  for (let position = to; position < draft.aggregate.steps.length; position += 1) {
    // The step that sent the task back shows so until the task comes to it again.
    if (position !== from && draft.stepAt(position).state !== "pending")
      draft.step(position, "reopen", { failures: 0, losses: 0 });
  }
  draft.patch({ round: draft.aggregate.task.round + 1 });
  beginStep(draft, to, why);
}
