import { expect, test } from "vitest";
import { answersIn, withAnswers, withoutAnswers } from "./answers.ts";

test("what an agent says of threads is found again in its notes, and the last word on one counts", () => {
  const notes = withAnswers("Prices are in yen.", [
    { thread: 1, done: true, text: "renamed\n it" },
    { thread: 2, done: false, text: "the name is public" },
  ]);
  expect([...answersIn(notes).values()]).toEqual([
    { thread: 1, done: true, text: "renamed it" },
    { thread: 2, done: false, text: "the name is public" },
  ]);
  expect(withoutAnswers(notes)).toBe("Prices are in yen.");
  expect(answersIn("- thread 4: Not done — no\n* Thread 4: done")).toEqual(
    new Map([[4, { thread: 4, done: true, text: "" }]]),
  );
  expect(answersIn("the thread 1: done of it").size).toBe(0);
});
