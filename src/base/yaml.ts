import { LineCounter, parseDocument, type Document } from "yaml";
import type { z } from "zod";
import { AppError, type ErrorCode } from "./errors.ts";
import { problemText, schemaProblems } from "./schema-problems.ts";

interface ParseYamlParams<T> {
  readonly text: string;
  /** Name of the source in errors, e.g. a path. */
  readonly source: string;
  readonly schema: z.ZodType<T>;
  readonly code: ErrorCode;
}

/** Where the parser speaks to programmers. */
const MESSAGES: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: "A second document begins here (a line ---), and only one is read",
};

/**
 * Untrusted YAML as a checked value. Aliases are limited (a "billion laughs" document is refused).
 * @throws the given code; the message names source, line, field, value and what is expected, one line per problem.
 */
export function parseYaml<T>({ text, source, schema, code }: Readonly<ParseYamlParams<T>>): T {
  // U+FFFD stands for bytes that are no UTF-8.
  const unreadable = text.search(/[\0\ufffd]/);
  if (unreadable >= 0) {
    const line = text.slice(0, unreadable).split("\n").length;
    throw new AppError({
      code,
      message: `${source}:${line}: this is no text in UTF-8.`,
      fix: `Save ${source} as text in UTF-8.`,
      details: { source, line },
    });
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const broken = document.errors[0];
  if (broken !== undefined) {
    const at = lines.linePos(broken.pos[0]);
    throw new AppError({
      code,
      message: `${source}:${at.line}:${at.col}: ${MESSAGES[broken.code] ?? broken.message}`,
      fix: `Correct the YAML in line ${at.line} of ${source}.`,
      details: { source, line: at.line },
    });
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new AppError({
      code,
      message: `${source}: too many aliases.`,
      fix: "Write the values out instead.",
      cause: error,
    });
  }
  const result = schema.safeParse(value ?? {});
  if (result.success) return result.data;
  const problems = schemaProblems(schema, result.error, value ?? {}).map((problem) => ({
    line: lineOf(document, lines, problem.path),
    ...problem,
  }));
  const fields = [...new Set(problems.map(({ field }) => field))].join(", ");
  throw new AppError({
    code,
    message: problems.map((problem) => `${source}:${problem.line}: ${problemText(problem)}`).join("\n"),
    fix: `Correct ${fields} in ${source}.`,
    details: {
      source,
      problems: problems.map(({ line, field, value: given, message }) => ({
        line,
        field,
        value: given,
        message,
      })),
    },
  });
}

/** Line of the deepest existing node along a path. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const node = document.getIn(path.slice(0, depth), true);
    if (typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range))
      return lines.linePos(Number(node.range[0])).line;
  }
  return 1;
}
