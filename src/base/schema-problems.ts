import { z } from "zod";
import { closestWord } from "./similar.ts";

/** One thing that is wrong with an untrusted value. */
export interface SchemaProblem {
  readonly path: readonly PropertyKey[];
  /** Path as people write it, e.g. `steps.0.role`; `(top level)` for the whole. */
  readonly field: string;
  /** As it was given, cut; null where it is missing or no plain value. */
  readonly value: string | null;
  /** What is expected, without field and value. */
  readonly message: string;
}

const LONGEST_SHOWN = 100;
const MOST_KNOWN = 12;

/** What a schema finds wrong with a value, field by field, each with the value it has and what would be right. */
export function schemaProblems(schema: z.ZodType, error: z.ZodError, value: unknown): SchemaProblem[] {
  return error.issues
    .flatMap(spread)
    .flatMap((issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys.map((key) =>
            problemAt(value, [...issue.path, key], unknownField(schema, issue.path, key)),
          )
        : [problemAt(value, issue.path, messageOf(issue, value))],
    );
}

/** One line for people: field, value, expectation. */
export const problemText = ({ field, value, message }: SchemaProblem): string =>
  value === null ? `${field}: ${message}` : `${field} ${JSON.stringify(value)}: ${message}`;

/** A union says only that nothing fits; the branch that the writer most likely meant says why. */
function spread(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return [issue];
  const branches = issue.errors.filter((branch) => branch.length > 0);
  const meant =
    branches.find(
      (branch) => !branch.some((inner) => inner.path.length === 0 && inner.code === "invalid_type"),
    ) ?? null;
  if (meant === null) return [issue];
  return meant.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })).flatMap(spread);
}

function messageOf(issue: z.core.$ZodIssue, value: unknown): string {
  if (issue.code === "invalid_type" && valueAt(value, issue.path) === undefined)
    return `it is missing; expected ${issue.expected}`;
  return issue.message.charAt(0).toLowerCase() + issue.message.slice(1);
}

function problemAt(value: unknown, path: readonly PropertyKey[], message: string): SchemaProblem {
  const field = path.map(String).join(".") || "(top level)";
  return { path, field, value: shown(valueAt(value, path)), message };
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let found: unknown = value;
  for (const key of path)
    found =
      typeof found === "object" && found !== null && Object.hasOwn(found, key)
        ? (found as Record<PropertyKey, unknown>)[key]
        : undefined;
  return found;
}

function shown(value: unknown): string | null {
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return null;
  const text = String(value);
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}

function unknownField(schema: z.ZodType, path: readonly PropertyKey[], key: string): string {
  const known = knownFields(schema, path);
  const meant = closestWord(key, known);
  if (meant !== null) return `there is no such field; did you mean "${meant}"?`;
  if (known.length === 0) return "there is no such field";
  const rest = known.length > MOST_KNOWN ? ", …" : "";
  return `there is no such field; known are ${known.slice(0, MOST_KNOWN).join(", ")}${rest}`;
}

/** Names of the fields that the schema knows at a path. */
export function knownFields(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let places: z.core.$ZodType[] = unwrap(schema);
  for (const key of path) places = places.flatMap((place) => inside(place, key)).flatMap(unwrap);
  const names = places.flatMap((place) => (place instanceof z.ZodObject ? Object.keys(place.shape) : []));
  return [...new Set(names)];
}

function inside(place: z.core.$ZodType, key: PropertyKey): z.core.$ZodType[] {
  if (place instanceof z.ZodArray) return [place.element];
  if (place instanceof z.ZodRecord) return [place.valueType];
  if (!(place instanceof z.ZodObject)) return [];
  const found = (place.shape as Record<PropertyKey, z.core.$ZodType>)[key];
  return found === undefined ? [] : [found];
}

/** The schemas behind defaults, optional values, transformations and unions. */
function unwrap(schema: z.core.$ZodType): z.core.$ZodType[] {
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(unwrap);
  if (schema instanceof z.ZodPipe) return unwrap(schema.in);
  if (
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable
  )
    return unwrap(schema.unwrap());
  return [schema];
}
