import type { Explanation, Reason } from "../contract/index.ts";
import { adviceFor } from "./advice.ts";
import { explainQueue } from "./explain-queue.ts";
import type { DependencyFact, ExplainFacts, RunFact } from "./explain-facts.ts";
import { because } from "./reasons.ts";

/**
 * Why a task is where it is and what would move it. Pure. The first reason decides and is the summary; the others hold
 * the task too, or say how it came there. `next` has commands to paste or sentences, without repetition.
 */
export function explain(facts: Readonly<ExplainFacts>): Explanation {
  const { task } = facts;
  const reasons = unique(reasonsOf(facts));
  const next = reasons.flatMap((reason) => [
    ...(reason.fix === null ? [] : [reason.fix]),
    ...adviceFor(reason.code, task.id),
  ]);
  return {
    taskId: task.id,
    state: task.state,
    summary: reasons[0]?.message ?? "",
    reasons,
    next: [...new Set(next)],
    queuePosition: facts.queuePosition,
    deadlineAt: task.deadlineAt.toISOString(),
    deadlineFrom: task.deadlineFrom,
  };
}

function reasonsOf(facts: Readonly<ExplainFacts>): readonly Reason[] {
  const { task } = facts;
  const stored = task.reason === null ? [] : [task.reason];
  switch (task.state) {
    case "queued":
      return [because("task.queued", "It was accepted a moment ago and is looked at next."), ...stored];
    case "blocked":
      return blockedReasons(facts);
    case "ready":
      return readyReasons(facts);
    case "running":
      return runningReasons(facts);
    case "waiting":
      return waitingReasons(facts);
    case "delivered":
      return [
        ...stored,
        because(
          "task.delivered",
          `Its change is accepted and kept on ${task.branch ?? "its branch"}; it is done when ${task.targetBranch} has it.`,
          { branch: task.branch ?? "", target: task.targetBranch },
        ),
      ];
    case "done":
      return [
        task.mergeCommit === null
          ? because("task.done", "It is done.")
          : because(
              "task.merged",
              `It is done: merged into ${task.targetBranch} as ${task.mergeCommit.slice(0, 10)}.`,
              {
                commit: task.mergeCommit,
                target: task.targetBranch,
              },
            ),
      ];
    case "failed":
      return [
        ...(stored.length > 0 ? stored : [because("task.failed", "It failed without a stated cause.")]),
        ...lastError(facts),
        ...keptWork(facts),
        because(
          "task.retry_possible",
          "It starts again where it stopped when a person asks for it.",
          {},
          retry(task.id),
        ),
      ];
    case "cancelled":
      return [
        ...(stored.length > 0
          ? stored
          : [because("person.cancelled", "It was cancelled.", {}, retry(task.id))]),
        ...keptWork(facts),
      ];
  }
}

const retry = (taskId: string): string => `miyabi task retry ${taskId}`;

function blockedReasons({ task, dependencies }: Readonly<ExplainFacts>): readonly Reason[] {
  if (dependencies.length === 0)
    return [because("dependency.merged", "All that it depends on is merged; it starts now.")];
  const stuckFirst = [...dependencies].sort((a, b) => Number(isStuck(b)) - Number(isStuck(a)));
  const each = stuckFirst.map((dependency) => dependencyReason(dependency));
  // The stored sentence names direct dependencies only; where a chain or a dead end decides, that one is said first.
  const decides = stuckFirst.some((dependency) => isStuck(dependency) || dependency.path.length > 1);
  const stored = task.reason === null ? [] : [task.reason];
  return decides ? [...each, ...stored] : [...stored, ...each];
}

const isStuck = ({ root }: DependencyFact): boolean => root.state === "failed" || root.state === "cancelled";

function dependencyReason(dependency: DependencyFact): Reason {
  const end = dependency.path.at(-1) ?? dependency.id;
  const path = [...dependency.path];
  const via = path.length > 1 ? ` (${path.join(" → ")})` : "";
  if (isStuck(dependency))
    return because(
      "dependency.stuck",
      `It depends on ${end}${via}, which ${dependency.root.state === "failed" ? "failed" : "was cancelled"}.`,
      { path, tasks: [end], state: dependency.root.state },
      retry(end),
    );
  const cause = dependency.root.reason === null ? "" : ` ${dependency.root.reason.message}`;
  return because(
    "dependency.not_merged",
    `It starts when ${dependency.id} is merged; now ${end}${via} is ${dependency.root.state}.${cause}`,
    { path, tasks: [dependency.id], state: dependency.root.state },
    `miyabi task explain ${end}`,
  );
}

function readyReasons(facts: Readonly<ExplainFacts>): readonly Reason[] {
  const { task, activeRun } = facts;
  const stored = task.reason === null ? [] : [task.reason];
  if (activeRun !== null) return [...explainQueue(facts, activeRun), ...stored];
  if (task.reason?.code === "merge.queued") {
    const { mergesAhead } = facts;
    return mergesAhead.length === 0
      ? stored
      : [
          because("merge.ahead", `It is merged after ${mergesAhead.join(", ")}.`, {
            tasks: [...mergesAhead],
          }),
          ...stored,
        ];
  }
  return [...stored, because("task.starting", "It is about to start.")];
}

function runningReasons(facts: Readonly<ExplainFacts>): readonly Reason[] {
  const { task, activeRun, now } = facts;
  const stored = task.reason === null ? [] : [task.reason];
  if (activeRun === null)
    return [...stored, ...(stored.length > 0 ? [] : [because("task.working", "It is being worked on.")])];
  const slot = facts.slots.find((one) => one.slot === activeRun.slot);
  const who = slot?.name ?? activeRun.slot ?? "An agent";
  const params = { run: activeRun.id, step: activeRun.step, slot: activeRun.slot ?? "" };
  const since = activeRun.startedAt ?? activeRun.queuedAt;
  const minutes = Math.max(0, Math.floor((now.getTime() - since.getTime()) / 60_000));
  if (slot !== undefined && slot.host !== "connected")
    return [
      because(
        slot.host === "silent" ? "host.silent" : "host.disconnected",
        slot.host === "silent"
          ? `${who} holds the run, but its agent host says nothing; the run is given to another one when its lease ends.`
          : `${who} holds the run, but its agent host is not connected; it comes back or is replaced within seconds.`,
        params,
        `miyabi restart ${slot.slot}`,
      ),
      ...stored,
    ];
  return [
    ...(facts.cannotRun === null ? [] : [facts.cannotRun]),
    activeRun.state === "leased"
      ? because("run.preparing", `${who} prepares step ${activeRun.step}: clone, sandbox, agent.`, params)
      : because("run.working", `${who} works on step ${activeRun.step}, for ${minutes} min so far.`, {
          ...params,
          minutes,
        }),
    ...(facts.openQuestion === null ? [] : [questionReason(facts.openQuestion)]),
    ...machineReason(activeRun),
    ...stored,
  ];
}

function machineReason({ machine }: RunFact): readonly Reason[] {
  if (machine === null) return [];
  const params = { machine: machine.name };
  return [
    machine.isGone
      ? because(
          "machine.gone",
          `The machine ${machine.name} is not heard of; its work goes on elsewhere when its lease has ended.`,
          params,
        )
      : because("machine.works", `It runs on the machine ${machine.name}.`, params),
  ];
}

function questionReason(question: { readonly id: string; readonly text: string }): Reason {
  return because(
    "question.open",
    `Its agent asks: ${question.text.slice(0, 300)}`,
    { question: question.id },
    `miyabi ask answer ${question.id} "…"`,
  );
}

function waitingReasons(facts: Readonly<ExplainFacts>): readonly Reason[] {
  const { task, openQuestion } = facts;
  const reasons: Reason[] = [];
  if (task.takenOver && task.reason?.code !== "person.takeover")
    reasons.push(
      because("person.takeover", "A person works in the agent's terminal.", {}, `miyabi handback ${task.id}`),
    );
  if (task.reason !== null) reasons.push(task.reason);
  const isTimed = task.waitsFor === "retry" || task.waitsFor === "quota";
  if (isTimed && facts.cannotRun !== null) reasons.unshift(facts.cannotRun);
  const isDue = task.wakeAt !== null && task.wakeAt.getTime() <= facts.now.getTime();
  // Once its time has come, what holds it is what holds every queued run.
  if (isTimed && isDue && facts.activeRun !== null) reasons.unshift(...explainQueue(facts, facts.activeRun));
  else if (isTimed && task.wakeAt !== null) {
    const seconds = Math.max(0, Math.ceil((task.wakeAt.getTime() - facts.now.getTime()) / 1000));
    reasons.push(
      because(
        "wait.time",
        `The next try is due in ${seconds} s.`,
        { seconds, at: task.wakeAt.toISOString() },
        retry(task.id),
      ),
    );
  }
  if (isTimed) reasons.push(...lastError(facts));
  if (openQuestion !== null && task.waitsFor !== "approval") reasons.push(questionReason(openQuestion));
  if (reasons.length === 0)
    reasons.push(
      because(
        "wait.unknown",
        `It waits for ${task.waitsFor ?? "something that is not named"}.`,
        {},
        retry(task.id),
      ),
    );
  return reasons;
}

function lastError({ lastError: error, task }: Readonly<ExplainFacts>): readonly Reason[] {
  return error === null || error.code === task.reason?.code ? [] : [error];
}

function keptWork({ task }: Readonly<ExplainFacts>): readonly Reason[] {
  // A branch has its name from the start, and a commit only when work was handed over.
  return task.branch === null || !task.hasWork
    ? []
    : [
        because("work.kept", `What was done so far is on the branch ${task.branch}.`, {
          branch: task.branch,
        }),
      ];
}

/** Each sentence once, in its first place. */
function unique(reasons: readonly Reason[]): Reason[] {
  const seen = new Set<string>();
  return reasons.filter(({ code, message }) => {
    const key = `${code} ${message}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
