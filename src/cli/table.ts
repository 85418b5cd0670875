import { stripVTControlCharacters, styleText } from "node:util";
import type { TaskState } from "../contract/index.ts";

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

type Color = Parameters<typeof styleText>[0];

/** Coloured text; plain where standard output is no terminal or NO_COLOR is set. */
export function colored(color: Color, text: string): string {
  return styleText(color, text, { stream: process.stdout });
}

/** A task's state with its sign and colour. */
export function stateText(state: TaskState): string {
  const [sign, color] = SIGNS[state];
  return colored(color, `${sign} ${state}`);
}

/**
 * Text that others wrote, safe to print: without terminal sequences, control characters and marks that turn the
 * direction of writing. Line breaks and tabs stay.
 */
export function plain(text: string): string {
  return stripVTControlCharacters(text).replaceAll(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    "",
  );
}

/** The same on one line. */
export function oneLine(text: string): string {
  return plain(text).replaceAll(/\s+/g, " ").trim();
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const ZERO = /\p{Mn}|\p{Me}|\u200b|\u200d|\ufe0f/u;

/** Columns that text takes in a terminal: East Asian wide characters and emoji take two, colours none. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of stripVTControlCharacters(text))
    width += ZERO.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

/** Uncoloured text cut to `columns`, with an ellipsis where something is missing. */
export function fit(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let kept = "";
  let width = 0;
  for (const character of text) {
    width += widthOf(character);
    if (width > columns - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

const LEAST_LAST_COLUMN = 20;

/** Rows in columns aligned by display width. The last one is cut to `columns` where it has no colours; null: never cut. */
export function table(
  rows: readonly (readonly string[])[],
  columns: number | null = process.stdout.isTTY ? process.stdout.columns : null,
): string {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(0, ...rows.map((row) => (column === row.length - 1 ? 0 : widthOf(row[column] ?? "")))),
  );
  return rows
    .map((row) => {
      const head = row
        .slice(0, -1)
        .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - widthOf(cell)));
      const last = row.at(-1) ?? "";
      const room = (columns ?? Infinity) - widthOf(head.join("  ")) - 2;
      const shown =
        columns === null || last.includes("\u001b") ? last : fit(last, Math.max(LEAST_LAST_COLUMN, room));
      return [...head, shown].join("  ").trimEnd();
    })
    .join("\n");
}

/** Instant as local time for people, `2026-11-21 12:34`. */
export function localTime(instant: string): string {
  const date = new Date(instant);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}
