import { describe, expect, test } from "vitest";
import { questionView } from "../contract/index.ts";
import { createApprovals } from "./approvals.ts";
import { setupMessages } from "./messages-fixture.ts";
import type { AskParams } from "./questions.ts";

const question: AskParams = {
  kind: "question",
  taskId: "T1",
  runId: "R1",
  asker: "kaede",
  text: "Tabs or spaces?",
  options: ["tabs", "spaces"],
  dedupeKey: null,
};

describe("questions", () => {
  test("fit the contract and are listed open, then answered", async () => {
    const { questions } = await setupMessages();
    const asked = await questions.ask(question);
    expect(questionView.parse(asked)).toMatchObject({ id: "Q1", taskTitle: "Title 1", answer: null });
    expect((await questions.list({ open: true, limit: 10 })).items).toEqual([asked]);
    const done = await questions.answer({ id: "Q1", answer: "neither", answeredBy: "ada" });
    expect(done).toMatchObject({ answer: "neither", answeredBy: "ada" });
    expect((await questions.list({ open: true, limit: 10 })).items).toEqual([]);
    expect((await questions.list({ open: false, limit: 10, taskId: "T1" })).items).toEqual([done]);
    expect((await questions.list({ open: false, limit: 10, taskId: "T2" })).items).toEqual([]);
  });

  test("the same key asked at once is one question", async () => {
    const { questions } = await setupMessages();
    const asked = await Promise.all(
      Array.from({ length: 8 }, () => questions.ask({ ...question, dedupeKey: "k" })),
    );
    expect(new Set(asked.map(({ id }) => id)).size).toBe(1);
  });

  test("the same answer again is fine, another one is a conflict, an unknown question not found", async () => {
    const { questions } = await setupMessages();
    await questions.ask(question);
    const answer = (text: string, id = "Q1") => questions.answer({ id, answer: text, answeredBy: "ada" });
    await answer("tabs");
    expect((await answer("tabs")).answer).toBe("tabs");
    await expect(answer("spaces")).rejects.toMatchObject({ code: "conflict.state" });
    await expect(answer("tabs", "Q9")).rejects.toMatchObject({ code: "not_found" });
  });

  test("of two people who answer at once one wins and the other is told", async () => {
    const { questions } = await setupMessages();
    await questions.ask(question);
    const results = await Promise.allSettled(
      ["tabs", "spaces", "both"].map((answer) => questions.answer({ id: "Q1", answer, answeredBy: answer })),
    );
    expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected", "rejected"]);
  });

  test("a permission is answered only by one of its options", async () => {
    const { questions } = await setupMessages();
    await questions.ask({ ...question, kind: "permission", options: ["allow", "deny"] });
    const answer = questions.answer({ id: "Q1", answer: "perhaps", answeredBy: "ada" });
    await expect(answer).rejects.toMatchObject({ code: "input.invalid" });
  });
});

describe("waiting", () => {
  test("ends with the answer, at once where it is there already", async () => {
    const { questions } = await setupMessages();
    await questions.ask(question);
    const waiting = questions.waitForAnswer({ id: "Q1", timeoutMs: 10_000 });
    await questions.answer({ id: "Q1", answer: "tabs", answeredBy: "ada" });
    const answer = { state: "answered", answer: "tabs", answeredBy: "ada" };
    expect(await waiting).toEqual(answer);
    expect(await questions.waitForAnswer({ id: "Q1", timeoutMs: 10_000 })).toEqual(answer);
  });

  test("ends with `waiting` after its time or when aborted, and with the reason when withdrawn", async () => {
    const { questions, database } = await setupMessages();
    await questions.ask(question);
    expect(await questions.waitForAnswer({ id: "Q1", timeoutMs: 20 })).toEqual({ state: "waiting" });
    const abort = new AbortController();
    const waiting = questions.waitForAnswer({ id: "Q1", timeoutMs: 60_000, signal: abort.signal });
    abort.abort();
    expect(await waiting).toEqual({ state: "waiting" });
    await database.transaction((tx) =>
      questions.withdrawIn(tx, { of: { taskId: "T1" }, reason: "The task was cancelled." }),
    );
    expect(await questions.waitForAnswer({ id: "Q1", timeoutMs: 60_000 })).toEqual({
      state: "withdrawn",
      reason: "The task was cancelled.",
    });
    await expect(questions.answer({ id: "Q1", answer: "x", answeredBy: "a" })).rejects.toMatchObject({
      code: "conflict.state",
    });
    await expect(questions.waitForAnswer({ id: "Q7", timeoutMs: 1 })).rejects.toMatchObject({
      code: "not_found",
    });
  });
});

test("an approval is asked once while it is open, and anew after it was answered or withdrawn", async () => {
  const { questions, database } = await setupMessages();
  const approvals = createApprovals(questions);
  const ask = () =>
    database.transaction((tx) =>
      approvals.ask(tx, { taskId: "T1", text: "Deploy?".repeat(1_000), round: 1 }),
    );
  const open = async () => (await questions.list({ open: true, limit: 10 })).items.map(({ id }) => id);
  await ask();
  await ask();
  expect(await open()).toHaveLength(1);
  await database.transaction((tx) => approvals.close(tx, "T1"));
  expect(await open()).toEqual([]);
  await ask();
  const [again] = await open();
  await questions.answer({ id: again ?? "", answer: "reject", answeredBy: "ada" });
  await ask();
  expect(await open()).toHaveLength(1);
});
