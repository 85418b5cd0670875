import { confirm, select } from "@clack/prompts";
import { AppError } from "../base/index.ts";

interface Choice {
  readonly value: string;
  readonly hint: string;
}

/** Asks the person at the terminal. Standard output stays free for the result. */
export interface Ask {
  readonly canAsk: boolean;
  /** Yes with `--yes`; no where nobody can be asked. @throws usage.invalid where the person gives up. */
  agrees(message: string): Promise<boolean>;
  /** The proposal where nobody is asked. @throws as `agrees`. */
  choose(message: string, choices: readonly Choice[], proposal: string): Promise<string>;
}

export function createAsk({ all, json }: { readonly all: boolean; readonly json: boolean }): Ask {
  const canAsk = !all && !json && process.stdin.isTTY && process.stderr.isTTY;
  return {
    canAsk,
    agrees: async (message) => (canAsk ? answered(await confirm({ message, output: process.stderr })) : all),
    choose: async (message, choices, proposal) =>
      canAsk
        ? answered(
            await select({
              message,
              options: choices.map(({ value, hint }) => ({ value, hint })),
              initialValue: proposal,
              output: process.stderr,
            }),
          )
        : proposal,
  };
}

function answered<T>(answer: T): Exclude<T, symbol> {
  if (typeof answer !== "symbol") return answer as Exclude<T, symbol>;
  throw new AppError({
    code: "usage.invalid",
    message: "Given up; what was not written yet is left alone.",
    fix: "miyabi init",
  });
}
