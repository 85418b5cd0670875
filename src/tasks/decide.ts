import type { Random } from "../base/index.ts";
import { AppError } from "../base/index.ts";
import { beginStep, cause, definitionOf, passStep, positionOf, sendBack } from "./begin-step.ts";
import { decideFinished, decideLost, restartStep, waitForPerson } from "./decide-finished.ts";
import { draftDecision, type Decision, type Draft } from "./decision.ts";
import { isFinal } from "./machine/task-machine.ts";
import type { Reason, Run, RunResult, TaskAggregate } from "./model.ts";
import { because } from "./reasons.ts";

/** Everything that can happen to a task. */
export type TaskHappening =
  /** It was created, or a dependency changed: start it if nothing holds it. */
  | { readonly type: "admit" }
  | { readonly type: "leased"; readonly slot: string }
  | { readonly type: "finished"; readonly result: RunResult }
  | { readonly type: "lost"; readonly error: Reason }
  | { readonly type: "cancel"; readonly by: string; readonly note: string }
  | { readonly type: "retry"; readonly by: string }
  | { readonly type: "approve"; readonly approve: boolean; readonly note: string; readonly by: string }
  | { readonly type: "taken-over" }
  | { readonly type: "handed-back" }
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
  | { readonly type: "merge-publishing" }
  | { readonly type: "merge-conflict"; readonly base: string; readonly files: readonly string[] }
  | { readonly type: "merge-held"; readonly reason: Reason }
  | { readonly type: "merged"; readonly commit: string };

interface DecideContext {
  /** Wall time, only for what people read and for waits; leases go by the database's clock. */
  readonly now: Date;
  readonly random: Pick<Random, "fraction">;
}

/**
 * What follows for a task when something happens to it. Pure: the same aggregate, happening and context give the same decision.
 * @throws conflict.state where the task's state does not allow it.
 */
export function decide(
  aggregate: TaskAggregate,
  happening: TaskHappening,
  context: Readonly<DecideContext>,
): Decision {
  const draft = draftDecision(aggregate);
  apply(draft, happening, context);
  return draft.finish();
}

function apply(draft: Draft, happening: TaskHappening, context: Readonly<DecideContext>): void {
  const { task, activeRun } = draft.aggregate;
  switch (happening.type) {
    case "admit":
      return admit(draft);
    case "leased":
      return draft.task("start");
    case "finished":
      return decideFinished(draft, required(activeRun, task.id), happening.result, context);
    case "lost":
      return decideLost(draft, required(activeRun, task.id), happening.error, context);
    case "cancel":
      return cancel(draft, happening);
    case "retry":
      return retry(draft);
    case "approve":
      return approve(draft, happening);
    case "taken-over":
      draft.task("wait", {
        waitsFor: "person",
        takenOver: true,
        reason: because(
          "person.takeover",
          "A person works in the agent's terminal.",
          {},
          `miyabi handback ${task.id}`,
        ),
      });
      return;
    case "handed-back":
      return draft.task("start", { takenOver: false });
    case "merge-started":
      draft.step(currentPosition(draft), "begin", { data: {} });
      return draft.task("start", { reason: because("merge.running", "It is being merged.") });
    case "merge-candidate":
      return mergeCandidate(draft, happening);
    case "merge-publishing": {
      const position = currentPosition(draft);
      return draft.step(position, null, { data: { ...draft.stepAt(position).data, publishing: true } });
    }
    case "merge-conflict":
      return mergeConflict(draft, happening);
    case "merge-held":
      holdMerge(draft, happening.reason);
      return draft.task("deliver", { waitsFor: "person", reason: happening.reason });
    case "merged":
      draft.patch({ mergeCommit: happening.commit });
      draft.event("task.merged", { commit: happening.commit });
      return passStep(draft, currentPosition(draft));
  }
}

function admit(draft: Draft): void {
  const { openDependencies, task, steps } = draft.aggregate;
  if (task.state !== "queued" && task.state !== "blocked" && task.state !== "ready") return;
  if (draft.aggregate.activeRun !== null) return;
  if (openDependencies.length > 0) {
    const ids = openDependencies.map((dependency) => dependency.id);
    const stuck = openDependencies
      .filter((dependency) => dependency.state === "failed" || dependency.state === "cancelled")
      .map((dependency) => dependency.id);
    return draft.task("block", {
      reason:
        stuck.length > 0
          ? because(
              "dependency.stuck",
              `It depends on ${stuck.join(", ")}, which ended without a merge.`,
              { tasks: stuck },
              `miyabi task retry ${stuck[0]}`,
            )
          : because(
              "dependency.not_merged",
              `It starts when ${ids.join(", ")} ${ids.length === 1 ? "is" : "are"} merged.`,
              { tasks: ids },
            ),
    });
  }
  draft.task("admit");
  const first = steps.find((step) => step.state === "pending");
  beginStep(draft, first?.position ?? 0);
}

function cancel(draft: Draft, happening: Extract<TaskHappening, { type: "cancel" }>): void {
  const { task, activeRun, steps } = draft.aggregate;
  if (
    steps.some(
      (step) => step.kind === "merge" && step.state === "running" && step.data["publishing"] === true,
    )
  )
    throw new AppError({
      code: "conflict.state",
      message: `${task.id} is being merged at this moment.`,
      fix: `miyabi task show ${task.id}`,
    });
  const why = because(
    "person.cancelled",
    happening.note === ""
      ? `Cancelled by ${happening.by}.`
      : `Cancelled by ${happening.by}: ${happening.note}`,
    {},
    `miyabi task retry ${task.id}`,
  );
  if (activeRun !== null) draft.endRun({ id: activeRun.id, state: "cancelled", error: why, result: null });
  for (const step of steps)
    if (step.state === "running" || step.state === "waiting") draft.step(step.position, "cancel");
  draft.task("cancel", { reason: why, takenOver: false });
  draft.effect({ type: "close-approval" });
  draft.effect({ type: "dependents" });
}

function retry(draft: Draft): void {
  const { task, activeRun, openDependencies } = draft.aggregate;
  if (
    activeRun !== null &&
    task.state === "waiting" &&
    (task.waitsFor === "retry" || task.waitsFor === "quota")
  ) {
    // The next try is queued already, only for later: bring it forward.
    draft.endRun({
      id: activeRun.id,
      state: "cancelled",
      error: because("person.retry", "A person asked to try at once."),
      result: null,
    });
    draft.task("retry");
    return restartStep(draft, activeRun.stepPosition);
  }
  draft.task("retry");
  draft.effect({ type: "close-approval" });
  if (task.currentStep === null || openDependencies.length > 0) return admit(draft);
  restartStep(draft, currentPosition(draft));
}

function approve(draft: Draft, happening: Extract<TaskHappening, { type: "approve" }>): void {
  const { task } = draft.aggregate;
  const position = currentPosition(draft);
  const definition = definitionOf(draft, position);
  const waits =
    task.state === "waiting" &&
    (task.waitsFor === "approval" || task.reason?.code === "review.rounds_used_up");
  if (!waits)
    throw new AppError({
      code: "conflict.state",
      message: `${task.id} waits for no approval; it is ${task.state}.`,
      fix: `miyabi task explain ${task.id}`,
      details: { state: task.state },
    });
  draft.effect({ type: "close-approval" });
  if (happening.approve) return passStep(draft, position);
  const target =
    definition.kind === "approval"
      ? definition.onReject
      : definition.kind === "agent"
        ? definition.onChanges
        : undefined;
  if (target === undefined)
    return cancel(draft, {
      type: "cancel",
      by: happening.by,
      note: happening.note === "" ? "not approved" : happening.note,
    });
  sendBack(draft, position, positionOf(draft, target), cause("rejected", happening.note));
}

/** The candidate is kept: once there is room for it, it is published without another check. */
function holdMerge(draft: Draft, reason: Reason): void {
  const position = currentPosition(draft);
  draft.step(position, "wait", { reason, data: { ...draft.stepAt(position).data, publishing: false } });
}

function mergeCandidate(draft: Draft, happening: Extract<TaskHappening, { type: "merge-candidate" }>): void {
  const position = currentPosition(draft);
  const data = { base: happening.base, candidate: happening.commit, tree: happening.tree };
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

function mergeConflict(draft: Draft, happening: Extract<TaskHappening, { type: "merge-conflict" }>): void {
  const position = currentPosition(draft);
  const definition = definitionOf(draft, position);
  if (definition.kind !== "merge")
    throw new AppError({
      code: "internal.bug",
      message: `${draft.aggregate.task.id} is not at a merge step.`,
    });
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

function currentPosition(draft: Draft): number {
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

function required(run: Run | null, taskId: string): Run {
  if (run === null) throw new AppError({ code: "internal.bug", message: `${taskId} has no active run.` });
  return run;
}

export { isFinal };
