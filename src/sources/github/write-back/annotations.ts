/** A remark on a line of the change. */
export interface Annotation {
  readonly path: string;
  readonly line: number;
  readonly level: "failure" | "warning" | "notice";
  readonly message: string;
}

const MAX_LINES = 5_000;
const MAX_MESSAGE = 1_000;
const MAX_ANNOTATIONS = 200;
// oxlint-disable-next-line no-control-regex -- escape sequences are what is removed
const ESCAPES = /\u001B\[[0-9;?]*[A-Za-z]/g;
const FILE = String.raw`[\w@.+~-]*(?:\/[\w@.+~()[\]-]+)*[\w@+~-]\.\w{1,12}`;
/** `a.ts:3:1`, `a.ts(3,1)`, `File "a.py", line 3`. */
const PLACES: readonly RegExp[] = [
  new RegExp(`(${FILE}):(\\d{1,7})(?::\\d+)?`),
  new RegExp(`(${FILE})\\((\\d{1,7})(?:,\\d+)?\\)`),
  new RegExp(`File "(${FILE})", line (\\d{1,7})`),
];

/**
 * Remarks that a text makes on lines of files: one for each line that names one. `files`: those of the commit; a path may be absolute, or
 * begin further down, where just one of them ends like it. Pure.
 */
export function annotationsIn(
  text: string,
  level: Annotation["level"],
  files: ReadonlySet<string>,
): readonly Annotation[] {
  const found = new Map<string, Annotation>();
  for (const raw of text.replace(ESCAPES, "").split("\n").slice(0, MAX_LINES)) {
    const place = PLACES.map((pattern) => pattern.exec(raw)).find((match) => match !== null);
    const path = place == null ? null : fileOf(place[1] ?? "", files);
    const line = Number(place?.[2]);
    if (path === null || line < 1) continue;
    const message = raw.trim().slice(0, MAX_MESSAGE);
    found.set(keyOf({ path, line, message }), { path, line, level, message });
    if (found.size === MAX_ANNOTATIONS) break;
  }
  return [...found.values()];
}

/** Remarks are told apart by this. */
export const keyOf = ({ path, line, message }: Pick<Annotation, "path" | "line" | "message">): string =>
  `${path}:${line}:${message}`;

/** The file of the commit that a printed path means; null where there is none. */
function fileOf(printed: string, files: ReadonlySet<string>): string | null {
  const parts = printed.replace(/^(?:\.\/)+/, "").split("/");
  for (let from = 0; from < parts.length; from += 1) {
    const path = parts.slice(from).join("/");
    if (files.has(path)) return path;
    // Below the top of a path of somewhere else only a name with a directory says which file is meant.
    if (from > 0 && parts.length - from === 2) break;
  }
  return null;
}
