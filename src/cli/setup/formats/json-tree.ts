import { unreadable, type Json } from "./change.ts";

interface Place {
  /** Offset of the first character. */
  readonly start: number;
  /** Offset after the last one. */
  readonly end: number;
}

export interface Property extends Place {
  readonly name: string;
  readonly node: Node;
}

/** A value of a JSON text with its place in it. */
export type Node = Place &
  (
    | { readonly kind: "object"; readonly properties: readonly Property[] }
    | { readonly kind: "array"; readonly items: readonly Node[] }
    | { readonly kind: "scalar"; readonly value: string | number | boolean | null }
  );

const SCALAR = /"(?:[^"\\\u0000-\u001f]|\\.)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const BLANK = /(?:[\s\ufeff]+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
const DEEPEST = 200;

/** JSON with comments and trailing commas, as the tools accept it. @throws config.invalid */
export function parseJsonTree(text: string, source: string): Node {
  let at = 0;
  const fail = (what: string): never => {
    const before = text.slice(0, at).split("\n");
    throw unreadable(source, before.length, (before.at(-1)?.length ?? 0) + 1, what);
  };
  const skip = (): void => {
    BLANK.lastIndex = at;
    at += BLANK.exec(text)?.[0].length ?? 0;
  };
  const takes = (character: string): boolean => {
    skip();
    if (text[at] !== character) return false;
    at += 1;
    return true;
  };
  const scalar = (): Node & { readonly kind: "scalar" } => {
    skip();
    SCALAR.lastIndex = at;
    const raw = SCALAR.exec(text)?.[0];
    if (raw === undefined) return fail(at >= text.length ? "the file ends too early" : "a value is expected");
    const start = at;
    const value = decode(raw) ?? fail("this text is no JSON");
    at += raw.length;
    return { kind: "scalar", value: value.is, start, end: at };
  };
  const value = (depth: number): Node => {
    if (depth > DEEPEST) return fail("it is nested too deep");
    skip();
    const start = at;
    if (takes("{")) {
      const properties: Property[] = [];
      while (!takes("}")) {
        if (properties.length > 0 && !takes(",")) return fail("a comma or } is expected");
        if (takes("}")) break;
        const name = scalar();
        if (typeof name.value !== "string") return fail("a name in quotes is expected");
        if (!takes(":")) return fail("a colon is expected");
        const node = value(depth + 1);
        properties.push({ name: name.value, node, start: name.start, end: node.end });
      }
      return { kind: "object", properties, start, end: at };
    }
    if (takes("[")) {
      const items: Node[] = [];
      while (!takes("]")) {
        if (items.length > 0 && !takes(",")) return fail("a comma or ] is expected");
        if (takes("]")) break;
        items.push(value(depth + 1));
      }
      return { kind: "array", items, start, end: at };
    }
    return scalar();
  };
  const root = value(0);
  skip();
  if (at < text.length) fail("nothing is expected after the value");
  return root;
}

function decode(raw: string): { readonly is: string | number | boolean | null } | null {
  try {
    return { is: JSON.parse(raw) as string | number | boolean | null };
  } catch {
    return null;
  }
}

/** The value alone. Of a name that stands twice the last one counts, as for every JSON parser. */
export function plainValue(node: Node): Json {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "array") return node.items.map(plainValue);
  return Object.fromEntries(node.properties.map(({ name, node: value }) => [name, plainValue(value)]));
}
