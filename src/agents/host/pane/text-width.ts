// East Asian wide and emoji blocks; precise enough to wrap lines in a terminal.
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const ZERO = /\p{Mn}|\p{Me}|\u200b|\u200d/u;

/** Nothing before the combining marks is narrower or wider than one column; an agent that floods its pane prints mostly this. */
const FIRST_ODD_CODE = 0x300;

const widthOf = (character: string): number =>
  character.charCodeAt(0) < FIRST_ODD_CODE ? 1 : ZERO.test(character) ? 0 : WIDE.test(character) ? 2 : 1;

/** Columns that a text takes in a terminal. Pure. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += widthOf(character);
  return width;
}

/** `text` cut to `columns` with an ellipsis. Pure. */
export function fitText(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  let width = 0;
  let kept = "";
  for (const character of text) {
    width += widthOf(character);
    if (width > columns - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/** Lines of at most `columns` columns, broken at spaces where there are any. Line breaks of the text stay. Pure. */
export function wrapText(text: string, columns: number): string[] {
  const limit = Math.max(10, columns);
  return text.split("\n").flatMap((line) => wrapLine(line.replaceAll("\t", "  "), limit));
}

function wrapLine(line: string, columns: number): string[] {
  const lines: string[] = [];
  let current = "";
  let width = 0;
  let lastSpace = -1;
  for (const character of line) {
    const own = widthOf(character);
    if (width + own > columns) {
      const cut = lastSpace > 0 ? lastSpace : current.length;
      lines.push(current.slice(0, cut));
      current = current.slice(cut).trimStart();
      width = textWidth(current);
      lastSpace = -1;
    }
    if (character === " ") lastSpace = current.length;
    current += character;
    width += own;
  }
  lines.push(current);
  return lines;
}
