import { isDeepStrictEqual } from "node:util";
import { isMap, isSeq, LineCounter, parseDocument, type Document, type Node } from "yaml";
import {
  isItem,
  unchangeable,
  unreadable,
  withChange,
  type Change,
  type Format,
  type Json,
  type Step,
} from "./change.ts";

/** YAML by its library: comments, order and blank lines stay; blanks inside a line may be made even. */
export const yamlFormat: Format = {
  read: (text, source) => plain(parse(text, source)),
  edit: (text, changes, source) => {
    const document = parse(text, source);
    const before = plain(document);
    const wanted = changes.reduce<Json>((value, change) => withChange(value, change) ?? {}, before);
    if (isDeepStrictEqual(before, wanted)) return text;
    for (const change of changes) applyOne(document, change, source);
    const edited = document.toString({ lineWidth: 0, ...layoutOf(text) });
    if (isDeepStrictEqual(plain(parse(edited, source)), wanted)) return edited;
    throw unchangeable(source, "it cannot be changed without changing something else");
  },
};

function parse(text: string, source: string): Document {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const broken = document.errors[0];
  if (broken !== undefined) {
    const { line, col } = lines.linePos(broken.pos[0]);
    throw unreadable(source, line, col, broken.message);
  }
  if (document.contents !== null && !isMap(document.contents))
    throw unreadable(source, 1, 1, "a mapping is expected");
  return document;
}

function plain(document: Document): Json {
  return (document.toJS({ maxAliasCount: 100 }) ?? {}) as Json;
}

function applyOne(document: Document, { path, value }: Change, source: string): void {
  const keys: (string | number)[] = [];
  for (const step of path)
    keys.push(typeof step === "string" ? step : indexOf(document, keys, step, value, source));
  if (keys.includes(-1)) return;
  if (value === undefined) document.deleteIn(keys);
  // A plain value takes the place of the one that stands there, and leaves the remark behind it.
  else document.setIn(keys, typeof value === "object" ? document.createNode(value) : value);
}

/** Where an entry stands in its list; a missing one is made first in it. -1: there is none, and none is wanted. */
function indexOf(
  document: Document,
  keys: readonly (string | number)[],
  step: Exclude<Step, string>,
  value: Json | undefined,
  source: string,
): number {
  const list = document.getIn(keys, true) as Node | undefined;
  if (list !== undefined && !isSeq(list)) {
    if (list.toJS(document) !== null) throw unchangeable(source, `${keys.join(".")} is not a list`);
  }
  const index = isSeq(list)
    ? list.items.findIndex((item) => isItem((item as Node).toJS(document) as Json, step))
    : -1;
  if (index >= 0 || value === undefined) return index;
  const made = document.createNode({ [step.field]: step.is });
  if (!isSeq(list)) document.setIn(keys, document.createNode([]));
  const target = document.getIn(keys, true);
  if (isSeq(target)) {
    if (target.items.length === 0) target.flow = false;
    target.items.unshift(made);
  }
  return 0;
}

/** Indentation as the file has it. */
function layoutOf(text: string): { readonly indent?: number; readonly indentSeq?: boolean } {
  const nested = /^\S[^\n]*:[^\S\n]*\n((?: {2,})|)(- |\S)/m.exec(text);
  if (nested === null) return {};
  const width = nested[1]?.length ?? 0;
  if (width === 0) return nested[2] === "- " ? { indentSeq: false } : {};
  return { indent: Math.min(width, 8) };
}
