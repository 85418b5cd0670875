import { expect, test } from "vitest";
import { createQuestions } from "../messages/index.ts";
import { systemClock } from "../base/index.ts";
import { because } from "../tasks/index.ts";
import { setupTasks } from "../tasks/tasks-fixture.ts";
import { createPermissionDesk } from "./permission-desk.ts";

async function setup() {
  const bundle = await setupTasks();
  const { database } = bundle;
  const questions = createQuestions({
    database,
    notifier: { subscribe: () => () => {} },
    clock: systemClock,
  });
  const answers: { readonly requestId: string; readonly optionId: string | null }[] = [];
  const open = () =>
    createPermissionDesk({
      database,
      questions,
      answer: ({ requestId, optionId }) => void answers.push({ requestId, optionId }),
    });
  await bundle.add();
  const run = await bundle.claim("code");
  if (run === null) throw new Error("nothing was due");
  const asked = {
    runId: run.runId,
    attempt: run.attempt,
    requestId: "one|a=b",
    asker: "kaede",
    title: "Write?",
    options: [
      { id: "1", name: "Allow", kind: "allow_once" },
      { id: "2", name: "Allow", kind: "allow_always" },
      { id: "3|=", name: "No | never = no", kind: "reject_once" },
    ],
  };
  const answer = async (text: string): Promise<string> => {
    const { items } = await questions.list({ open: true, limit: 10 });
    const id = items[0]?.id ?? "";
    await questions.answer({ id, answer: text, answeredBy: "Hanako" });
    return id;
  };
  return { ...bundle, questions, answers, open, run, asked, answer };
}

test("an answer is passed on once, by the id of the option, whatever options are called", async () => {
  const { open, asked, answers, answer, questions } = await setup();
  const desk = open();
  expect(await desk.ask(asked)).toBe("asked");
  expect(await desk.ask(asked)).toBe("asked");
  const { items } = await questions.list({ open: true, limit: 10 });
  expect(items.map((one) => one.options)).toEqual([["Allow", "Allow (allow_always, 2)", "No | never = no"]]);
  const id = await answer("No | never = no");
  await desk.closed(id);
  await desk.closed(id);
  expect(answers).toEqual([{ requestId: "one|a=b", optionId: "3|=" }]);
});

test("an answer that was given while nobody listened is passed on when the host asks again", async () => {
  const { open, asked, answers, answer } = await setup();
  await open().ask(asked);
  await answer("Allow (allow_always, 2)");
  expect(answers).toEqual([]);
  await open().ask(asked);
  expect(answers).toEqual([{ requestId: "one|a=b", optionId: "2" }]);
});

test("an answer that was missed is found when any may have been", async () => {
  const { open, asked, answers, answer } = await setup();
  const desk = open();
  await desk.ask(asked);
  await desk.closed(null);
  await answer("Allow");
  await desk.closed(null);
  expect(answers).toEqual([{ requestId: "one|a=b", optionId: "1" }]);
});

test("nobody is asked for a run that has ended", async () => {
  const { open, asked, questions, runs, run } = await setup();
  await runs.lose(run, because("host.silent", "It was silent."));
  expect(await open().ask(asked)).toBe("lost");
  expect((await questions.list({ open: true, limit: 10 })).items).toEqual([]);
});
