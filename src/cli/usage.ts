import { AppError } from "../base/index.ts";
import { isCommandName } from "./catalog.ts";
import { reportError } from "./output.ts";

const SUBCOMMANDS = new Set(["task", "ask"]);

/** Says what is wrong with a command line and where its help is; gives the exit code of usage errors, 64. */
export function reportUsage(message: string, words: readonly string[], env: NodeJS.ProcessEnv): number {
  const names = words.filter((word) => !word.startsWith("-"));
  const [name = "", sub = ""] = names;
  const parts = isCommandName(name)
    ? [name, ...(SUBCOMMANDS.has(name) && /^[a-z]+$/.test(sub) ? [sub] : []), "--help"]
    : ["--help"];
  const said = message.replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " ");
  return reportError(
    new AppError({
      code: "usage.invalid",
      message: `${said.charAt(0).toUpperCase()}${said.slice(1)}${/[.)?]$/.test(said) ? "" : "."}`,
      fix: `miyabi ${parts.join(" ")}`,
    }),
    { json: words.includes("--json"), env },
  );
}
