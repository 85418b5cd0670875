import { expect, test } from "vitest";
import { composeFollowUp } from "./prompts.ts";

const followUp = (details: string): string =>
  composeFollowUp({
    role: "code",
    step: "implement",
    isReview: false,
    taskId: "T1",
    title: "A title",
    body: "A body",
    labels: [],
    round: 2,
    attempt: 4,
    cause: { reason: "changes-requested", details, target: null, again: null },
    targetBranch: "main",
    base: "0".repeat(40),
    commit: null,
    nonce: "q7Lw2Zr9",
  });

test("an agent that gets threads of a review is told how to answer them; one that gets none is not", () => {
  expect(followUp("[thread 3] menu.txt:1\nhanako: In yen.")).toContain("`Thread N: not done: …`");
  expect(followUp("hanako asks for changes:\nIn yen.")).not.toContain("Thread N");
});
