import type { z } from "zod";
import { AppError } from "../base/index.ts";

const LONGEST_SHOWN = 100;

interface InputProblem {
  readonly field: string;
  /** As it was sent, cut; null where it is missing or an object. */
  readonly value: string | null;
  readonly message: string;
}

/**
 * An untrusted part of a request as a checked value.
 * @throws input.invalid naming every field, its value and what is expected; `details.problems` has them apart.
 */
export function parseInput<S extends z.ZodType>(
  schema: S,
  value: unknown,
  part: "path" | "query" | "body",
): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue): InputProblem[] =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => problemAt(value, [...issue.path, key], "there is no such field", part))
      : [problemAt(value, issue.path, issue.message, part)],
  );
  const first = problems[0];
  throw new AppError({
    code: "input.invalid",
    message: `${problems.map(sentenceOf).join("; ")}.`,
    fix: `Correct ${problems.map(({ field }) => field).join(", ")}.`,
    details: { part, field: first?.field, value: first?.value, problems },
  });
}

function problemAt(
  value: unknown,
  path: readonly PropertyKey[],
  message: string,
  part: string,
): InputProblem {
  let found: unknown = value;
  for (const key of path) found = isObject(found) ? found[key] : undefined;
  const field = path.map(String).join(".") || part;
  return { field, value: shown(found), message: message.charAt(0).toLowerCase() + message.slice(1) };
}

const isObject = (value: unknown): value is Record<PropertyKey, unknown> =>
  typeof value === "object" && value !== null;

function shown(value: unknown): string | null {
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return null;
  const text = String(value);
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}

const sentenceOf = ({ field, value, message }: InputProblem): string =>
  value === null ? `${field}: ${message}` : `${field} "${value}": ${message}`;
