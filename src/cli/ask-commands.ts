import type { Command } from "commander";
import { questionId } from "../contract/index.ts";
import { declare } from "./catalog.ts";
import { action, valueOf } from "./context.ts";
import { oneLine } from "./table.ts";

export function addAskCommands(program: Command): void {
  const ask = declare(program, "ask");
  ask
    .command("list")
    .description("open questions, permission requests and approvals")
    .option("--answered", "those that were answered instead")
    .action(
      action(async ({ client, output }, flags: { readonly answered?: true }) => {
        const open = flags.answered !== true;
        const page = await (await client()).call("listQuestions", { query: { open: String(open) } });
        const lines = page.items.flatMap((one) => [
          `${one.id}  ${one.taskId}  ${oneLine(one.asker)}: ${oneLine(one.text)}`,
          ...(one.options.length === 0 ? [] : [`    one of: ${oneLine(one.options.join(" | "))}`]),
          one.answer === null
            ? `    miyabi ask answer ${one.id} "…"`
            : `    ${oneLine(one.answeredBy ?? "")}: ${oneLine(one.answer)}`,
        ]);
        output.result(
          page,
          lines.length === 0
            ? open
              ? "Nothing waits for you."
              : "Nothing was answered yet."
            : lines.join("\n"),
        );
      }),
    );
  ask
    .command("answer")
    .argument("<id>", "question, e.g. Q5", valueOf(questionId))
    .argument("<text>", "the answer")
    .description("answer one")
    .action(
      action(async ({ client, output }, id: string, answer: string) => {
        const question = await (await client()).call("answerQuestion", { params: { id }, body: { answer } });
        output.result(question, `${question.id} is answered; ${question.taskId} goes on.`);
      }),
    );
}
