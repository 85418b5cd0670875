import { Command, CommanderError } from "commander";
import { VERSION } from "../main/version.ts";
import { addAgentCommands } from "./agent-commands.ts";
import { addRunCommands } from "./run-commands.ts";
import { addSetupCommands } from "./setup-commands.ts";
import { addTaskCommands } from "./task-commands.ts";

const program = new Command("miyabi")
  .description("Turns issues into merged changes with a team of coding agents")
  .version(VERSION)
  .option("--json", "print the result as JSON, and nothing else, on standard output")
  .showHelpAfterError("(miyabi --help lists the commands)")
  .exitOverride();

addRunCommands(program);
addTaskCommands(program);
addAgentCommands(program);
addSetupCommands(program);
// Every command takes --json, before or after its own name.
for (const command of program.commands.flatMap((one) => [one, ...one.commands]))
  command.option("--json", "print the result as JSON").exitOverride();

try {
  await program.parseAsync(process.argv);
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 64;
}
