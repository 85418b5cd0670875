import os from "node:os";
import path from "node:path";
import { AppError, ERROR_KINDS, systemClock, toAppError } from "../../base/index.ts";
import type { CommandContext } from "../context.ts";
import { installedTools, TOOL_NAMES } from "./installed.ts";
import { openJournal } from "./journal.ts";
import { isFailure, resultText, type ToolResult } from "./result.ts";
import { setUpTool } from "./set-up-tool.ts";
import { isToolName, TOOLS, type Place, type ToolName } from "./tools/index.ts";
import { undoTool } from "./undo-tool.ts";

export interface SetupFlags {
  readonly all?: true;
  readonly dryRun?: true;
  readonly undo?: true;
  readonly model?: string;
  readonly home?: string;
}

const UNAVAILABLE_EXIT_CODE = 69;
/** Variables of the person who types, who need not be the one whose home is meant. */
const OF_THE_PERSON = ["PATH", "SHELL", "USER", "LOGNAME"];

/** `miyabi setup`: one tool, or all that are found. With several a failure of one leaves the others their turn. */
export async function runSetup(
  context: CommandContext,
  word: string | undefined,
  flags: SetupFlags,
): Promise<number> {
  const place = placeOf(context.env, flags.home);
  const names = await wantedTools(word, flags, place);
  const work = async (name: ToolName): Promise<ToolResult> =>
    flags.undo === true
      ? undoTool({ name, place, client: context.client })
      : setUpTool({
          name,
          place,
          api: await context.client(),
          clock: systemClock,
          model: flags.model ?? null,
          isDryRun: flags.dryRun === true,
        });
  const results: ToolResult[] = [];
  let code = 0;
  for (const name of names) {
    const result = await work(name).catch((error: unknown) => {
      if (flags.all !== true) throw error;
      const { message, fix, code: reason } = toAppError(error);
      code = ERROR_KINDS[reason].exitCode;
      return { tool: name, title: TOOLS[name].title, state: "failed", code: reason, message, fix } as const;
    });
    results.push(result);
    if (isFailure(result) && code === 0) code = UNAVAILABLE_EXIT_CODE;
  }
  context.output.result({ tools: results }, results.map(resultText).join("\n"));
  return code;
}

function placeOf(env: NodeJS.ProcessEnv, home: string | undefined): Place {
  if (home === undefined) return { home: env["HOME"] ?? os.homedir(), env, isOfAnother: false };
  return {
    home: path.resolve(home),
    env: Object.fromEntries(OF_THE_PERSON.map((name) => [name, env[name]])),
    isOfAnother: true,
  };
}

/** @throws usage.invalid; not_found where all are meant and none is there */
async function wantedTools(
  word: string | undefined,
  { all, undo, dryRun }: SetupFlags,
  place: Place,
): Promise<readonly ToolName[]> {
  const usage = (message: string): AppError =>
    new AppError({ code: "usage.invalid", message, fix: "miyabi setup --help" });
  if (undo === true && dryRun === true) throw usage("Say --undo or --dry-run.");
  if ((word === undefined) === (all !== true))
    throw usage(`Name one of ${TOOL_NAMES.join(", ")}, or say --all.`);
  if (word !== undefined) {
    if (isToolName(word)) return [word];
    throw usage(`There is no tool "${word}". Known: ${TOOL_NAMES.join(", ")}.`);
  }
  const found = undo === true ? await withBackups(place) : await installedTools(place);
  if (found.length > 0) return found;
  throw new AppError({
    code: "not_found",
    message: undo === true ? "There is nothing to undo." : `None of ${TOOL_NAMES.join(", ")} was found.`,
    fix: undo === true ? null : "Name the tool to set it up all the same: miyabi setup claude",
  });
}

async function withBackups(place: Place): Promise<readonly ToolName[]> {
  const counts = await Promise.all(
    TOOL_NAMES.map(async (name) => (await openJournal(place, name).list()).length),
  );
  return TOOL_NAMES.filter((_, index) => (counts[index] ?? 0) > 0);
}
