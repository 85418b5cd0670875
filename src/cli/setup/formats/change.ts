import { AppError } from "../../../base/index.ts";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** A field of a mapping, or the entry of a list of mappings in which `field` is `is`. */
export type Step = string | { readonly field: string; readonly is: string };

/** One setting of a configuration file. */
export interface Change {
  readonly path: readonly Step[];
  /** Undefined: the setting is taken out. */
  readonly value: Json | undefined;
}

/** How one kind of file is read and changed. All functions are pure. */
export interface Format {
  /** The whole file as a value; an empty file is `{}`. @throws config.invalid naming source, line and column. */
  readonly read: (text: string, source: string) => Json;
  /**
   * The text with these changes; everything else, comments too, stays. Mappings on the way are made.
   * @throws config.invalid where the text cannot be read, or where the changes cannot be made safely.
   */
  readonly edit: (text: string, changes: readonly Change[], source: string) => string;
}

export function isMapping(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What stands at a path; undefined: nothing. */
export function valueAt(value: Json, path: readonly Step[]): Json | undefined {
  let at: Json | undefined = value;
  for (const step of path) {
    if (typeof step === "string") at = isMapping(at) && Object.hasOwn(at, step) ? at[step] : undefined;
    else at = Array.isArray(at) ? (at as readonly Json[]).find((item) => isItem(item, step)) : undefined;
    if (at === undefined) return undefined;
  }
  return at;
}

export const isItem = (item: Json, step: Exclude<Step, string>): boolean =>
  isMapping(item) && item[step.field] === step.is;

/** The same change on a plain value: what an edited text has to say. A new entry comes first in its list. */
export function withChange(value: Json | undefined, { path, value: wanted }: Change): Json | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return wanted;
  if (typeof step === "string") {
    const mapping = isMapping(value) ? value : {};
    const changed = withChange(Object.hasOwn(mapping, step) ? mapping[step] : undefined, {
      path: rest,
      value: wanted,
    });
    const others = Object.entries(mapping).filter(([name]) => name !== step);
    if (changed === undefined)
      return wanted === undefined && !isMapping(value) ? value : Object.fromEntries(others);
    return Object.fromEntries([...others, [step, changed]]);
  }
  const list: readonly Json[] = Array.isArray(value) ? value : [];
  const found = list.find((item) => isItem(item, step));
  const changed = withChange(found ?? (wanted === undefined ? undefined : { [step.field]: step.is }), {
    path: rest,
    value: wanted,
  });
  if (found === undefined) return changed === undefined ? value : [changed, ...list];
  return list.flatMap((item) => (item !== found ? [item] : changed === undefined ? [] : [changed]));
}

/** Without the mappings along a path of which nothing is left, innermost first. */
export function withoutEmptied(value: Json, path: readonly Step[]): Json {
  let left = value;
  for (let depth = path.length - 1; depth > 0; depth -= 1) {
    const inner = valueAt(left, path.slice(0, depth));
    if (!isMapping(inner) || Object.keys(inner).length > 0) break;
    left = withChange(left, { path: path.slice(0, depth), value: undefined }) ?? {};
  }
  return left;
}

/** The file is the person's to mend: nothing of it is changed. */
export function unreadable(source: string, line: number, column: number, what: string): AppError {
  return new AppError({
    code: "config.invalid",
    message: `${source}:${line}:${column}: ${what}. Nothing was changed.`,
    fix: `Correct line ${line} of ${source}, then run this again.`,
    details: { source, line, column },
  });
}

/** The changes cannot be made in this file without risk for the rest of it. */
export function unchangeable(source: string, what: string): AppError {
  return new AppError({
    code: "config.invalid",
    message: `${source}: ${what}. Nothing was changed.`,
    fix: `Take that setting out of ${source} or write it in another way, then run this again.`,
    details: { source },
  });
}
