import { Command, CommanderError } from "commander";
import { VERSION } from "../main/version.ts";
import { COMMANDS, declare, isCommandName, type CommandName } from "./catalog.ts";

const GROUPS = {
  run: async () => (await import("./run-commands.ts")).addRunCommands,
  task: async () => (await import("./task-commands.ts")).addTaskCommands,
  look: async () => (await import("./status-command.ts")).addStatusCommand,
  agent: async () => (await import("./agent-commands.ts")).addAgentCommands,
  ask: async () => (await import("./ask-commands.ts")).addAskCommands,
  letters: async () => (await import("./dead-letter-commands.ts")).addDeadLetterCommands,
  logs: async () => (await import("./logs-command.ts")).addLogsCommand,
  setup: async () => (await import("./setup-commands.ts")).addSetupCommands,
  gateway: async () => (await import("./gateway-commands.ts")).addGatewayCommands,
} as const;

/** The first word of the command line that can be a command: the global options take no values. */
function wantedCommand(words: readonly string[]): CommandName | null {
  const names = words.filter((word) => !word.startsWith("-"));
  const name = names[0] === "help" ? names[1] : names[0];
  return name !== undefined && isCommandName(name) ? name : null;
}

async function buildProgram(words: readonly string[]): Promise<Command> {
  const program = new Command("miyabi")
    .description("Turns issues into merged changes with a team of coding agents")
    .version(VERSION)
    .option("--json", "print the result as JSON, and nothing else, on standard output")
    .configureOutput({ outputError: () => {} });
  const wanted = wantedCommand(words);
  const group = wanted === null ? null : COMMANDS[wanted].group;
  if (group !== null) (await GROUPS[group]())(program);
  for (const name of Object.keys(COMMANDS).filter(isCommandName))
    if (COMMANDS[name].group !== group) declare(program, name);
  // Every command takes --json, before or after its own name.
  const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)];
  for (const command of all(program)) {
    command.exitOverride().configureOutput({ outputError: () => {} });
    if (command !== program) command.option("--json", "print the result as JSON");
  }
  return program;
}

/** Runs one command line, without the program's name; resolves with the exit code. */
export async function runCommandLine(words: readonly string[]): Promise<number> {
  process.exitCode = 0;
  try {
    const program = await buildProgram(words);
    await program.parseAsync([...words], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    // Help that nobody asked for says already what is missing.
    if (error.code === "commander.help") return 64;
    const { reportUsage } = await import("./usage.ts");
    return reportUsage(error.message, words, process.env);
  }
  return Number(process.exitCode);
}
