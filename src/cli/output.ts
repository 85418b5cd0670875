import { stripVTControlCharacters, styleText } from "node:util";
import { AppError, ERROR_KINDS, toAppError } from "../base/index.ts";
import type { TaskState } from "../contract/index.ts";

/** What a command writes to. Standard output carries the result alone; everything for people beside it goes to standard error. */
export interface Output {
  readonly json: boolean;
  /** The result: as JSON with `--json`, else as text. */
  result(value: unknown, text: string): void;
  note(text: string): void;
}

export function createOutput(json: boolean): Output {
  return {
    json,
    result: (value, text) => void process.stdout.write(json ? `${JSON.stringify(value)}\n` : `${text}\n`),
    note: (text) => void process.stderr.write(`${text}\n`),
  };
}

/** Says what went wrong and what to do, and gives the exit code. */
export function reportError(error: unknown, json: boolean): number {
  const failure = error instanceof AppError ? error : toAppError(error);
  if (json)
    process.stdout.write(
      `${JSON.stringify({ error: { code: failure.code, message: failure.message, fix: failure.fix } })}\n`,
    );
  process.stderr.write(`error: ${failure.message}\n${failure.fix === null ? "" : `fix:   ${failure.fix}\n`}`);
  return ERROR_KINDS[failure.code].exitCode;
}

const SIGNS: Readonly<
  Record<TaskState, readonly [sign: string, color: "gray" | "blue" | "yellow" | "magenta" | "green" | "red"]>
> = {
  queued: ["○", "gray"],
  blocked: ["⊘", "gray"],
  ready: ["○", "gray"],
  running: ["◐", "blue"],
  waiting: ["◔", "yellow"],
  delivered: ["◆", "magenta"],
  done: ["●", "green"],
  failed: ["✕", "red"],
  cancelled: ["–", "gray"],
};

/** A task's state with its sign and colour; colours only where standard output is a terminal. */
export function stateText(state: TaskState): string {
  const [sign, color] = SIGNS[state];
  return styleText(color, `${sign} ${state}`, { stream: process.stdout });
}

/** Columns that text takes in a terminal: East Asian wide characters take two. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of stripVTControlCharacters(text)) {
    const code = character.codePointAt(0) ?? 0;
    const isWide =
      (code >= 0x1100 && code <= 0x115f) ||
      (code >= 0x2e80 && code <= 0xa4cf) ||
      (code >= 0xac00 && code <= 0xd7a3) ||
      (code >= 0xf900 && code <= 0xfaff) ||
      (code >= 0xfe30 && code <= 0xfe6f) ||
      (code >= 0xff00 && code <= 0xff60) ||
      (code >= 0x1f300 && code <= 0x1faff);
    width += isWide ? 2 : 1;
  }
  return width;
}

/** Rows in aligned columns, the last one ragged. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => widthOf(row[column] ?? ""))),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === row.length - 1 ? cell : cell + " ".repeat((widths[column] ?? 0) - widthOf(cell)),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
