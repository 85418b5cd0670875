import { expect, test } from "vitest";
import { successOf, tellStory, type TaskStory } from "./decide-fixture.ts";
import { because } from "./reasons.ts";
import { defaultWorkflow } from "./workflow.ts";

const WORKFLOW = defaultWorkflow({
  check: ["npm test"],
  prepare: null,
  pullRequest: { policy: "when-approved", squash: true },
});
const refused = expect.objectContaining({ code: "conflict.state" });

const stateOf = (story: TaskStory): string => {
  const { state, currentStep, waitsFor } = story.now().task;
  return [state, currentStep, waitsFor].filter((part) => part !== null).join(" ");
};

function delivered(to: "ci" | "merge"): TaskStory {
  const story = tellStory({ workflow: WORKFLOW });
  story.reach("pull-request");
  story.happen({ type: "pull-request-opened", number: 7, url: "https://example.org/pull/7", commit: "c1" });
  if (to === "merge") story.happen({ type: "ci-finished", commit: "c1", outcome: "passed", log: "" });
  return story;
}

/** From a step that was sent back to `implement` to the pull request of the next commit. */
function mend(story: TaskStory, commit: string): void {
  story.end(successOf("implement", commit));
  story.end({});
  story.end({ verdict: "approve" });
  story.happen({ type: "pull-request-opened", number: 7, url: "https://example.org/pull/7", commit });
}

test("a hosted task goes over its pull request and its checks to a merge that only the policy lets through", () => {
  const story = tellStory({ workflow: WORKFLOW });
  story.reach("review");
  expect(story.end({ verdict: "approve" }).effects).toEqual([{ type: "outbox", kind: "pull-request" }]);
  expect(stateOf(story)).toBe("running pull-request");
  story.happen({ type: "pull-request-opened", number: 7, url: "https://example.org/pull/7", commit: "c1" });
  expect(stateOf(story)).toBe("waiting ci ci");
  story.happen({ type: "ci-finished", commit: "c1", outcome: "passed", log: "" });
  expect(stateOf(story)).toBe("delivered merge review");
  expect(story.happen({ type: "merge-allowed" }).effects).toEqual([{ type: "outbox", kind: "merge" }]);
  expect(() => story.happen({ type: "cancel", by: "Hanako", note: "" })).toThrow(refused);
  expect(story.happen({ type: "merge-allowed" }).effects).toEqual([]);
  story.happen({ type: "merged", commit: "m1" });
  expect(story.now().task).toMatchObject({ state: "done", mergeCommit: "m1" });
});

test("failing checks go back with their log, and the mended commit comes to the same pull request", () => {
  const story = delivered("ci");
  const back = story.happen({ type: "ci-finished", commit: "c1", outcome: "failed", log: "1 ≠ 2" });
  expect(back.newRun).toMatchObject({ queue: "code", cause: { reason: "ci-failed", details: "1 ≠ 2" } });
  mend(story, "c2");
  expect(stateOf(story)).toBe("waiting ci ci");
  expect(story.now().task.round).toBe(2);
});

test("what is said of an older commit is refused", () => {
  const story = delivered("ci");
  story.happen({ type: "ci-finished", commit: "c1", outcome: "failed", log: "" });
  mend(story, "c2");
  expect(() => story.happen({ type: "ci-finished", commit: "c1", outcome: "passed", log: "" })).toThrow(
    refused,
  );
});

test("a person is asked after five rounds of requested changes", () => {
  const story = delivered("merge");
  for (let round = 1; round < 5; round += 1) {
    story.happen({ type: "feedback", by: "Taro", text: `round ${round}` });
    mend(story, `c${round + 1}`);
    story.happen({ type: "ci-finished", commit: `c${round + 1}`, outcome: "passed", log: "" });
  }
  story.happen({ type: "feedback", by: "Taro", text: "again" });
  expect(stateOf(story)).toBe("waiting merge person");
  expect(story.now().task.reason).toMatchObject({
    code: "review.remote_rounds_used_up",
    fix: "miyabi takeover T1",
    params: { rounds: 5, by: "Taro" },
  });
});

test("a rebase without conflicts is checked again but not reviewed again", () => {
  const story = delivered("merge");
  const again = story.happen({ type: "rebased", base: "b2", commit: "c9", tree: "t9" });
  expect(again.newRun).toMatchObject({ queue: "check", commit: "c9" });
  expect(story.end({}).effects).toEqual([{ type: "outbox", kind: "pull-request" }]);
  expect(story.now().task).toMatchObject({ baseCommit: "b2", headCommit: "c9", headTree: "t9" });
  story.happen({ type: "pull-request-opened", number: 7, url: "https://example.org/pull/7", commit: "c9" });
  expect(stateOf(story)).toBe("waiting ci ci");
});

test("a check that fails after a rebase sends the task back, and the review is asked again then", () => {
  const story = delivered("merge");
  story.happen({ type: "rebased", base: "b2", commit: "c9", tree: "t9" });
  story.end({ outcome: "failed", code: "check.failed", message: "exit 1", log: "" });
  story.end(successOf("implement", "c10"));
  expect(story.end({}).newRun).toMatchObject({ queue: "review", commit: "c10" });
});

test("a conflict goes back to the session with the files, from the checks as from the merge", () => {
  for (const step of ["ci", "merge"] as const) {
    const story = delivered(step);
    const back = story.happen({ type: "remote-conflict", base: "b2", files: ["a.txt", "b.txt"] });
    expect(back.newRun).toMatchObject({
      queue: "code",
      cause: { reason: "conflict", details: "a.txt\nb.txt", target: "b2" },
    });
  }
});

test("a pull request that was closed, or cannot be pushed, waits for a person, whose retry opens it again", () => {
  const closed = delivered("merge");
  closed.happen({ type: "pull-request-closed", by: "Taro", branch: null });
  expect(closed.now().task).toMatchObject({
    state: "waiting",
    waitsFor: "person",
    reason: { code: "pull_request.closed" },
    currentStep: "pull-request",
  });
  expect(closed.happen({ type: "retry", by: "Hanako" }).effects).toContainEqual({
    type: "outbox",
    kind: "pull-request",
  });

  const held = tellStory({ workflow: WORKFLOW });
  held.reach("pull-request");
  held.happen({
    type: "pull-request-held",
    reason: because("branch.moved", "A person pushed to the branch."),
  });
  expect(stateOf(held)).toBe("waiting pull-request person");
  expect(held.happen({ type: "retry", by: "Hanako" }).effects).toContainEqual({
    type: "outbox",
    kind: "pull-request",
  });
});

test("a merge that was refused can be allowed again", () => {
  const story = delivered("merge");
  story.happen({ type: "merge-allowed" });
  story.happen({ type: "merge-held", reason: because("merge.refused", "A required check is missing.") });
  expect(stateOf(story)).toBe("delivered merge person");
  story.happen({ type: "merge-awaits", reason: because("merge.awaiting", "It waits for an approval.") });
  expect(stateOf(story)).toBe("delivered merge review");
  expect(story.happen({ type: "merge-allowed" }).effects).toEqual([{ type: "outbox", kind: "merge" }]);
});

test("nothing can be said of a pull request while an agent mends it", () => {
  const story = delivered("ci");
  story.happen({ type: "ci-finished", commit: "c1", outcome: "failed", log: "" });
  expect(() => story.happen({ type: "feedback", by: "Taro", text: "late" })).toThrow(refused);
  expect(() => story.happen({ type: "merge-allowed" })).toThrow(refused);
});

test("a change of protected paths waits for an approval, which is for just that change", () => {
  const story = tellStory({ workflow: WORKFLOW });
  story.reach("pull-request");
  const held = (digest: string) =>
    story.happen({
      type: "pull-request-held",
      reason: because("protected.changed", "It changes a workflow.", { paths: "a", digest }),
    });
  expect(held("d1").effects).toEqual([{ type: "ask-approval", text: "It changes a workflow." }]);
  expect(stateOf(story)).toBe("waiting pull-request approval");
  const approved = story.happen({ type: "approve", approve: true, note: "", by: "Hanako" });
  expect(approved.effects).toEqual([{ type: "close-approval" }, { type: "outbox", kind: "pull-request" }]);
  const stepData = () => story.now().steps.find(({ name }) => name === "pull-request")?.data;
  expect(stepData()).toEqual({ approved: "d1" });
  held("d2");
  const rejected = story.happen({ type: "approve", approve: false, note: "Not the workflow.", by: "Hanako" });
  expect(rejected.newRun).toMatchObject({
    queue: "code",
    cause: { reason: "rejected", details: "Not the workflow." },
  });
});

test("a branch that was deleted waits at its pull request; one that somebody moved goes on once it is back", () => {
  const deleted = delivered("ci");
  deleted.happen({ type: "pull-request-closed", by: "Taro", branch: "miyabi/1" });
  expect(stateOf(deleted)).toBe("waiting pull-request person");
  expect(deleted.now().task.reason?.code).toBe("branch.deleted");

  const moved = delivered("ci");
  moved.happen({ type: "branch-moved", to: "f00" });
  expect(moved.now().task).toMatchObject({ waitsFor: "person", reason: { code: "branch.moved" } });
  moved.happen({ type: "ci-finished", commit: "c1", outcome: "passed", log: "" });
  expect(stateOf(moved)).toBe("delivered merge review");
});

test("a pull request that a person merges ends its task, whatever that was doing", () => {
  const waiting = delivered("ci");
  waiting.happen({ type: "merged", commit: "m1" });
  expect(waiting.now().task).toMatchObject({ state: "done", mergeCommit: "m1" });

  const mending = delivered("ci");
  mending.happen({ type: "ci-finished", commit: "c1", outcome: "failed", log: "" });
  mending.lease();
  const { endRun, effects } = mending.happen({ type: "merged", commit: "m1" });
  expect(endRun).toMatchObject({ state: "cancelled", error: { code: "pull_request.merged" } });
  expect(effects).toContainEqual({ type: "dependents" });
  expect(mending.now().task).toMatchObject({ state: "done", mergeCommit: "m1" });
  expect(() => mending.happen({ type: "merged", commit: "m1" })).toThrow(refused);
});

test("a lost access is the reason while the task waits for it, and what it waited for comes back", () => {
  const reason = because("github.unauthorized", "GitHub does not accept our token.");
  for (const step of ["ci", "merge"] as const) {
    const story = delivered(step);
    const before = stateOf(story);
    story.happen({ type: "remote-away", reason });
    expect(story.now().task.reason).toEqual(reason);
    story.happen({ type: "remote-back" });
    expect(stateOf(story)).toBe(before);
  }
  const working = delivered("ci");
  working.happen({ type: "ci-finished", commit: "c1", outcome: "failed", log: "" });
  expect(() => working.happen({ type: "remote-away", reason })).toThrow(refused);
});

test("a task in GitHub's merge queue can be stopped, and is taken out of it then", () => {
  const at = "2026-03-01T00:00:00Z";
  const leave = { type: "outbox", kind: "leave-merge-queue" };
  const queued = (): TaskStory => {
    const story = delivered("merge");
    story.happen({ type: "merge-allowed" });
    story.happen({ type: "merge-enqueued", at });
    expect(stateOf(story)).toBe("delivered merge merge");
    expect(story.now().task.reason).toMatchObject({ code: "merge.in_queue", params: { at } });
    return story;
  };
  expect(queued().happen({ type: "cancel", by: "Hanako", note: "" }).effects).toContainEqual(leave);
  expect(queued().happen({ type: "feedback", by: "Taro", text: "wait" }).effects).toEqual([leave]);
  const rebased = queued().happen({ type: "rebased", base: "b2", commit: "c9", tree: "t9" });
  expect(rebased.effects).toEqual([leave]);
  // What is out already is not taken out.
  const failed = queued().happen({ type: "merge-checks-failed", log: "1 ≠ 2" });
  expect(failed.effects).toEqual([]);
  expect(failed.newRun).toMatchObject({ cause: { reason: "ci-failed", details: "1 ≠ 2" } });
  const merged = queued();
  merged.happen({ type: "merged", commit: "m1" });
  expect(merged.now().task).toMatchObject({ state: "done", mergeCommit: "m1" });
});

test("a task that left GitHub's merge queue waits for a person, whose retry leads back to it", () => {
  const story = delivered("merge");
  story.happen({ type: "merge-allowed" });
  story.happen({ type: "merge-enqueued", at: "2026-03-01T00:00:00Z" });
  story.happen({ type: "merge-dequeued", reason: because("merge.dequeued", "Taro took it out.") });
  expect(stateOf(story)).toBe("waiting merge person");
  expect(story.happen({ type: "cancel", by: "Hanako", note: "" }).effects).not.toContainEqual({
    type: "outbox",
    kind: "leave-merge-queue",
  });
  story.happen({ type: "retry", by: "Hanako" });
  expect(stateOf(story)).toBe("delivered merge review");
  expect(story.happen({ type: "merge-allowed" }).effects).toEqual([{ type: "outbox", kind: "merge" }]);
});
