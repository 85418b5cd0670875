import { unchangeable, type Change, type Format } from "./change.ts";

const LINE = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$/;

/** Lines `NAME=value`, as of `.env` and of files that a shell reads (`export NAME=value`). What is no such line stays as it is. */
export const dotenvFormat: Format = lineFormat("");

/** The same with `export` before new lines, for a file that a shell reads. */
export const exportsFormat: Format = lineFormat("export ");

function lineFormat(prefix: string): Format {
  return {
    read: (text) =>
      Object.fromEntries(
        text.split(/\r?\n/).flatMap((line) => {
          const [, name, raw] = LINE.exec(line) ?? [];
          return name === undefined || raw === undefined ? [] : [[name, unquoted(raw)]];
        }),
      ),
    edit: (text, changes, source) =>
      changes.reduce((now, change) => applyOne(now, change, prefix, source), text),
  };
}

function applyOne(text: string, { path, value }: Change, prefix: string, source: string): string {
  const [name] = path;
  if (typeof name !== "string" || path.length !== 1) throw unchangeable(source, "it has no nested settings");
  const lines = text.split("\n");
  // Of a name that stands twice the last one counts.
  const index = lines.findLastIndex((line) => LINE.exec(line)?.[1] === name);
  if (value === undefined) return index < 0 ? text : lines.toSpliced(index, 1).join("\n");
  if (typeof value !== "string" || /["'\n\r`$\\]/.test(value))
    throw unchangeable(source, `the value of ${name} does not fit into a line of it`);
  const written = /^[\w./:@%+,=-]*$/.test(value) ? value : `"${value}"`;
  if (index >= 0) {
    const start = /^\s*(?:export\s+)?/.exec(lines[index] ?? "")?.[0] ?? "";
    return lines.with(index, `${start}${name}=${written}`).join("\n");
  }
  const before = text === "" || text.endsWith("\n") ? text : `${text}\n`;
  return `${before}${prefix}${name}=${written}\n`;
}

function unquoted(raw: string): string {
  const quote = raw[0];
  if (quote === '"' || quote === "'" || quote === "`") {
    const end = raw.indexOf(quote, 1);
    if (end > 0) return raw.slice(1, end);
  }
  return raw.replace(/\s#.*$/, "");
}
