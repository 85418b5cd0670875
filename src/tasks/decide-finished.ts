import { backoffMs, type Random } from "../base/index.ts";
import { beginStep, cause, definitionOf, passStep, positionOf, queueOf, sendBack } from "./begin-step.ts";
import type { Draft } from "./decision.ts";
import type { Reason, Run, RunResult, WaitsFor } from "./model.ts";
import { because } from "./reasons.ts";
import type { WorkflowStep } from "./workflow.ts";

/** Losses are our fault, not the agent's: many are forgiven, the first ones at once. */
const MAX_LOSSES = 20;
const LOSSES_WITHOUT_DELAY = 10;
const RETRY_BASE_MS = 2_000;
const RETRY_MAX_MS = 300_000;
/** Nobody's work failed: what the machine lacks is waited for, however long that takes. */
const WAITED_FOR_MS: Readonly<Record<string, number>> = {
  "disk.full": 15_000,
  "agent.unavailable": 120_000,
  "sandbox.unavailable": 300_000,
  "github.unavailable": 60_000,
  "github.rate_limited": 60_000,
};
const QUOTA_DEFAULT_MS = 15 * 60_000;

interface DecideContext {
  readonly now: Date;
  readonly random: Pick<Random, "fraction">;
}

/** What follows from a run's end. The run is the active one (the caller has checked the fence). */
export function decideFinished(
  draft: Draft,
  run: Run,
  result: RunResult,
  context: Readonly<DecideContext>,
): void {
  const definition = definitionOf(draft, run.stepPosition);
  const verdict = result.verdict ?? run.verdict;
  const notes = result.notes ?? run.notes ?? "";
  const ended: RunResult = { ...result, verdict, notes };
  switch (result.outcome) {
    case "cancelled":
      return decideLost(
        draft,
        run,
        because("run.cancelled", result.message || "The run was cancelled."),
        context,
      );
    case "quota": {
      const error = because("agent.quota", result.message);
      draft.endRun({ id: run.id, state: "failed", error, result: ended });
      const delayMs =
        result.quotaResetAt === null
          ? QUOTA_DEFAULT_MS
          : Math.max(1_000, result.quotaResetAt.getTime() - context.now.getTime());
      return tryAgain(draft, run, { delayMs, waitsFor: "quota", error, now: context.now });
    }
    case "failed":
      if (result.code === "check.failed" && (definition.kind === "check" || definition.kind === "merge"))
        return decideCheckFailed(draft, run, ended, definition);
      return decideFailed(draft, run, ended, context);
    case "succeeded":
      if (definition.kind === "agent") return decideVerdict(draft, run, ended, definition, context);
      draft.endRun({ id: run.id, state: "succeeded", error: null, result: ended });
      if (definition.kind !== "merge") return passStep(draft, run.stepPosition);
      draft.step(run.stepPosition, null, {
        data: { ...draft.stepAt(run.stepPosition).data, checked: run.commit },
        failures: 0,
        losses: 0,
      });
      draft.task("requeue", {
        reason: because("merge.queued", "The merged result passed its check; it is merged next."),
      });
      return draft.effect({ type: "merge-queue" });
  }
}

/** A run that nobody carries on: its lease expired, or its host or agent died. */
export function decideLost(draft: Draft, run: Run, error: Reason, context: Readonly<DecideContext>): void {
  draft.endRun({ id: run.id, state: "lost", error, result: null });
  const losses = draft.stepAt(run.stepPosition).losses + 1;
  draft.step(run.stepPosition, null, { losses });
  if (losses > MAX_LOSSES)
    return failTask(
      draft,
      run,
      because(
        "run.lost_too_often",
        `The run was lost ${losses} times; last: ${error.message}`,
        { times: losses },
        retryCommand(draft),
      ),
    );
  const delayMs =
    losses <= LOSSES_WITHOUT_DELAY
      ? 0
      : backoffMs({
          attempt: losses - LOSSES_WITHOUT_DELAY,
          baseMs: RETRY_BASE_MS,
          maxMs: RETRY_MAX_MS,
          random: context.random,
        });
  tryAgain(draft, run, { delayMs, waitsFor: "retry", error, now: context.now });
}

function decideVerdict(
  draft: Draft,
  run: Run,
  result: RunResult,
  definition: Extract<WorkflowStep, { kind: "agent" }>,
  context: Readonly<DecideContext>,
): void {
  const isReview = definition.onChanges !== undefined;
  const position = run.stepPosition;
  const succeed = (): void => draft.endRun({ id: run.id, state: "succeeded", error: null, result });
  const failure = (code: string, message: string): void =>
    decideFailed(draft, run, { ...result, outcome: "failed", code, message }, context);

  if (result.verdict === null)
    return failure("agent.no_verdict", "The agent ended without reporting a result.");
  if (result.verdict === "blocked") {
    succeed();
    return waitForPerson(
      draft,
      position,
      because(
        "agent.blocked",
        result.notes ?? "The agent says that it cannot go on.",
        {},
        retryCommand(draft),
      ),
    );
  }
  if (isReview && result.verdict === "approve") {
    succeed();
    return passStep(draft, position);
  }
  if (definition.onChanges !== undefined && result.verdict === "changes") {
    succeed();
    if (draft.stepAt(position).returns + 1 >= definition.rounds) {
      const text = `The review asked for changes ${definition.rounds} times. Approve the change as it is?`;
      draft.effect({ type: "ask-approval", text });
      return waitForPerson(
        draft,
        position,
        because(
          "review.rounds_used_up",
          text,
          { rounds: definition.rounds },
          `miyabi task approve ${draft.aggregate.task.id}`,
        ),
      );
    }
    return sendBack(
      draft,
      position,
      positionOf(draft, definition.onChanges),
      cause("changes-requested", result.notes ?? ""),
    );
  }
  if (!isReview && result.verdict === "done") {
    const head = result.commit ?? draft.aggregate.task.headCommit;
    succeed();
    if (head === null)
      return waitForPerson(
        draft,
        position,
        because("agent.no_changes", "The agent reported done but changed nothing.", {}, retryCommand(draft)),
      );
    if (result.commit !== null) draft.patch({ headCommit: result.commit, headTree: result.tree });
    return passStep(draft, position);
  }
  return failure(
    "agent.bad_verdict",
    `The agent reported "${result.verdict}", which is no verdict of this step (${isReview ? "approve, changes, blocked" : "done, blocked"}).`,
  );
}

function decideCheckFailed(
  draft: Draft,
  run: Run,
  result: RunResult,
  definition: Extract<WorkflowStep, { kind: "check" | "merge" }>,
): void {
  const error = because("check.failed", result.message);
  draft.endRun({ id: run.id, state: "failed", error, result });
  const target = definition.kind === "check" ? definition.onFailure : definition.onConflict;
  const { rounds } = definition;
  if (target === undefined) return failTask(draft, run, error);
  if (draft.stepAt(run.stepPosition).returns + 1 >= rounds)
    return waitForPerson(
      draft,
      run.stepPosition,
      because(
        "check.rounds_used_up",
        `The check failed ${rounds} times; last: ${result.message}`,
        { rounds },
        retryCommand(draft),
      ),
    );
  const base = definition.kind === "merge" ? baseOf(draft, run.stepPosition) : null;
  if (base !== null) draft.patch({ baseCommit: base });
  const where = definition.kind === "merge" ? "on the result of merging with the target branch\n\n" : "";
  sendBack(
    draft,
    run.stepPosition,
    positionOf(draft, target),
    cause(
      "check-failed",
      where + result.log,
      definition.kind === "merge" ? baseOf(draft, run.stepPosition) : null,
    ),
  );
}

/** Target commit that the merge queue rebased onto. */
function baseOf(draft: Draft, position: number): string | null {
  const base = draft.stepAt(position).data["base"];
  return typeof base === "string" ? base : null;
}

function decideFailed(draft: Draft, run: Run, result: RunResult, context: Readonly<DecideContext>): void {
  const error = because(result.code ?? "run.failed", result.message);
  draft.endRun({ id: run.id, state: "failed", error, result });
  const waitMs = WAITED_FOR_MS[error.code];
  if (waitMs !== undefined)
    return tryAgain(draft, run, { delayMs: waitMs, waitsFor: "retry", error, now: context.now });
  const definition = definitionOf(draft, run.stepPosition);
  const retries = "retries" in definition ? definition.retries : 0;
  const failures = draft.stepAt(run.stepPosition).failures + 1;
  draft.step(run.stepPosition, null, { failures });
  if (failures > retries)
    return failTask(draft, run, {
      ...error,
      params: { ...error.params, attempts: failures },
      fix: retryCommand(draft),
    });
  const delayMs = backoffMs({
    attempt: failures,
    baseMs: RETRY_BASE_MS,
    maxMs: RETRY_MAX_MS,
    random: context.random,
  });
  tryAgain(draft, run, { delayMs, waitsFor: "retry", error, now: context.now });
}

interface TryAgainParams {
  readonly delayMs: number;
  readonly waitsFor: WaitsFor;
  readonly error: Reason;
  readonly now: Date;
}

function tryAgain(draft: Draft, run: Run, params: Readonly<TryAgainParams>): void {
  const definition = definitionOf(draft, run.stepPosition);
  draft.newRun({
    stepPosition: run.stepPosition,
    queue: queueOf(definition),
    cause: { ...run.cause, again: params.error.message },
    commit: run.commit,
    delayMs: params.delayMs,
  });
  if (params.delayMs === 0)
    draft.task("requeue", { reason: because("retry.now", `It starts again: ${params.error.message}`) });
  else
    draft.task("wait", {
      waitsFor: params.waitsFor,
      wakeAt: new Date(params.now.getTime() + params.delayMs),
      reason: because(`${params.waitsFor}.until`, `It is tried again by itself: ${params.error.message}`, {
        error: params.error.code,
      }),
    });
}

/** Parks the task at a step until a person acts. */
export function waitForPerson(draft: Draft, position: number, why: Reason): void {
  draft.step(position, "wait", { reason: why });
  draft.task("wait", { waitsFor: "person", reason: why });
}

function failTask(draft: Draft, run: Run, why: Reason): void {
  draft.step(run.stepPosition, "fail", { reason: why });
  draft.task("fail", { reason: why });
  draft.effect({ type: "deadlines" });
  draft.effect({ type: "dependents" });
}

const retryCommand = (draft: Draft): string => `miyabi task retry ${draft.aggregate.task.id}`;

/** Starts the current step anew with fresh counters, as a person asked. */
export function restartStep(draft: Draft, position: number): void {
  draft.step(position, "reopen", { failures: 0, losses: 0, returns: 0 });
  const { lastCause, task } = draft.aggregate;
  const definition = definitionOf(draft, position);
  const isWork = definition.kind === "agent" && definition.onChanges === undefined;
  if (!isWork || lastCause === null) return beginStep(draft, position);
  const isFresh = lastCause.reason === "implement" && task.headCommit !== null;
  const again = "a person asked to try again";
  // What it was to mend must be said again: failing log, review, conflict.
  beginStep(draft, position, isFresh ? { ...cause("continue"), again } : { ...lastCause, again });
}
