import { decide, type TaskHappening } from "./decide.ts";
import type { Decision } from "./decision.ts";
import type { Cause, RunResult, TaskAggregate } from "./model.ts";
import { defaultWorkflow, type Workflow } from "./workflow.ts";

/** One task in memory: decisions are applied to it as the store would, so that a test can tell a story. */
export interface TaskStory {
  now(): TaskAggregate;
  /** @throws what `decide` throws; nothing has changed then. */
  happen(happening: TaskHappening): Decision;
  /** A slot takes the queued run. */
  lease(): Decision;
  /** Leases the queued run and ends it like this. */
  end(result: Partial<RunResult>): Decision;
  /** From the start to the named step of the default workflow, by runs that succeed. */
  reach(step: string): void;
}

export const NOW = new Date("2026-03-01T00:00:00Z");

export const RESULT: RunResult = {
  outcome: "succeeded",
  code: null,
  message: "",
  verdict: null,
  notes: null,
  commit: null,
  tree: null,
  tokensIn: null,
  tokensOut: null,
  quotaResetAt: null,
  log: "",
  cached: false,
};

/** What a successful run of a step of the default workflow reports. */
export function successOf(step: string, commit = "c1"): Partial<RunResult> {
  if (step === "implement") return { verdict: "done", commit, tree: `tree-${commit}` };
  return step === "review" ? { verdict: "approve" } : {};
}

export function tellStory(
  params: Readonly<{
    workflow?: Workflow;
    openDependencies?: TaskAggregate["openDependencies"];
  }> = {},
): TaskStory {
  const workflow = params.workflow ?? defaultWorkflow({ check: ["npm test"], prepare: null });
  let aggregate = newTask(workflow, params.openDependencies ?? []);
  const causes = new Map<string, Cause>();
  let runs = 0;

  const happen = (happening: TaskHappening): Decision => {
    const decision = decide(aggregate, happening, { now: NOW, random: { fraction: () => 0.5 } });
    const { newRun } = decision;
    if (newRun !== null) causes.set(workflow.steps[newRun.stepPosition]?.name ?? "", newRun.cause);
    if (newRun !== null) runs += 1;
    const attempt = aggregate.task.attempt + (newRun === null ? 0 : 1);
    const task = { ...aggregate.task, ...decision.task, attempt };
    aggregate = {
      task,
      steps: aggregate.steps.map((step) => {
        const { reason: _reason, ...patch } = decision.steps.get(step.position) ?? {};
        return { ...step, ...patch };
      }),
      activeRun:
        newRun !== null
          ? {
              ...newRun,
              id: `R${runs}`,
              kind: workflow.steps[newRun.stepPosition]?.kind ?? "agent",
              attempt,
              state: "queued",
              jobId: `job-${runs}`,
              slot: null,
              verdict: null,
              notes: null,
            }
          : decision.endRun === null
            ? aggregate.activeRun
            : null,
      lastCause: causes.get(task.currentStep ?? "") ?? null,
      openDependencies: aggregate.openDependencies,
    };
    return decision;
  };

  const lease = (): Decision => {
    const decision = happen({ type: "leased", slot: "kaede" });
    const { activeRun } = aggregate;
    if (activeRun !== null)
      aggregate = { ...aggregate, activeRun: { ...activeRun, state: "leased", slot: "kaede" } };
    return decision;
  };

  const end = (result: Partial<RunResult>): Decision => {
    if (aggregate.activeRun?.state === "queued") lease();
    return happen({ type: "finished", result: { ...RESULT, ...result } });
  };

  return {
    now: () => aggregate,
    happen,
    lease,
    end,
    reach: (step) => {
      if (aggregate.task.state === "queued") happen({ type: "admit" });
      while (aggregate.task.currentStep !== step) end(successOf(aggregate.task.currentStep ?? ""));
    },
  };
}

function newTask(workflow: Workflow, openDependencies: TaskAggregate["openDependencies"]): TaskAggregate {
  return {
    task: {
      id: "T1",
      repositoryId: "r",
      source: "api",
      title: "Title",
      state: "queued",
      waitsFor: null,
      reason: null,
      wakeAt: null,
      class: "P2",
      deadlineAt: NOW,
      workflow,
      profile: null,
      currentStep: null,
      round: 1,
      attempt: 0,
      branch: "miyabi/T1",
      baseCommit: null,
      headCommit: null,
      headTree: null,
      mergeCommit: null,
      takenOver: false,
    },
    steps: workflow.steps.map((step, position) => ({
      position,
      name: step.name,
      kind: step.kind,
      role: step.kind === "agent" ? step.role : null,
      state: "pending",
      returns: 0,
      failures: 0,
      losses: 0,
      data: {},
    })),
    activeRun: null,
    lastCause: null,
    openDependencies,
  };
}
