const FENCE = /^ {0,3}(```+|~~~+)/;
/** Goes on with the block before it, or may: an indented line, an item of a list, a footnote, a row of a table. */
const GOES_ON = /^(?:\s|[-*+]\s|\d{1,9}[.)]\s|\[\^|\|)/;
/** A definition that other blocks refer to. */
const DEFINITION = /^ {0,3}\[[^\]\n]+\]:/m;

/**
 * Splits Markdown where a block has surely ended, so that of a text that grows only the last part is read anew. Joined
 * with nothing between, the parts are the text.
 */
export function splitBlocks(text: string): readonly string[] {
  if (DEFINITION.test(text)) return [text];
  const parts: string[] = [];
  let start = 0;
  let fence: string | null = null;
  let formula = false;
  let blank = false;
  let at = 0;
  for (const line of text.split(/(?<=\n)/)) {
    const mark = FENCE.exec(line)?.[1];
    const isBlank = line.trim() === "";
    if (blank && !isBlank && fence === null && !formula && !GOES_ON.test(line)) {
      parts.push(text.slice(start, at));
      start = at;
    }
    if (fence === null && mark !== undefined) fence = mark;
    else if (fence !== null && mark?.startsWith(fence) === true) fence = null;
    else if (fence === null) formula = opensFormula(line, formula);
    blank = isBlank;
    at += line.length;
  }
  parts.push(text.slice(start));
  return parts;
}

/** Whether a formula of its own lines is open after a line. */
function opensFormula(line: string, open: boolean): boolean {
  const marks = line.match(/\$\$|\\\[|\\\]/g) ?? [];
  return marks.reduce((state, mark) => (mark === "$$" ? !state : mark === "\\["), open);
}
