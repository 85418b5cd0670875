import type { Reason } from "../contract/index.ts";
import type { ExplainFacts, RunFact, SlotFact } from "./explain-facts.ts";
import { because } from "./reasons.ts";

/** Why a queued run has not started yet, the deciding reason first. Pure. */
export function explainQueue(facts: Readonly<ExplainFacts>, run: RunFact): readonly Reason[] {
  const candidates = facts.slots.filter((slot) => slot.takes.includes(run.queue));
  const reasons: Reason[] = [];
  if (run.machine !== null && !run.machine.isHere) {
    const { name, isGone } = run.machine;
    reasons.push(
      isGone
        ? because(
            "machine.away",
            `It waits for the machine ${name}, where its repository lies; that one's control plane is not heard of.`,
            { machine: name },
            "miyabi up",
          )
        : because("machine.reserved", `It is left to the machine ${name}, where its work is.`, {
            machine: name,
          }),
    );
    return reasons;
  }
  if (facts.cannotRun !== null) reasons.push(facts.cannotRun);
  reasons.push(...agentReasons(facts, run, candidates));
  const position = facts.queuePosition;
  if (position !== null && position > 1)
    reasons.push(
      because(
        "queue.ahead",
        `It is number ${position} in the queue "${run.queue}"; earlier deadlines come first, then lower numbers.`,
        {
          position,
          queue: run.queue,
        },
      ),
    );
  if (facts.task.deadlineFrom !== null)
    reasons.push(
      because(
        "order.inherited",
        `It counts as due when ${facts.task.deadlineFrom}, which waits for it, is due.`,
        {
          from: facts.task.deadlineFrom,
        },
      ),
    );
  return reasons;
}

function agentReasons(
  facts: Readonly<ExplainFacts>,
  run: RunFact,
  candidates: readonly SlotFact[],
): readonly Reason[] {
  const { queue, step } = run;
  if (candidates.length === 0) {
    const known = [...new Set(facts.slots.flatMap((slot) => slot.takes))].sort();
    return [
      because(
        "queue.nobody",
        `No agent of the team takes "${queue}", which step ${step} needs.`,
        { queue, step, known },
        `Give a member of \`team:\` in miyabi.yaml the queue "${queue}".`,
      ),
    ];
  }
  const idle = candidates.filter((slot) => slot.state === "idle" && slot.host === "connected");
  if (idle.length > 0) {
    if (facts.cannotRun !== null) return [];
    const names = idle.map((slot) => slot.name).join(", ");
    return [
      because("queue.starting", `${names} is free and takes it next.`, { queue, slots: slotsOf(idle) }),
    ];
  }
  // The best that may still happen decides: somebody at work ends sooner than somebody who is down comes back.
  for (const one of [busy, starting, parked, takenOver, draining]) {
    const matching = candidates.filter((slot) => slot.state === one.state && slot.host === "connected");
    if (matching.length > 0) return [one.reason(queue, matching, candidates)];
  }
  const cause = candidates.find((slot) => slot.reason !== null)?.reason ?? null;
  return [
    because(
      "agents.down",
      `${namesOf(candidates)} cannot work at the moment${cause === null ? "" : `: ${cause.message}`}`,
      { queue, slots: slotsOf(candidates) },
      cause?.fix ?? `miyabi restart ${candidates[0]?.slot ?? ""}`,
    ),
    ...(cause === null ? [] : [cause]),
  ];
}

interface Situation {
  readonly state: SlotFact["state"];
  readonly reason: (queue: string, matching: readonly SlotFact[], all: readonly SlotFact[]) => Reason;
}

const busy: Situation = {
  state: "busy",
  reason: (queue, matching) => {
    const doing = matching
      .map((slot) => `${slot.name}${slot.taskId === null ? "" : ` (${slot.taskId})`}`)
      .join(", ");
    return because("agents.busy", `All agents that take "${queue}" are at work: ${doing}.`, {
      queue,
      slots: slotsOf(matching),
      tasks: matching.flatMap((slot) => (slot.taskId === null ? [] : [slot.taskId])),
    });
  },
};

const starting: Situation = {
  state: "starting",
  reason: (queue, matching) =>
    because("agents.starting", `${namesOf(matching)} is starting.`, { queue, slots: slotsOf(matching) }),
};

const parked: Situation = {
  state: "parked",
  reason: (queue, matching) =>
    because(
      "agents.parked",
      `${namesOf(matching)} waits${matching[0]?.reason ? `: ${matching[0].reason.message}` : " for its provider's limit"}`,
      { queue, slots: slotsOf(matching) },
    ),
};

const takenOver: Situation = {
  state: "taken-over",
  reason: (queue, matching) => {
    const taskId = matching[0]?.taskId ?? null;
    return because(
      "agents.taken_over",
      `A person works in the terminal of ${namesOf(matching)}.`,
      { queue, slots: slotsOf(matching) },
      taskId === null ? null : `miyabi handback ${taskId}`,
    );
  },
};

const draining: Situation = {
  state: "draining",
  reason: (queue, matching) =>
    because(
      "agents.draining",
      `${namesOf(matching)} takes no new work, because a person asked for that.`,
      { queue, slots: slotsOf(matching) },
      `miyabi restart ${matching[0]?.slot ?? ""}`,
    ),
};

const namesOf = (slots: readonly SlotFact[]): string => slots.map((slot) => slot.name).join(", ");
const slotsOf = (slots: readonly SlotFact[]): string[] => slots.map((slot) => slot.slot);
