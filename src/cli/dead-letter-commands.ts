import type { Command } from "commander";
import { z } from "zod";
import { DEAD_LETTER_KINDS, deadLetterId, type DeadLetterView } from "../contract/index.ts";
import { declare } from "./catalog.ts";
import { action, valueOf } from "./context.ts";
import { oneLine, plain, table } from "./table.ts";

const ID = "id as in the list, e.g. outbox-12";

export function addDeadLetterCommands(program: Command): void {
  const letters = declare(program, "dead-letters");
  letters
    .command("list")
    .description("what was given up after its last try, the newest first")
    .option("--kind <kind>", DEAD_LETTER_KINDS.join(", "), valueOf(z.enum(DEAD_LETTER_KINDS)))
    .option("--limit <number>", "how many", "50")
    .action(
      action(
        async (
          { client, output },
          flags: { readonly kind?: DeadLetterView["kind"]; readonly limit: string },
        ) => {
          const page = await (
            await client()
          ).call("listDeadLetters", {
            query: { limit: flags.limit, ...(flags.kind === undefined ? {} : { kind: flags.kind }) },
          });
          const rows = page.items.map((one) => [
            one.id,
            oneLine(one.what),
            oneLine(one.target),
            one.taskId ?? "-",
            oneLine(one.error),
          ]);
          output.result(
            page,
            rows.length === 0
              ? "Nothing was given up. What cannot be written to GitHub, taken from it or told to an agent would be here."
              : [
                  table([["ID", "WHAT", "FOR", "TASK", "ERROR"], ...rows]),
                  ...(page.nextCursor === null ? [] : ["There are more: --limit 200"]),
                  "",
                  `miyabi dead-letters show|retry|discard ${page.items[0]?.id ?? ""}`,
                ].join("\n"),
          );
        },
      ),
    );
  letters
    .command("show")
    .argument("<id>", ID, valueOf(deadLetterId))
    .description("one of them, with what it says")
    .action(
      action(async ({ client, output }, id: string) => {
        const letter = await (await client()).call("getDeadLetter", { params: { id } });
        output.result(
          letter,
          [
            table([
              ["What", oneLine(letter.what)],
              ["For", oneLine(letter.target)],
              ["Task", letter.taskId ?? "-"],
              ["Made", letter.createdAt],
              ["Given up", `${letter.diedAt}, after ${letter.attempts} tries`],
              ["Error", oneLine(letter.error)],
            ]),
            "",
            plain(letter.content),
            "",
            `miyabi dead-letters retry|discard ${letter.id}`,
          ].join("\n"),
        );
      }),
    );
  letters
    .command("retry")
    .argument("<id>", ID, valueOf(deadLetterId))
    .description("try it again; what has happened already is found and not repeated")
    .action(
      action(async ({ client, output }, id: string) => {
        const letter = await (await client()).call("retryDeadLetter", { params: { id }, body: {} });
        output.result(letter, `${letter.id} is tried again.`);
      }),
    );
  letters
    .command("discard")
    .argument("<id>", ID, valueOf(deadLetterId))
    .description("list it no more")
    .action(
      action(async ({ client, output }, id: string) => {
        const letter = await (await client()).call("discardDeadLetter", { params: { id }, body: {} });
        output.result(letter, `${letter.id} is discarded.`);
      }),
    );
}
