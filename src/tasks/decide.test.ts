import { expect, test } from "vitest";
import { because } from "./reasons.ts";
import { NOW, successOf, tellStory, type TaskStory } from "./decide-fixture.ts";
import { workflow } from "./workflow.ts";

const stateOf = (story: TaskStory): string => {
  const { state, currentStep, waitsFor } = story.now().task;
  return [state, currentStep, waitsFor].filter((part) => part !== null).join(" ");
};
const steps = (story: TaskStory): string[] => story.now().steps.map((step) => step.state);
const refused = expect.objectContaining({ code: "conflict.state" });

function merge(story: TaskStory, commit = "m1"): void {
  story.happen({ type: "merge-started" });
  story.happen({ type: "merge-candidate", base: "b1", commit, tree: "t1", needsCheck: true });
  story.end({});
  story.happen({ type: "merge-publishing", commit });
  story.happen({ type: "merged", commit });
}

test("a task goes from implement over check and review to its merge", () => {
  const story = tellStory();
  expect(story.happen({ type: "admit" }).newRun).toMatchObject({
    queue: "code",
    cause: { reason: "implement" },
    delayMs: 0,
  });
  expect(stateOf(story)).toBe("ready implement");
  story.lease();
  expect(stateOf(story)).toBe("running implement");
  expect(story.end(successOf("implement")).newRun).toMatchObject({ queue: "check", commit: "c1" });
  expect(story.end({}).newRun).toMatchObject({ queue: "review", commit: "c1", cause: { reason: "review" } });
  expect(story.end({ verdict: "approve" }).effects).toContainEqual({ type: "merge-queue" });
  expect(stateOf(story)).toBe("ready merge");
  story.happen({ type: "merge-started" });
  expect(
    story.happen({ type: "merge-candidate", base: "b1", commit: "m1", tree: "t1", needsCheck: true }).newRun,
  ).toMatchObject({ queue: "check", commit: "m1" });
  expect(story.end({}).effects).toEqual([{ type: "merge-queue" }]);
  story.happen({ type: "merge-publishing", commit: "m1" });
  const merged = story.happen({ type: "merged", commit: "m1" });
  expect(merged.effects).toEqual([{ type: "dependents" }]);
  expect(merged.events.map((event) => event.type)).toEqual(["task.merged", "step.changed", "task.changed"]);
  expect(story.now().task).toMatchObject({ state: "done", mergeCommit: "m1", round: 1, attempt: 4 });
  expect(steps(story)).toEqual(["passed", "passed", "passed", "passed"]);
});

test("a task whose dependencies are open is blocked and says by what, or that one of them ended", () => {
  const open = tellStory({ openDependencies: [{ id: "T7", state: "running" }] });
  open.happen({ type: "admit" });
  expect(open.now().task).toMatchObject({ state: "blocked", reason: { code: "dependency.not_merged" } });
  const stuck = tellStory({ openDependencies: [{ id: "T7", state: "failed" }] });
  stuck.happen({ type: "admit" });
  expect(stuck.now().task.reason).toMatchObject({ code: "dependency.stuck", fix: "miyabi task retry T7" });
});

test("a failed check sends the task back with its log; everything from there is done again", () => {
  const story = tellStory();
  story.reach("check");
  const back = story.end({ outcome: "failed", code: "check.failed", message: "exit 1", log: "1 ≠ 2" });
  expect(back.newRun).toMatchObject({ queue: "code", cause: { reason: "check-failed", details: "1 ≠ 2" } });
  expect(steps(story)).toEqual(["running", "returned", "pending", "pending"]);
  expect(story.now().task.round).toBe(2);
  story.end(successOf("implement", "c2"));
  expect(steps(story)).toEqual(["passed", "running", "pending", "pending"]);
  expect(story.now().activeRun?.commit).toBe("c2");
});

test.each(["disk.full", "agent.unavailable", "sandbox.unavailable"])(
  "a run that lacks what the machine should have (%s) is tried again, however often",
  (code) => {
    const story = tellStory();
    story.happen({ type: "admit" });
    for (let time = 1; time <= 10; time += 1) {
      story.end({ outcome: "failed", code, message: "It is not there." });
      expect(stateOf(story)).toBe("waiting implement retry");
    }
  },
);

test("a check that fails in every round waits for a person", () => {
  const story = tellStory();
  story.reach("check");
  for (let round = 1; round < 5; round += 1) {
    story.end({ outcome: "failed", code: "check.failed", log: "no" });
    story.end(successOf("implement", `c${round}`));
  }
  story.end({ outcome: "failed", code: "check.failed", log: "no" });
  expect(stateOf(story)).toBe("waiting check person");
  expect(story.now().task.reason?.code).toBe("check.rounds_used_up");
});

function reviewUntilPerson(): TaskStory {
  const story = tellStory();
  story.reach("review");
  for (let round = 1; round <= 2; round += 1) {
    expect(story.end({ verdict: "changes", notes: `note ${round}` }).newRun?.cause).toMatchObject({
      reason: "changes-requested",
      details: `note ${round}`,
    });
    story.reach("review");
  }
  const last = story.end({ verdict: "changes", notes: "still wrong" });
  expect(last.newRun).toBeNull();
  expect(last.effects).toMatchObject([{ type: "ask-approval" }]);
  expect(stateOf(story)).toBe("waiting review person");
  return story;
}

test("after three reviews that ask for changes a person decides, and may approve the change as it is", () => {
  const story = reviewUntilPerson();
  expect(story.happen({ type: "approve", approve: true, note: "", by: "mari" }).effects).toContainEqual({
    type: "close-approval",
  });
  expect(stateOf(story)).toBe("ready merge");
});

test("a person's rejection goes back with their words", () => {
  const story = reviewUntilPerson();
  const rejected = story.happen({ type: "approve", approve: false, note: "use a map", by: "mari" });
  expect(rejected.newRun?.cause).toMatchObject({ reason: "rejected", details: "use a map" });
  expect(stateOf(story)).toBe("ready implement");
});

test("a conflict goes back to the same role with the target's commit, and the task is rebased from there", () => {
  const story = tellStory();
  story.reach("merge");
  story.happen({ type: "merge-started" });
  const conflict = story.happen({ type: "merge-conflict", base: "b2", files: ["a.ts", "b.ts"] });
  expect(conflict.newRun).toMatchObject({
    queue: "code",
    cause: { reason: "conflict", details: "a.ts\nb.ts", target: "b2" },
  });
  expect(story.now().task.baseCommit).toBe("b2");
  story.reach("merge");
  merge(story);
  expect(stateOf(story)).toBe("done merge");
});

test("a check that fails on the merged result goes back with the target's commit", () => {
  const story = tellStory();
  story.reach("merge");
  story.happen({ type: "merge-started" });
  story.happen({ type: "merge-candidate", base: "b3", commit: "m1", tree: "t", needsCheck: true });
  const back = story.end({ outcome: "failed", code: "check.failed", log: "broken together" });
  expect(back.newRun?.cause).toMatchObject({ reason: "check-failed", target: "b3" });
  expect(back.newRun?.cause.details).toContain("broken together");
});

test("a lost run is tried again at once with the same cause, later with pauses, and not for ever", () => {
  const story = tellStory();
  story.happen({ type: "admit" });
  const lose = () => {
    story.lease();
    return story.happen({ type: "lost", error: because("lease.expired", "It was silent.") });
  };
  for (let loss = 1; loss <= 10; loss += 1)
    expect(lose().newRun).toMatchObject({
      delayMs: 0,
      cause: { reason: "implement", again: "It was silent." },
    });
  expect(stateOf(story)).toBe("ready implement");
  expect(lose().newRun?.delayMs).toBeGreaterThan(0);
  expect(stateOf(story)).toBe("waiting implement retry");
  for (let loss = 12; loss <= 20; loss += 1) lose();
  lose();
  expect(stateOf(story)).toBe("failed implement");
  expect(story.now().task.reason?.code).toBe("run.lost_too_often");
});

test("a task that waits for its next try runs when that is leased", () => {
  const story = tellStory();
  story.happen({ type: "admit" });
  story.end({ outcome: "failed", code: "agent.exited", message: "exit 1" });
  expect(stateOf(story)).toBe("waiting implement retry");
  expect(story.now().task.wakeAt?.getTime()).toBeGreaterThan(NOW.getTime());
  story.lease();
  expect(story.now().task).toMatchObject({ state: "running", waitsFor: null, wakeAt: null, reason: null });
});

test("a run that keeps failing ends the task when its retries are used up; a retry starts it with fresh counters", () => {
  const story = tellStory();
  story.happen({ type: "admit" });
  for (let failure = 0; failure < 5; failure += 1)
    story.end({ outcome: "failed", code: "agent.exited", message: "exit 1" });
  expect(stateOf(story)).toBe("failed implement");
  expect(steps(story)[0]).toBe("failed");
  expect(story.now().task.reason).toMatchObject({ code: "agent.exited", fix: "miyabi task retry T1" });
  const retried = story.happen({ type: "retry", by: "mari" });
  expect(retried.effects).toEqual(expect.arrayContaining([{ type: "dependents" }, { type: "deadlines" }]));
  expect(stateOf(story)).toBe("ready implement");
  expect(story.now().steps[0]).toMatchObject({ state: "running", failures: 0, losses: 0 });
});

test("a retry says again what was to be mended", () => {
  const story = tellStory();
  story.reach("merge");
  story.happen({ type: "merge-started" });
  story.happen({ type: "merge-conflict", base: "b2", files: ["a.ts"] });
  for (let failure = 0; failure < 5; failure += 1) story.end({ outcome: "failed", message: "no" });
  expect(stateOf(story)).toBe("failed implement");
  expect(story.happen({ type: "retry", by: "mari" }).newRun?.cause).toMatchObject({
    reason: "conflict",
    target: "b2",
    details: "a.ts",
  });
});

test("a retry brings a delayed try forward, with its cause and its commit", () => {
  const story = tellStory();
  story.reach("review");
  story.end({ outcome: "failed", message: "no" });
  expect(stateOf(story)).toBe("waiting review retry");
  const retried = story.happen({ type: "retry", by: "mari" });
  expect(retried.endRun?.state).toBe("cancelled");
  expect(retried.newRun).toMatchObject({
    queue: "review",
    commit: "c1",
    delayMs: 0,
    cause: { reason: "review" },
  });
  expect(stateOf(story)).toBe("ready review");
});

test.each([
  ["no verdict", { verdict: null }, "agent.no_verdict"],
  ["a verdict of another step", { verdict: "approve" }, "agent.bad_verdict"],
])("an agent that ends with %s has failed and is tried again", (_name, result, code) => {
  const story = tellStory();
  story.happen({ type: "admit" });
  expect(story.end(result).endRun).toMatchObject({ state: "failed", error: { code } });
  expect(stateOf(story)).toBe("waiting implement retry");
});

test("an agent that is blocked, or that changed nothing, leaves the task to a person", () => {
  const blocked = tellStory();
  blocked.happen({ type: "admit" });
  blocked.end({ verdict: "blocked", notes: "Which database?" });
  expect(blocked.now().task).toMatchObject({ state: "waiting", reason: { message: "Which database?" } });
  blocked.happen({ type: "retry", by: "mari" });
  expect(stateOf(blocked)).toBe("ready implement");
  const idle = tellStory();
  idle.happen({ type: "admit" });
  idle.end({ verdict: "done" });
  expect(idle.now().task).toMatchObject({ state: "waiting", reason: { code: "agent.no_changes" } });
});

test("a provider's limit parks the task until the stated reset and counts as no failure", () => {
  const story = tellStory();
  story.happen({ type: "admit" });
  const reset = new Date(NOW.getTime() + 3_600_000);
  for (let times = 0; times < 10; times += 1)
    story.end({ outcome: "quota", message: "Limit reached.", quotaResetAt: reset });
  expect(stateOf(story)).toBe("waiting implement quota");
  expect(story.now().task.wakeAt).toEqual(reset);
  expect(story.now().steps[0]?.failures).toBe(0);
});

test("a cancel ends run and step; the task can be tried again where it stopped", () => {
  const story = tellStory();
  story.reach("check");
  const decision = story.happen({ type: "cancel", by: "mari", note: "not needed" });
  expect(decision.endRun?.state).toBe("cancelled");
  expect(decision.effects.map((effect) => effect.type)).toEqual([
    "close-approval",
    "deadlines",
    "dependents",
  ]);
  expect(stateOf(story)).toBe("cancelled check");
  expect(steps(story)).toEqual(["passed", "cancelled", "pending", "pending"]);
  expect(() => story.happen({ type: "cancel", by: "mari", note: "" })).toThrow(refused);
  expect(story.happen({ type: "retry", by: "mari" }).newRun).toMatchObject({ queue: "check", commit: "c1" });
});

test("a task that was cancelled before it started starts, or is blocked again, when it is tried again", () => {
  const free = tellStory();
  free.happen({ type: "cancel", by: "mari", note: "" });
  expect(free.happen({ type: "retry", by: "mari" }).newRun).toMatchObject({ queue: "code" });
  expect(stateOf(free)).toBe("ready implement");
  const held = tellStory({ openDependencies: [{ id: "T7", state: "ready" }] });
  held.happen({ type: "admit" });
  held.happen({ type: "cancel", by: "mari", note: "" });
  held.happen({ type: "retry", by: "mari" });
  expect(stateOf(held)).toBe("blocked");
});

test("neither cancel nor retry is possible from the moment that the target branch may move until it is known", () => {
  const story = tellStory();
  story.reach("merge");
  story.happen({ type: "merge-started" });
  story.happen({ type: "merge-candidate", base: "b", commit: "m1", tree: "t", needsCheck: false });
  story.happen({ type: "merge-held", reason: because("target.changes", "The tree has changes.") });
  expect(stateOf(story)).toBe("delivered merge person");
  story.happen({ type: "merge-publishing", commit: "m1" });
  expect(() => story.happen({ type: "cancel", by: "mari", note: "" })).toThrow(refused);
  expect(() => story.happen({ type: "retry", by: "mari" })).toThrow(refused);
  story.happen({ type: "merge-held", reason: because("target.changes", "The tree has changes.") });
  story.happen({ type: "cancel", by: "mari", note: "" });
  expect(stateOf(story)).toBe("cancelled merge");
});

test("what the merge queue says too late changes nothing", () => {
  const story = tellStory();
  story.reach("merge");
  story.happen({ type: "merge-started" });
  story.happen({ type: "merge-candidate", base: "b", commit: "m1", tree: "t", needsCheck: true });
  const busy = { type: "merge-candidate", base: "b", commit: "m2", tree: "t", needsCheck: true } as const;
  expect(() => story.happen(busy)).toThrow(refused);
  story.end({});
  expect(() => story.happen({ type: "merge-publishing", commit: "m2" })).toThrow(refused);
  story.happen({ type: "cancel", by: "mari", note: "" });
  expect(() => story.happen({ type: "merge-publishing", commit: "m1" })).toThrow(refused);
  story.happen({ type: "retry", by: "mari" });
  expect(() => story.happen({ type: "merge-publishing", commit: "m1" })).toThrow(refused);
  merge(story, "m3");
  expect(() => story.happen({ type: "merged", commit: "m3" })).toThrow(refused);
});

test("a held merge keeps its candidate", () => {
  const story = tellStory();
  story.reach("merge");
  story.happen({ type: "merge-started" });
  story.happen({ type: "merge-candidate", base: "b", commit: "m1", tree: "t", needsCheck: false });
  story.happen({ type: "merge-publishing", commit: "m1" });
  story.happen({ type: "merge-held", reason: because("target.changes", "The tree has changes.") });
  expect(story.now().steps[3]?.data).toMatchObject({ candidate: "m1", checked: "m1", publishing: false });
  story.happen({ type: "merge-publishing", commit: "m1" });
  story.happen({ type: "merged", commit: "m1" });
  expect(stateOf(story)).toBe("done merge");
});

test("a taken-over task waits for its person and goes on where they hand it back", () => {
  const story = tellStory();
  story.happen({ type: "admit" });
  expect(() => story.happen({ type: "taken-over" })).toThrow(refused);
  story.lease();
  story.happen({ type: "taken-over" });
  expect(stateOf(story)).toBe("waiting implement person");
  expect(() => story.happen({ type: "retry", by: "mari" })).toThrow(refused);
  story.happen({ type: "handed-back" });
  expect(stateOf(story)).toBe("running implement");
  story.happen({ type: "taken-over" });
  story.happen({ type: "lost", error: because("host.died", "Its host ended.") });
  expect(story.now().task).toMatchObject({ state: "ready", takenOver: false });
  expect(story.happen({ type: "handed-back" }).task).toEqual({});
});

test("an approval step asks; a rejection without a way back cancels", () => {
  const flow = workflow.parse({
    version: 1,
    steps: [
      { name: "ask", kind: "approval", text: "Begin?" },
      { name: "implement", kind: "agent", role: "code" },
    ],
  });
  const story = tellStory({ workflow: flow });
  expect(story.happen({ type: "admit" }).effects).toEqual([{ type: "ask-approval", text: "Begin?" }]);
  expect(stateOf(story)).toBe("waiting ask approval");
  story.happen({ type: "approve", approve: false, note: "no", by: "mari" });
  expect(stateOf(story)).toBe("cancelled ask");
  expect(story.happen({ type: "retry", by: "mari" }).effects.at(-1)).toMatchObject({ type: "ask-approval" });
  story.happen({ type: "approve", approve: true, note: "", by: "mari" });
  expect(stateOf(story)).toBe("ready implement");
  expect(() => story.happen({ type: "approve", approve: true, note: "", by: "mari" })).toThrow(refused);
});

test("one decision tells of one change of the task, and only where there was one", () => {
  const story = tellStory();
  story.reach("merge");
  story.happen({ type: "cancel", by: "mari", note: "" });
  const changes = story
    .happen({ type: "retry", by: "mari" })
    .events.filter(({ type }) => type === "task.changed");
  expect(changes).toMatchObject([{ data: { from: "cancelled", to: "ready" } }]);
});
