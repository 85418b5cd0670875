import type { Command } from "commander";
import { declare } from "./catalog.ts";
import { action } from "./context.ts";
import { colored, localTime, table } from "./table.ts";
import type { Finding } from "./finding.ts";
import type { InitFlags } from "./init.ts";
import type { SetupFlags } from "./setup/index.ts";

const UNAVAILABLE_EXIT_CODE = 69;
const COLORS = { ok: "green", warn: "yellow", fail: "red" } as const;

export function addSetupCommands(program: Command): void {
  declare(program, "login").action(
    action(async ({ client, output }) => {
      const link = await (await client()).call("createLoginLink");
      output.result(link, link.url);
      if (!output.json)
        output.note(`Open it in your browser; it works once, until ${localTime(link.expiresAt)}.`);
    }),
  );
  declare(program, "doctor").action(
    action(async ({ output, env }) => {
      const { examine } = await import("./doctor.ts");
      const findings = await examine(env);
      output.result({ findings }, findingsText(findings));
      return findings.some((one) => one.state === "fail") ? UNAVAILABLE_EXIT_CODE : 0;
    }),
  );
  declare(program, "setup")
    .option("--all", "every one of them that is installed here")
    .option("--model <name>", "the model that it asks for, instead of a proposed one")
    .option("--dry-run", "show what would change in its files, and write nothing")
    .option("--undo", "set its files back to what they were before the last setup, and end its key")
    .option("--home <dir>", "home directory of the person whose tools are meant")
    .action(
      action(async (context, tool: string | undefined, flags: SetupFlags) => {
        const { runSetup } = await import("./setup/index.ts");
        return runSetup(context, tool, flags);
      }),
    );
  declare(program, "init")
    .option("--repo <path>", "the repository", ".")
    .option("--yes", "take the proposals without asking")
    .action(
      action(async (context, flags: InitFlags) => {
        const { initialise } = await import("./init.ts");
        await initialise(context, flags);
      }),
    );
}

function findingsText(findings: readonly Finding[]): string {
  const rows = table(
    findings.map((one) => [colored(COLORS[one.state], one.state.padEnd(4)), one.name, one.detail]),
    null,
  ).split("\n");
  return rows
    .flatMap((row, index) => {
      const fix = findings[index]?.fix ?? null;
      return fix === null ? [row] : [row, `      fix: ${fix}`];
    })
    .join("\n");
}
