import type { Random } from "../base/index.ts";
import { AppError } from "../base/index.ts";
import { beginStep, cause, currentPosition, passStep, positionOf, sendBack } from "./begin-step.ts";
import { decideFinished, decideLost, restartStep } from "./decide-finished.ts";
import { decideMerge, type MergeHappening } from "./decide-merge.ts";
import {
  decideMergedRemotely,
  decideRemoteAway,
  decideRemoteBack,
  decideTextChanged,
} from "./decide-changed.ts";
import { decideRemote, type RemoteHappening } from "./decide-remote.ts";
import { draftDecision, type Decision, type Draft } from "./decision.ts";
import { isFinal } from "./machine/task-machine.ts";
import type { Reason, Run, RunResult, TaskAggregate } from "./model.ts";
import { because } from "./reasons.ts";
import { approveChange, NEEDS_APPROVAL } from "./protected-change.ts";
import { isRemote, leaveMergeQueue } from "./remote-steps.ts";
import type { Workflow } from "./workflow.ts";

/** Everything that can happen to a task. */
export type TaskHappening =
  /** It was created, or a dependency changed: start it if nothing holds it. */
  | { readonly type: "admit" }
  | { readonly type: "leased"; readonly slot: string }
  | { readonly type: "finished"; readonly result: RunResult }
  | { readonly type: "lost"; readonly error: Reason }
  /** `why`: where nobody asked for it; else the reason names `by`. */
  | { readonly type: "cancel"; readonly by: string; readonly note: string; readonly why?: Reason }
  | { readonly type: "retry"; readonly by: string }
  | { readonly type: "approve"; readonly approve: boolean; readonly note: string; readonly by: string }
  | { readonly type: "taken-over" }
  | { readonly type: "handed-back" }
  /** A trusted person has the new text used: the agent gets it, whatever it was doing. */
  | { readonly type: "text-changed"; readonly by: string; readonly text: string }
  /** We have no access to the place that hosts the repository; we have it again. */
  | { readonly type: "remote-away"; readonly reason: Reason }
  | { readonly type: "remote-back" }
  | MergeHappening
  | RemoteHappening;

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
      // A run that waited for its time was the task's reason to wait.
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
      if (activeRun === null || activeRun.state === "queued")
        throw new AppError({
          code: "conflict.state",
          message: `No agent works on ${task.id}.`,
          fix: `miyabi task explain ${task.id}`,
        });
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
      // A host says it again after a reconnect, also when the run was given to another one meanwhile.
      if (!task.takenOver) return;
      return draft.task("start", { takenOver: false });
    case "text-changed":
      refuseWhilePublishing(draft);
      return decideTextChanged(draft, happening);
    case "remote-away":
      return decideRemoteAway(draft, happening.reason);
    case "remote-back":
      return decideRemoteBack(draft);
    case "merged":
      return isRemote(draft) ? decideMergedRemotely(draft, happening.commit) : decideMerge(draft, happening);
    case "merge-started":
    case "merge-candidate":
    case "merge-publishing":
    case "merge-conflict":
    case "merge-held":
      return decideMerge(draft, happening);
    default:
      return decideRemote(draft, happening);
  }
}

function admit(draft: Draft): void {
  const { openDependencies, task, steps } = draft.aggregate;
  if (task.state !== "queued" && task.state !== "blocked") return;
  if (openDependencies.length > 0) return block(draft);
  draft.task("admit");
  beginStep(draft, steps.find((step) => step.state === "pending")?.position ?? 0);
}

function block(draft: Draft): void {
  const { openDependencies } = draft.aggregate;
  const ids = openDependencies.map((dependency) => dependency.id);
  const stuck = openDependencies.filter(({ state }) => isFinal(state)).map((dependency) => dependency.id);
  const why =
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
        );
  draft.task("block", { reason: why });
}

function cancel(draft: Draft, happening: Extract<TaskHappening, { type: "cancel" }>): void {
  const { task, activeRun, steps } = draft.aggregate;
  refuseWhilePublishing(draft);
  const why =
    happening.why ??
    because(
      "person.cancelled",
      happening.note === ""
        ? `Cancelled by ${happening.by}.`
        : `Cancelled by ${happening.by}: ${happening.note}`,
      {},
      `miyabi task retry ${task.id}`,
    );
  if (activeRun !== null) draft.endRun({ id: activeRun.id, state: "cancelled", error: why, result: null });
  for (const step of steps)
    if (step.state === "running" || step.state === "waiting") {
      leaveMergeQueue(draft, step.position);
      draft.step(step.position, "cancel");
    }
  draft.task("cancel", { reason: why, takenOver: false });
  draft.effect({ type: "close-approval" });
  draft.effect({ type: "deadlines" });
  draft.effect({ type: "dependents" });
}

/** From the moment that the target branch may move until we know whether it did. */
function refuseWhilePublishing({ aggregate: { task, steps } }: Draft): void {
  const isPublishing = steps.some(
    ({ kind, state, data }) =>
      kind === "merge" && (state === "running" || state === "waiting") && data["publishing"] === true,
  );
  if (!isPublishing) return;
  throw new AppError({
    code: "conflict.state",
    message: `${task.id} is being merged at this moment.`,
    fix: `miyabi task show ${task.id}`,
  });
}

function retry(draft: Draft): void {
  const { task, activeRun, steps, openDependencies } = draft.aggregate;
  refuseWhilePublishing(draft);
  if (task.takenOver)
    throw new AppError({
      code: "conflict.state",
      message: `A person works in the terminal of ${task.id}.`,
      fix: `miyabi handback ${task.id}`,
    });
  draft.task("retry");
  if (activeRun !== null) return bringForward(draft, activeRun);
  draft.effect({ type: "close-approval" });
  if (isFinal(task.state)) {
    draft.effect({ type: "deadlines" });
    // They were told that it had ended.
    draft.effect({ type: "dependents" });
  }
  if (task.currentStep !== null) return restartStep(draft, currentPosition(draft));
  if (openDependencies.length > 0) return block(draft);
  beginStep(draft, steps[0]?.position ?? 0);
}

/** The next try is queued already, only for later: the same try is due now. */
function bringForward(draft: Draft, run: Run): void {
  const why = because("person.retry", "A person asked to try at once.");
  draft.endRun({ id: run.id, state: "cancelled", error: why, result: null });
  draft.step(run.stepPosition, null, { failures: 0, losses: 0 });
  draft.task("requeue", { reason: why });
  draft.newRun({
    stepPosition: run.stepPosition,
    queue: run.queue,
    cause: run.cause,
    commit: run.commit,
    delayMs: 0,
  });
}

function approve(draft: Draft, happening: Extract<TaskHappening, { type: "approve" }>): void {
  const { task } = draft.aggregate;
  const position = currentPosition(draft);
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
  if (happening.approve)
    return task.reason?.code === NEEDS_APPROVAL ? approveChange(draft, position) : passStep(draft, position);
  const target = rejectedTo(task.workflow, position);
  if (target === undefined)
    return cancel(draft, {
      type: "cancel",
      by: happening.by,
      note: happening.note === "" ? "not approved" : happening.note,
    });
  sendBack(draft, position, positionOf(draft, target), cause("rejected", happening.note));
}

/** Name of the step that mends what a person did not approve; undefined: nothing does. */
function rejectedTo({ steps }: Workflow, position: number): string | undefined {
  const definition = steps[position];
  switch (definition?.kind) {
    case "approval":
      return definition.onReject;
    case "agent":
      return definition.onChanges;
    case "pull-request":
    case "merge":
      return steps
        .slice(0, position)
        .findLast((step) => step.kind === "agent" && step.onChanges === undefined)?.name;
    default:
      return undefined;
  }
}

function required(run: Run | null, taskId: string): Run {
  if (run === null) throw new AppError({ code: "internal.bug", message: `${taskId} has no active run.` });
  return run;
}
