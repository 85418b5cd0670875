import { InvalidArgumentError, type Command } from "commander";
import type { z } from "zod";
import { openClient, type Client } from "./client.ts";
import { createOutput, reportError, type Output } from "./output.ts";

export interface CommandContext {
  readonly env: NodeJS.ProcessEnv;
  readonly output: Output;
  /** @throws daemon.not_running */
  readonly client: () => Promise<Client>;
}

/** Wraps a command's work: output as asked for, errors as exit codes. `work` resolves with the exit code, 0 by default. */
export function action<Args extends unknown[]>(
  work: (context: CommandContext, ...args: Args) => Promise<number | void>,
) {
  return async (...all: [...Args, Command]): Promise<void> => {
    const command = all.at(-1) as Command;
    const env = process.env;
    const json = command.optsWithGlobals()["json"] === true;
    try {
      const code = await work(
        { env, output: createOutput({ json, env }), client: () => openClient(env) },
        ...(all.slice(0, -1) as Args),
      );
      process.exitCode = code ?? 0;
    } catch (error) {
      process.exitCode = reportError(error, { json, env });
    }
  };
}

/** Commander's parser of one value by a schema of the contract; what does not fit is an error of usage. */
export function valueOf<T>(schema: z.ZodType<T>): (text: string) => T {
  return (text) => {
    const result = schema.safeParse(text);
    if (result.success) return result.data;
    const said = result.error.issues[0]?.message ?? "it is not valid";
    throw new InvalidArgumentError(`${said.charAt(0).toUpperCase()}${said.slice(1)}.`);
  };
}

/** The same for a list, comma-separated or repeated. */
export function listOf<T>(schema: z.ZodType<T>): (text: string, before?: readonly T[]) => readonly T[] {
  const parse = valueOf(schema);
  return (text, before = []) => [
    ...before,
    ...text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "")
      .map(parse),
  ];
}

/** A whole number within bounds. */
export function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It is a whole number from ${least} to ${most}.`);
  };
}
