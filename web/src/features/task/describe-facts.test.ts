import { expect, test } from "vitest";
import { describeFacts } from "./describe-facts.ts";

const WORDS: Readonly<Record<string, string>> = {
  "state.task.running": "Running",
  "state.task.waiting": "Waiting",
  "step.check": "Check",
  "history.fact.step": "step",
  "history.cause.check-failed": "a failed check",
  "history.fact.cause": "cause",
};
const words = {
  word: (key: string, otherwise: string) => WORDS[key] ?? otherwise,
  say: ({ message }: { readonly message: string }) => message,
  separator: ", ",
};

test("a change of state stands in words, with its reason as a sentence", () => {
  const reason = { code: "retry.until", message: "Tries again in 2 s.", params: {} };
  expect(
    describeFacts({ type: "task.changed", data: { from: "running", to: "waiting", reason } }, words),
  ).toBe("Running → Waiting, Tries again in 2 s.");
});

test("fields and values that have words are said in them", () => {
  expect(describeFacts({ type: "run.queued", data: { step: "check", cause: "check-failed" } }, words)).toBe(
    "step: Check, cause: a failed check",
  );
});

test("what has no word stands as it was recorded, what is empty is left out", () => {
  expect(
    describeFacts(
      { type: "task.changed", data: { own: 3, dependsOn: ["T1", "T2"], none: null, list: [] } },
      words,
    ),
  ).toBe("own: 3, dependsOn: T1, T2");
});

test("a long line is cut", () => {
  const line = describeFacts({ type: "task.created", data: { title: "x".repeat(500) } }, words);
  expect(line).toHaveLength(201);
});
