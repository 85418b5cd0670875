import { isDeepStrictEqual } from "node:util";
import { parse as parseToml, stringify, TomlError } from "smol-toml";
import {
  isMapping,
  unchangeable,
  unreadable,
  valueAt,
  withChange,
  withoutEmptied,
  type Change,
  type Format,
  type Json,
} from "./change.ts";

/**
 * TOML. The library reads; the text is changed line by line, because writing the whole again would lose comments.
 * What is written is read again: where it does not say exactly what was wanted, nothing is changed.
 */
export const tomlFormat: Format = {
  read: (text, source) => read(text, source),
  edit: (text, changes, source) => changes.reduce((now, change) => applyOne(now, change, source), text),
};

function read(text: string, source: string): Json {
  try {
    // Dates are the only values that JSON does not have; as text they can be compared.
    return JSON.parse(JSON.stringify(parseToml(text, { integersAsBigInt: false }))) as Json;
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what = "it is no TOML"] = error.message.replace(/^Invalid TOML document: /, "").split("\n");
    throw unreadable(source, error.line, error.column, what);
  }
}

function applyOne(text: string, change: Change, source: string): string {
  const before = read(text, source);
  const wanted = withChange(before, change) ?? {};
  if (isDeepStrictEqual(before, wanted)) return text;
  const names = change.path.filter((step) => typeof step === "string");
  const edited = editLines(text, names, change.value);
  if (
    names.length === change.path.length &&
    (says(edited, wanted) || says(edited, withoutEmptied(wanted, change.path)))
  )
    return edited;
  throw unchangeable(source, `${names.join(".")} cannot be changed without changing something else`);
}

function says(text: string, wanted: Json): boolean {
  try {
    return isDeepStrictEqual(read(text, ""), wanted);
  } catch {
    return false;
  }
}

interface Statement {
  /** Index of its first line. */
  readonly at: number;
  /** Lines. */
  readonly length: number;
  /** Table in which it stands, or which it opens. */
  readonly table: readonly string[] | null;
  /** Names of the entry; null: it opens a table. */
  readonly entry: readonly string[] | null;
}

/** Tables and entries in their order, without blank lines and remarks. */
function statementsOf(lines: readonly string[]): readonly Statement[] {
  const found: Statement[] = [];
  let table: readonly string[] | null = [];
  for (let at = 0; at < lines.length;) {
    const line = lines[at] ?? "";
    let length = 1;
    if (/^\s*\[/.test(line)) {
      table = headerOf(line);
      found.push({ at, length, table, entry: null });
    } else if (!/^\s*(#.*)?$/.test(line)) {
      length = lengthOfEntry(lines, at);
      found.push({ at, length, table, entry: keyOf(line) ?? [] });
    }
    at += length;
  }
  return found;
}

function editLines(text: string, names: readonly string[], value: Json | undefined): string {
  const lines = text.split("\n");
  const table = names.slice(0, -1);
  const key = names.at(-1) ?? "";
  const own = statementsOf(lines).filter((one) => isSame(one.table, table));
  const entry = own.find((one) => one.entry !== null && isSame(one.entry, [key]));
  if (entry !== undefined) {
    if (value === undefined) {
      const isLast = own.length === 2 && own[0]?.entry === null;
      return isLast ? withoutTable(lines, own) : lines.toSpliced(entry.at, entry.length).join("\n");
    }
    const remark = entry.length === 1 ? remarkOf(lines[entry.at] ?? "") : "";
    return lines.toSpliced(entry.at, entry.length, `${lineOf(key, value)}${remark}`).join("\n");
  }
  if (value === undefined) return text;
  const last = own.at(-1);
  if (last !== undefined) return inserted(lines, last.at + last.length, [lineOf(key, value)]);
  const kept = text.trimEnd();
  if (table.length > 0)
    return `${kept}${kept === "" ? "" : "\n\n"}[${table.map(keyText).join(".")}]\n${lineOf(key, value)}\n`;
  const hasTables = lines.some((line) => /^\s*\[/.test(line));
  return hasTables
    ? inserted(lines, 0, [lineOf(key, value), ""])
    : `${kept}${kept === "" ? "" : "\n"}${lineOf(key, value)}\n`;
}

function inserted(lines: readonly string[], at: number, added: readonly string[]): string {
  return lines.toSpliced(at, 0, ...added, ...(at === lines.length ? [""] : [])).join("\n");
}

/** A table of which nothing is left goes with its header and the blank line before it. */
function withoutTable(lines: readonly string[], [header, entry]: readonly Statement[]): string {
  if (header === undefined || entry === undefined) return lines.join("\n");
  const from = lines[header.at - 1]?.trim() === "" ? header.at - 1 : header.at;
  const between = lines.slice(header.at + 1, entry.at);
  return lines.toSpliced(from, entry.at + entry.length - from, ...between).join("\n");
}

/** An entry may go over several lines: it is as long as the shortest part that is TOML. */
function lengthOfEntry(lines: readonly string[], at: number): number {
  for (let length = 1; at + length <= lines.length; length += 1)
    if (isToml(lines.slice(at, at + length).join("\n"))) return length;
  return 1;
}

function isToml(text: string): boolean {
  try {
    parseToml(text);
    return true;
  } catch {
    return false;
  }
}

function headerOf(line: string): readonly string[] | null {
  const inner = /^\s*\[(?!\[)\s*(.+?)\s*\]\s*(?:#.*)?$/.exec(line)?.[1];
  return inner === undefined ? null : namesOf(inner);
}

function keyOf(line: string): readonly string[] | null {
  const inner = /^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=/.exec(line)?.[1];
  return inner === undefined ? null : namesOf(inner);
}

/** Names of a dotted key, by the library. */
function namesOf(dotted: string): readonly string[] | null {
  try {
    const names: string[] = [];
    for (let at: Json | undefined = read(`${dotted} = 1`, ""); isMapping(at);) {
      const [name] = Object.keys(at);
      if (name === undefined) return null;
      names.push(name);
      at = valueAt(at, [name]);
    }
    return names;
  } catch {
    return null;
  }
}

const isSame = (found: readonly string[] | null, wanted: readonly string[]): boolean =>
  isDeepStrictEqual(found, wanted);

const keyText = (name: string): string => (/^[\w-]+$/.test(name) ? name : JSON.stringify(name));

const lineOf = (key: string, value: Json): string => stringify({ [key]: value }).trimEnd();

function remarkOf(line: string): string {
  // Only where no quote follows it can a # not be part of a value.
  return /\s+#[^"']*$/.exec(line)?.[0] ?? "";
}
