import type { Command } from "commander";
import { z } from "zod";
import { declare } from "./catalog.ts";
import { action, integer, listOf } from "./context.ts";
import { colored, localTime, table } from "./table.ts";
import type { Finding } from "./finding.ts";
import type { InitFlags } from "./init.ts";
import type { GitHubFlags } from "./init-github.ts";
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
    .option("--github", "connect to GitHub as an app of your own, in the browser")
    .option(
      "--repository <owner/name>",
      "with --github: repository on GitHub; default: where origin is",
      listOf(z.string()),
    )
    .option("--organization <login>", "with --github: organization that is to own the app")
    .option("--url <url>", "with --github: GitHub Enterprise, e.g. https://github.example.com")
    .option("--public-url <url>", "with --github: where GitHub reaches your webhooks; default: polling alone")
    .option(
      "--port <port>",
      "with --github: port on 127.0.0.1 that GitHub sends your browser back to",
      integer(1, 65_535),
    )
    .option("--timeout <seconds>", "with --github: how long to wait for the browser", integer(1, 3_600), 900)
    .option("--dry-run", "with --github: show the app that would be registered, and write nothing")
    .action(
      action(async (context, flags: InitFlags & GitHubFlags & { readonly github?: true }) => {
        if (flags.github !== true) return (await import("./init.ts")).initialise(context, flags);
        return (await import("./init-github.ts")).initialiseGitHub(context, flags);
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
