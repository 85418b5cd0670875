import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { explanation, TASK_STATES, type Explanation } from "../contract/index.ts";
import { ADVICE } from "./advice.ts";
import type { ExplainFacts, RunFact, SlotFact } from "./explain-facts.ts";
import { explain } from "./explain.ts";
import { because } from "./reasons.ts";

const NOW = new Date("2026-01-01T12:00:00Z");
const QUEUED: RunFact = {
  id: "R7",
  step: "implement",
  state: "queued",
  queue: "code",
  slot: null,
  queuedAt: new Date("2026-01-01T11:50:00Z"),
  startedAt: null,
  machine: null,
};
const HELD: RunFact = {
  ...QUEUED,
  state: "running",
  slot: "kaede",
  startedAt: new Date("2026-01-01T11:55:00Z"),
  machine: null,
};
const KAEDE: SlotFact = {
  slot: "kaede",
  name: "Kaede",
  takes: ["code"],
  state: "idle",
  host: "connected",
  taskId: null,
  reason: null,
};

type Parts = Partial<Omit<ExplainFacts, "task">> & { readonly task?: Partial<ExplainFacts["task"]> };

function factsOf({ task, ...parts }: Parts): ExplainFacts {
  return {
    now: NOW,
    dependencies: [],
    activeRun: null,
    lastError: null,
    queuePosition: null,
    mergesAhead: [],
    openQuestion: null,
    slots: [KAEDE],
    cannotRun: null,
    ...parts,
    task: {
      id: "T5",
      state: "ready",
      waitsFor: null,
      reason: null,
      wakeAt: null,
      deadlineAt: new Date("2026-01-02T12:00:00Z"),
      deadlineFrom: null,
      currentStep: "implement",
      takenOver: false,
      mergeCommit: null,
      targetBranch: "main",
      branch: "miyabi/T5-title",
      hasWork: true,
      finishedAt: null,
      ...task,
    },
  };
}

const ready = (slots: readonly SlotFact[], parts: Parts = {}): Explanation =>
  explain(factsOf({ activeRun: QUEUED, queuePosition: 1, slots, ...parts }));
const codes = (answer: Explanation): string[] => answer.reasons.map(({ code }) => code);

test("every state has a sentence and the form of the contract, even with nothing else known", () => {
  for (const state of TASK_STATES) {
    const answer = explain(factsOf({ task: { state }, slots: [] }));
    expect(explanation.parse(answer), state).toEqual(answer);
    expect(answer.summary, state).toMatch(/^[A-Z].+[.?]$/);
    expect(answer.summary, state).toBe(answer.reasons[0]?.message);
  }
});

test("a blocked task names the end of the chain that it waits for, with the path", () => {
  const answer = explain(
    factsOf({
      task: { state: "blocked", reason: because("dependency.not_merged", "It starts when T3 is merged.") },
      dependencies: [
        {
          id: "T3",
          title: "Three",
          state: "blocked",
          path: ["T3", "T1"],
          root: { state: "running", reason: because("merge.running", "It is being merged.") },
        },
      ],
    }),
  );
  expect(answer.summary).toBe(
    "It starts when T3 is merged; now T1 (T3 → T1) is running. It is being merged.",
  );
  expect(answer.reasons[0]?.params).toMatchObject({ path: ["T3", "T1"] });
  expect(answer.next).toContain("miyabi task explain T1");
});

test("a dependency that ended without a merge decides before one that only takes time", () => {
  const answer = explain(
    factsOf({
      task: {
        state: "blocked",
        reason: because("dependency.not_merged", "It starts when T1, T2 are merged."),
      },
      dependencies: [
        { id: "T1", title: "", state: "running", path: ["T1"], root: { state: "running", reason: null } },
        {
          id: "T2",
          title: "",
          state: "blocked",
          path: ["T2", "T9"],
          root: { state: "failed", reason: null },
        },
      ],
    }),
  );
  expect(answer.summary).toBe("It depends on T9 (T2 → T9), which failed.");
  expect(answer.next.slice(0, 2)).toEqual(["miyabi task retry T9", "miyabi task cancel T5"]);
});

test("a direct dependency is said in the task's own words", () => {
  const answer = explain(
    factsOf({
      task: { state: "blocked", reason: because("dependency.not_merged", "It starts when T1 is merged.") },
      dependencies: [
        { id: "T1", title: "", state: "ready", path: ["T1"], root: { state: "ready", reason: null } },
      ],
    }),
  );
  expect(answer.summary).toBe("It starts when T1 is merged.");
});

test.each([
  ["a free agent", [KAEDE], "queue.starting", /Kaede is free/],
  ["busy agents", [{ ...KAEDE, state: "busy" as const, taskId: "T2" }], "agents.busy", /Kaede \(T2\)/],
  ["an agent that starts", [{ ...KAEDE, state: "starting" as const }], "agents.starting", /starting/],
  ["a parked agent", [{ ...KAEDE, state: "parked" as const }], "agents.parked", /provider's limit/],
  [
    "a taken-over agent",
    [{ ...KAEDE, state: "taken-over" as const, taskId: "T2" }],
    "agents.taken_over",
    /person/,
  ],
  ["a draining agent", [{ ...KAEDE, state: "draining" as const }], "agents.draining", /no new work/],
  [
    "an agent that is down",
    [{ ...KAEDE, state: "down" as const, host: "gone" as const }],
    "agents.down",
    /Kaede/,
  ],
  ["an idle agent that is silent", [{ ...KAEDE, host: "silent" as const }], "agents.down", /Kaede/],
  ["no agent for the queue", [{ ...KAEDE, takes: ["review"] }], "queue.nobody", /No agent.*"code"/],
  ["no team at all", [], "queue.nobody", /No agent/],
] as const)("a ready task says what its agents do: %s", (_name, slots, code, sentence) => {
  const answer = ready(slots);
  expect(codes(answer)[0]).toBe(code);
  expect(answer.summary).toMatch(sentence);
  expect(answer.next.length).toBeGreaterThan(0);
});

test("among several agents, the one who will be free soonest decides", () => {
  const busy: SlotFact = { ...KAEDE, slot: "kaede-2", name: "Kaede 2", state: "busy", taskId: "T2" };
  expect(codes(ready([{ ...KAEDE, state: "down", host: "gone" }, busy]))[0]).toBe("agents.busy");
  expect(
    codes(
      ready([
        { ...KAEDE, state: "draining" },
        { ...KAEDE, state: "parked" },
      ]),
    )[0],
  ).toBe("agents.parked");
});

test("an agent that is down says why, with its fix", () => {
  const reason = because("tool.missing", "git was not found.", {}, "apt-get install git");
  const answer = ready([{ ...KAEDE, state: "down", host: "gone", reason }]);
  expect(answer.summary).toContain("git was not found");
  expect(answer.next[0]).toBe("apt-get install git");
});

test("a missing sandbox decides before everything else, whoever is free", () => {
  const cannotRun = because("sandbox.missing", "bubblewrap was not found.", {}, "apt-get install bubblewrap");
  const answer = ready([KAEDE], { cannotRun });
  expect(codes(answer)).toEqual(["sandbox.missing"]);
  expect(answer.next).toEqual(["apt-get install bubblewrap", "miyabi doctor"]);
});

test("place in the queue and an inherited deadline are told", () => {
  const answer = ready([{ ...KAEDE, state: "busy", taskId: "T2" }], {
    queuePosition: 4,
    task: { deadlineFrom: "T8" },
  });
  expect(answer).toMatchObject({ queuePosition: 4, deadlineFrom: "T8" });
  expect(codes(answer)).toEqual(["agents.busy", "queue.ahead", "order.inherited"]);
});

test("a task in the merge queue names those before it", () => {
  const reason = because("merge.queued", "It is in the merge queue of its repository.");
  expect(explain(factsOf({ task: { reason }, mergesAhead: ["T1", "T2"] })).summary).toBe(
    "It is merged after T1, T2.",
  );
  expect(explain(factsOf({ task: { reason } })).summary).toBe(reason.message);
});

test("a running task says who works on what and for how long, or that its host is away", () => {
  const slots: SlotFact[] = [{ ...KAEDE, state: "busy", taskId: "T5" }];
  const running = { task: { state: "running" as const }, activeRun: HELD };
  expect(explain(factsOf({ ...running, slots })).summary).toBe(
    "Kaede works on step implement, for 5 min so far.",
  );
  expect(codes(explain(factsOf({ ...running, activeRun: { ...HELD, state: "leased" }, slots })))).toEqual([
    "run.preparing",
  ]);
  for (const [host, code] of [
    ["silent", "host.silent"],
    ["gone", "host.disconnected"],
  ] as const) {
    const answer = explain(factsOf({ ...running, slots: [{ ...KAEDE, host }] }));
    expect(codes(answer)).toEqual([code]);
    expect(answer.next).toContain("miyabi restart kaede");
  }
  const asks = explain(factsOf({ ...running, slots, openQuestion: { id: "Q3", text: "Which colour?" } }));
  expect(asks.reasons[1]?.message).toBe("Its agent asks: Which colour?");
  expect(asks.next).toContain('miyabi ask answer Q3 "…"');
});

test("a wait for time says how long and what happened last", () => {
  const answer = explain(
    factsOf({
      task: {
        state: "waiting",
        waitsFor: "quota",
        reason: because("quota.until", "It is tried again by itself: The limit is used up."),
        wakeAt: new Date("2026-01-01T12:05:00Z"),
      },
      activeRun: QUEUED,
      lastError: because("agent.quota", "The limit is used up."),
    }),
  );
  expect(codes(answer)).toEqual(["quota.until", "wait.time", "agent.quota"]);
  expect(answer.reasons[1]?.message).toBe("The next try is due in 300 s.");
  expect(answer.next).toContain("miyabi task retry T5");
});

test("a wait for a person gives the command that ends it", () => {
  const waiting = (parts: Partial<ExplainFacts["task"]>) =>
    explain(factsOf({ task: { state: "waiting", waitsFor: "person", ...parts } }));
  const approval = because("approval.open", "Approve this change?", {}, "miyabi task approve T5");
  expect(waiting({ waitsFor: "approval", reason: approval }).next[0]).toBe("miyabi task approve T5");
  const takeover = because(
    "person.takeover",
    "A person works in the agent's terminal.",
    {},
    "miyabi handback T5",
  );
  expect(waiting({ takenOver: true, reason: takeover })).toMatchObject({
    summary: takeover.message,
    next: ["miyabi handback T5"],
  });
  expect(
    waiting({ takenOver: true, reason: because("agent.blocked", "It cannot go on.") }).reasons[0]?.code,
  ).toBe("person.takeover");
  expect(waiting({ reason: because("agent.blocked", "It cannot go on.") }).next).toContain(
    "miyabi takeover T5",
  );
});

test("a delivered task gives the exact command that makes room for it", () => {
  const command = "git -C '/srv/日本 project' stash";
  const answer = explain(
    factsOf({
      task: {
        state: "delivered",
        waitsFor: "person",
        reason: because("target.changes", "Changes in menu.txt.", {}, command),
      },
    }),
  );
  expect(answer.summary).toBe("Changes in menu.txt.");
  expect(answer.next[0]).toBe(command);
  expect(codes(answer)).toEqual(["target.changes", "task.delivered"]);
});

test("a failed task gives its cause, what came before it, where the work is, and how to go on", () => {
  const answer = explain(
    factsOf({
      task: {
        state: "failed",
        reason: because("run.lost_too_often", "The run was lost 21 times.", {}, "miyabi task retry T5"),
      },
      lastError: because("host.died", "The agent host ended in the middle of the run."),
    }),
  );
  expect(codes(answer)).toEqual(["run.lost_too_often", "host.died", "work.kept", "task.retry_possible"]);
  expect(answer.next[0]).toBe("miyabi task retry T5");
});

test("a cancelled task says by whom; a merged one, as which commit", () => {
  const cancelled = because("person.cancelled", "Cancelled by mika: not needed.", {}, "miyabi task retry T5");
  expect(explain(factsOf({ task: { state: "cancelled", reason: cancelled } }))).toMatchObject({
    summary: cancelled.message,
    next: ["miyabi task retry T5"],
  });
  expect(explain(factsOf({ task: { state: "done", mergeCommit: "0123456789abcdef" } })).summary).toBe(
    "It is done: merged into main as 0123456789.",
  );
});

test("there is advice for every reason that the sources give", async () => {
  const root = path.join(import.meta.dirname, "..");
  const files = (await readdir(root, { recursive: true })).filter(
    (file) => file.endsWith(".ts") && !file.endsWith(".test.ts"),
  );
  const unknown: string[] = [];
  for (const file of files) {
    const text = await readFile(path.join(root, file), "utf8");
    for (const [, code = ""] of text.matchAll(/\bbecause\(\s*"([a-z]+\.[a-z_]+)"/g))
      if (ADVICE[code] === undefined && !code.startsWith("order.")) unknown.push(`${file}: ${code}`);
  }
  expect(files.length).toBeGreaterThan(100);
  expect(unknown).toEqual([]);
});
