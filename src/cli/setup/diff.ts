import { SECRET_VALUES, URL_PASSWORD } from "../../base/index.ts";

const CONTEXT = 2;
/** Beyond it a file is shown as replaced: nobody reads such a comparison. */
const MOST_CELLS = 4_000_000;

/** Both texts line by line as a unified diff without its header; empty where they are the same. */
export function diffLines(before: string, after: string): readonly string[] {
  const lines = compare(split(before), split(after));
  const shown = new Set<number>();
  for (const [index, line] of lines.entries())
    if (!line.startsWith(" "))
      for (let near = index - CONTEXT; near <= index + CONTEXT; near += 1) shown.add(near);
  return lines.flatMap((line, index) =>
    shown.has(index) ? (index > 0 && !shown.has(index - 1) ? ["@@", line] : [line]) : [],
  );
}

const split = (text: string): readonly string[] => (text === "" ? [] : text.replace(/\n$/, "").split("\n"));

/** By the longest common subsequence. */
function compare(before: readonly string[], after: readonly string[]): readonly string[] {
  const removed = before.map((line) => `-${line}`);
  const added = after.map((line) => `+${line}`);
  if (before.length * after.length > MOST_CELLS) return [...removed, ...added];
  const width = after.length + 1;
  const common = new Uint32Array((before.length + 1) * width);
  const at = (row: number, column: number): number => common[row * width + column] ?? 0;
  for (let row = before.length - 1; row >= 0; row -= 1)
    for (let column = after.length - 1; column >= 0; column -= 1)
      common[row * width + column] =
        before[row] === after[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
  const lines: string[] = [];
  let row = 0;
  let column = 0;
  while (row < before.length && column < after.length) {
    if (before[row] === after[column]) {
      lines.push(` ${before[row] ?? ""}`);
      row += 1;
      column += 1;
    } else if (at(row + 1, column) >= at(row, column + 1)) lines.push(removed[row++] ?? "");
    else lines.push(added[column++] ?? "");
  }
  return [...lines, ...removed.slice(row), ...added.slice(column)];
}

const SECRET_NAME = /(key|token|secret|password|passwd|credential|authorization)["']?\s*[:=]\s*/i;
const REFERENCE = /^["']?(\$|\{env:|\{file:|[A-Z_]+["']?,?\s*$)/;

/** A line of a configuration file as it may be shown: a person's other secrets may stand beside our changes. */
export function withoutSecrets(line: string): string {
  const masked = line.replaceAll(SECRET_VALUES, "•••").replaceAll(URL_PASSWORD, "$1•••@");
  const name = SECRET_NAME.exec(masked);
  if (name === null) return masked;
  const at = name.index + name[0].length;
  const value = masked.slice(at);
  if (value === "" || REFERENCE.test(value) || value.includes("•••") || /^[[{<|>]/.test(value)) return masked;
  const [, open = "", , close = ""] = /^(["']?)(.*?)(["']?,?\s*)$/.exec(value) ?? [];
  return `${masked.slice(0, at)}${open}•••${close}`;
}
