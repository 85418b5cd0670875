import type { AgentScreen } from "../../../../src/contract/index.ts";

const ESC = "\u001b";
/** Width of a monospace character as a share of its font size, a little generous so that nothing is cut. */
const CHARACTER = 0.605;
const FONT_MIN = 7;
const FONT_MAX = 14;

/** Sequence that draws the frame over the one before without a flash: home, each line cleared to its end, the rest cleared. */
export function toFrame({ content, rows }: Pick<AgentScreen, "content" | "rows">): string {
  const lines = content.replaceAll("\r\n", "\n").split("\n").slice(0, rows);
  return `${ESC}[?25l${ESC}[H${lines.map((line) => `${line}${ESC}[0m${ESC}[K`).join("\r\n")}${ESC}[J`;
}

/** Largest font size in px at which all columns fit into the width. */
export function fontSizeFor(widthPx: number, columns: number): number {
  const size = Math.floor((widthPx / (columns * CHARACTER)) * 4) / 4;
  return Math.min(FONT_MAX, Math.max(FONT_MIN, size));
}
