import type { Command } from "commander";
import { action } from "./context.ts";
import { examine } from "./doctor.ts";
import { initialise, type InitFlags } from "./init.ts";
import { table } from "./output.ts";

export function addSetupCommands(program: Command): void {
  program
    .command("login")
    .description("print a link that signs your browser in, once, within 10 minutes")
    .action(
      action(async ({ client, output }) => {
        const link = await (await client()).call("createLoginLink");
        output.result(link, link.url);
      }),
    );
  program
    .command("doctor")
    .description("check everything the product needs, with the fix for what is missing")
    .action(
      action(async ({ output }) => {
        const findings = await examine(process.env);
        output.result(
          { findings },
          table(
            findings.map((one) => [
              one.state,
              one.name,
              one.fix === null ? one.detail : `${one.detail}\n      fix: ${one.fix}`,
            ]),
          ),
        );
        return findings.some((one) => one.state === "fail") ? 69 : 0;
      }),
    );
  program
    .command("init")
    .description("set the product up for your repository")
    .option("--repo <path>", "the repository", ".")
    .option("--yes", "take the proposals without asking")
    .action(action((context, flags: InitFlags) => initialise(context.output, flags)));
}
