import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

type Tree = { readonly [name: string]: string | Tree };

/** Every text of a dictionary under its full key. */
export function flatten(tree: Tree, prefix = ""): ReadonlyMap<string, string> {
  const out = new Map<string, string>();
  for (const [name, value] of Object.entries(tree)) {
    const key = `${prefix}${name}`;
    if (typeof value === "string") out.set(key, value);
    else for (const [inner, text] of flatten(value, `${key}.`)) out.set(inner, text);
  }
  return out;
}

/** The key that the sources name: i18next adds `_one` and `_other` itself. */
export const baseOf = (key: string): string => key.replace(/_(?:zero|one|other)$/, "");

/** Placeholders and tags of a text, each once, sorted. */
export function gapsOf(text: string): readonly string[] {
  return [...new Set(text.match(/\{\{\w+\}\}|<\/?\w+>/g))].sort();
}

/** Sources below a directory, without tests and fixtures, by their path from it. */
export async function readSources(root: string): Promise<ReadonlyMap<string, string>> {
  const files = (await readdir(root, { recursive: true })).filter(
    (file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$|-fixture\.ts$|\.d\.ts$/.test(file),
  );
  const texts = await Promise.all(files.map((file) => readFile(path.join(root, file), "utf8")));
  return new Map(files.map((file, index) => [file, texts[index] ?? ""]));
}

export interface UsedKeys {
  /** Keys that stand in the sources word for word. */
  readonly whole: ReadonlySet<string>;
  /** Patterns of keys that are put together, each with its text in the source. */
  readonly patterns: ReadonlyMap<string, RegExp>;
}

/** Keys in the first argument of `t(…)` and in `i18nKey`, and templates that start like a key, wherever they stand. */
export function usedKeys(source: string, namespaces: readonly string[]): UsedKeys {
  const whole = new Set<string>();
  const patterns = new Map<string, RegExp>();
  for (const [, key = ""] of source.matchAll(/i18nKey="([^"]*)"/g)) whole.add(key);
  for (const match of source.matchAll(/(?<![\w.])t\(|i18nKey=\{/g)) {
    const argument = firstArgument(source, match.index + match[0].length);
    for (const [, key = ""] of argument.matchAll(/"([^"]*)"/g)) whole.add(key);
  }
  const template = new RegExp(`\`((?:${namespaces.join("|")})\\.[^\`]*\\$\\{[^\`]*)\``, "g");
  for (const [, text = ""] of source.matchAll(template)) {
    const parts = text.split(/\$\{[^}]*\}/).map((part) => part.replaceAll(".", "\\."));
    patterns.set(text, new RegExp(`^${parts.join(".+")}$`));
  }
  return { whole, patterns };
}

/** Text from `start` to the comma or bracket that ends the first argument. */
function firstArgument(source: string, start: number): string {
  let depth = 0;
  for (let at = start; at < source.length; at += 1) {
    const char = source[at] ?? "";
    if (depth === 0 && ",)}".includes(char)) return source.slice(start, at);
    if ("([{".includes(char)) depth += 1;
    else if (")]}".includes(char)) depth -= 1;
  }
  return source.slice(start);
}
