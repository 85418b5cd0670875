export interface DiffText {
  /** Null: the file was not there. */
  readonly oldText: string | null;
  readonly newText: string;
}

export interface DiffLine {
  readonly kind: "same" | "removed" | "added";
  readonly text: string;
}

const CONTEXT = 2;

/** The lines between the common beginning and the common end, with two lines around them. */
export function changedLines({ oldText, newText }: DiffText): readonly DiffLine[] {
  const before = oldText === null || oldText === "" ? [] : linesOf(oldText);
  const after = newText === "" ? [] : linesOf(newText);
  const shortest = Math.min(before.length, after.length);
  let start = 0;
  while (start < shortest && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < shortest - start && before[before.length - 1 - end] === after[after.length - 1 - end])
    end += 1;
  const line = (kind: DiffLine["kind"]) => (text: string) => ({ kind, text });
  return [
    ...after.slice(Math.max(0, start - CONTEXT), start).map(line("same")),
    ...before.slice(start, before.length - end).map(line("removed")),
    ...after.slice(start, after.length - end).map(line("added")),
    ...after.slice(after.length - end, after.length - end + CONTEXT).map(line("same")),
  ];
}

function linesOf(text: string): readonly string[] {
  return text.replace(/\n$/, "").split("\n");
}
