import { isDeepStrictEqual } from "node:util";
import { unchangeable, withChange, type Change, type Format, type Json } from "./change.ts";
import { parseJsonTree, plainValue, type Node, type Property } from "./json-tree.ts";

/** JSON, with or without comments. A changed setting is rewritten in its place, a new one comes last. */
export const jsonFormat: Format = {
  read: (text, source) => plainValue(parseJsonTree(text.trim() === "" ? "{}" : text, source)),
  edit: (text, changes, source) => {
    const start = text.trim() === "" ? "{}\n" : text;
    return changes.reduce((now, change) => applyOne(now, change, source), start);
  },
};

function applyOne(text: string, change: Change, source: string): string {
  const root = parseJsonTree(text, source);
  const wanted = withChange(plainValue(root), change);
  if (isDeepStrictEqual(wanted, plainValue(root))) return text;
  const names = change.path.filter((step) => typeof step === "string");
  const edited =
    change.value === undefined ? removed(text, root, names) : written(text, root, names, change.value);
  // Whatever the text looks like: what is written says what was wanted, and nothing else has changed.
  if (
    names.length === change.path.length &&
    isDeepStrictEqual(plainValue(parseJsonTree(edited, source)), wanted)
  )
    return edited;
  throw unchangeable(source, `${names.join(".")} cannot be changed without changing something else`);
}

/** The last one of a name: the one that counts. */
const propertyOf = (node: Node, name: string | undefined): Property | undefined =>
  node.kind === "object" ? node.properties.findLast((one) => one.name === name) : undefined;

function written(text: string, root: Node, names: readonly string[], value: Json): string {
  let node = root;
  for (const [depth, name] of names.entries()) {
    const property = propertyOf(node, name);
    if (property === undefined) {
      const rest = names.slice(depth + 1).reduceRight<Json>((inner, outer) => ({ [outer]: inner }), value);
      return node.kind === "object"
        ? inserted(text, node, name, rest)
        : replaced(text, node, { [name]: rest }, depth);
    }
    node = property.node;
  }
  return replaced(text, node, value, names.length);
}

function replaced(text: string, node: Node, value: Json, depth: number): string {
  const unit = indentUnit(text);
  return `${text.slice(0, node.start)}${print(value, unit, unit.repeat(depth))}${text.slice(node.end)}`;
}

function inserted(text: string, node: Node & { readonly kind: "object" }, name: string, value: Json): string {
  const unit = indentUnit(text);
  const outer = indentOfLine(text, node.start);
  const last = node.properties.at(-1);
  const isOnOneLine = last !== undefined && !text.slice(node.start, node.end).includes("\n");
  const inner = last === undefined || isOnOneLine ? outer + unit : indentOfLine(text, last.start);
  const added = `${JSON.stringify(name)}: ${print(value, unit, inner)}`;
  if (last === undefined) {
    const comments = text.slice(node.start + 1, node.end - 1).trimEnd();
    return `${text.slice(0, node.start + 1)}${comments}\n${inner}${added}\n${outer}${text.slice(node.end - 1)}`;
  }
  if (isOnOneLine) return `${text.slice(0, last.end)}, ${added}${text.slice(last.end)}`;
  // A remark behind the last setting stays with it; a trailing comma is used instead of a second one.
  const rest = text.slice(last.end, node.end - 1);
  const [, comma = "", remark = ""] = /^(\s*,)?([^\S\n]*(?:\/\/[^\n]*|\/\*[^\n]*?\*\/)?)/.exec(rest) ?? [];
  const after = last.end + comma.length + remark.length;
  const trailing = comma === "" ? "" : ",";
  return `${text.slice(0, last.end)},${remark}\n${inner}${added}${trailing}${text.slice(after)}`;
}

function removed(text: string, root: Node, names: readonly string[]): string {
  const parent = names
    .slice(0, -1)
    .reduce<Node | undefined>((node, name) => node && propertyOf(node, name)?.node, root);
  if (parent?.kind !== "object") return text;
  const index = parent.properties.findLastIndex((one) => one.name === names.at(-1));
  const property = parent.properties[index];
  if (property === undefined) return text;
  const previous = parent.properties[index - 1];
  const comma = /^\s*,/.exec(text.slice(property.end));
  // Its own line goes with it, but for the remarks before it; and the comma before it, where it was the last one.
  if (comma !== null) {
    const from = lineStartBefore(text, property.start);
    return text.slice(0, from) + text.slice(property.end + comma[0].length);
  }
  if (previous === undefined)
    return text.slice(0, lineStartBefore(text, property.start)) + text.slice(property.end);
  const between = text.slice(previous.end, property.start);
  const kept = between.replace(/^(\s*),/, "$1").trimEnd();
  return text.slice(0, previous.end) + kept + text.slice(property.end);
}

/** Where the blanks before an offset begin, with their line break. */
function lineStartBefore(text: string, offset: number): number {
  return text.slice(0, offset).replace(/\n?[^\S\n]*$/, "").length;
}

function indentOfLine(text: string, offset: number): string {
  return /^[ \t]*/.exec(text.slice(text.lastIndexOf("\n", offset - 1) + 1))?.[0] ?? "";
}

/** One level of indentation as the file has it; two blanks where nothing tells. */
function indentUnit(text: string): string {
  return /\n([ \t]+)\S/.exec(text)?.[1] ?? "  ";
}

function print(value: Json, unit: string, indent: string): string {
  return JSON.stringify(value, null, unit).replaceAll("\n", `\n${indent}`);
}
