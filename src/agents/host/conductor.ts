import { messageOf, type ProcessRunner } from "../../base/index.ts";
import type { Pane } from "./pane/pane.ts";

interface ConductorParams {
  readonly pane: Pane;
  readonly runner: ProcessRunner;
  /** The command line's program and first arguments. */
  readonly cli: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

const TIMEOUT_MS = 120_000;

/** Gives the lines typed into the conductor's pane to the product's command line and shows what it answers. */
export function serveConductor({ pane, runner, cli, env }: Readonly<ConductorParams>): void {
  pane.onLine((line) => {
    const [command = "", ...first] = cli;
    const words = splitWords(line.replace(/^miyabi\s+/, ""));
    runner
      .run({ command, args: [...first, ...words], env, timeoutMs: TIMEOUT_MS, maxOutputBytes: 64 * 1024 })
      .then((result) => pane.hint(`${result.stdout}${result.stderr}`.trimEnd()))
      .catch((error: unknown) => pane.hint(messageOf(error)));
  });
}

/** Words of a line, with single and double quotes. Pure. */
export function splitWords(line: string): string[] {
  const words = line.match(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g) ?? [];
  return words.map((word) =>
    word.replaceAll(/"([^"]*)"|'([^']*)'/g, (_, double, single) => double ?? single),
  );
}
