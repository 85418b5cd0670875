import type { Command } from "commander";
import { openClient, type Client } from "./client.ts";
import { createOutput, reportError, type Output } from "./output.ts";

export interface CommandContext {
  readonly output: Output;
  readonly client: () => Promise<Client>;
}

/** Wraps a command's work: output as asked for, errors as exit codes. `work` resolves with the exit code, 0 by default. */
export function action<Args extends unknown[]>(
  work: (context: CommandContext, ...args: Args) => Promise<number | void>,
) {
  return async (...all: [...Args, Command]): Promise<void> => {
    const command = all.at(-1) as Command;
    const json = command.optsWithGlobals()["json"] === true;
    try {
      const code = await work(
        { output: createOutput(json), client: () => openClient(process.env) },
        ...(all.slice(0, -1) as Args),
      );
      process.exitCode = code ?? 0;
    } catch (error) {
      process.exitCode = reportError(error, json);
    }
  };
}
