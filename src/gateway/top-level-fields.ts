const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACE = 0x7d;
const CLOSE_BRACKET = 0x5d;
const LONGEST_MODEL = 200;
/** Longest value that is looked at; longer ones (messages, tools) are none of ours. */
const LONGEST_VALUE = 512;

/** Where a value of a JSON object's top level lies. */
interface Span {
  readonly start: number;
  /** After its last byte. */
  readonly end: number;
}

/**
 * The places of simple values (texts, numbers, true, false, null) of a JSON object's top level, without parsing the rest:
 * bodies of agents have 100 KB and more. Nothing is said about the validity of the body. Stops when all are found.
 */
export function findTopLevel<Name extends string>(
  body: Buffer,
  names: readonly Name[],
): Partial<Record<Name, Span>> {
  const found: Partial<Record<Name, Span>> = {};
  let missing = names.length;
  let depth = 0;
  let position = 0;
  while (position < body.length && missing > 0) {
    const byte = body[position] ?? 0;
    if (byte !== QUOTE) {
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        depth -= 1;
        if (depth <= 0) return found;
      }
      position += 1;
      continue;
    }
    const end = endOfString(body, position);
    if (end === -1) return found;
    const start = depth === 1 ? valueAfter(body, end + 1) : -1;
    if (start !== -1) {
      const name = names.find(
        (one) => one.length === end - position - 1 && body.toString("latin1", position + 1, end) === one,
      );
      const span = name === undefined || name in found ? null : spanAt(body, start);
      if (name !== undefined && span !== null) {
        found[name] = span;
        missing -= 1;
        position = span.end;
        continue;
      }
    }
    position = end + 1;
  }
  return found;
}

/** Start of the value where a colon follows, else -1. */
function valueAfter(body: Buffer, from: number): number {
  let position = skipSpace(body, from);
  if (body[position] !== COLON) return -1;
  position = skipSpace(body, position + 1);
  return position < body.length ? position : -1;
}

function skipSpace(body: Buffer, from: number): number {
  let position = from;
  for (let byte = body[position]; byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d);)
    byte = body[(position += 1)];
  return position;
}

function spanAt(body: Buffer, start: number): Span | null {
  if (body[start] === QUOTE) {
    const end = endOfString(body, start);
    return end === -1 || end - start > LONGEST_VALUE ? null : { start, end: end + 1 };
  }
  const text = body.toString("latin1", start, start + 40);
  const value = /^(?:-?\d[\d.eE+-]*|true|false|null)/.exec(text)?.[0];
  return value === undefined ? null : { start, end: start + value.length };
}

/** Most texts of a request end so soon that a call of `indexOf` takes longer than looking. */
const LOOKED_AT = 48;

function endOfString(body: Buffer, start: number): number {
  let end = start + 1;
  const until = Math.min(body.length, end + LOOKED_AT);
  while (end < until && body[end] !== QUOTE) end += 1;
  if (end === until) end = body.indexOf(QUOTE, end);
  while (end !== -1) {
    let backslashes = 0;
    while (body[end - 1 - backslashes] === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end;
    end = body.indexOf(QUOTE, end + 1);
  }
  return -1;
}

function valueOf(body: Buffer, span: Span | undefined): unknown {
  if (span === undefined) return undefined;
  try {
    return JSON.parse(body.toString("utf8", span.start, span.end));
  } catch {
    return undefined;
  }
}

/** The text `model`; null where there is none. */
export function modelOf(body: Buffer): string | null {
  const name = valueOf(body, findTopLevel(body, ["model"]).model);
  return typeof name === "string" && name !== "" ? name.slice(0, LONGEST_MODEL) : null;
}

/** The same body with another model; every other byte stays. Unchanged where it names none. */
export function withModel(body: Buffer, model: string): Buffer {
  const span = findTopLevel(body, ["model"]).model;
  if (span === undefined) return body;
  const name = Buffer.from(JSON.stringify(model));
  return Buffer.concat([body.subarray(0, span.start), name, body.subarray(span.end)]);
}

const OUTPUT_LIMITS = [
  "max_tokens",
  "max_completion_tokens",
  "max_output_tokens",
  "maxOutputTokens",
] as const;
/** Gemini's object that holds its limit, in both spellings that it takes. */
const GEMINI_CONFIGS = ["generationConfig", "generation_config"] as const;

/** The largest answer that a request allows, in tokens; null: it does not say. */
export function outputLimitOf(body: Buffer): number | null {
  const limit = largestLimit(body);
  if (limit !== null) return limit;
  const config = GEMINI_CONFIGS.map((name) => objectAfter(body, `"${name}"`)).find((start) => start !== -1);
  return config === undefined ? null : largestLimit(body.subarray(config));
}

function largestLimit(body: Buffer): number | null {
  const found = findTopLevel(body, OUTPUT_LIMITS);
  const limits = OUTPUT_LIMITS.map((name) => valueOf(body, found[name])).filter(
    (value): value is number => typeof value === "number" && value > 0,
  );
  return limits.length === 0 ? null : Math.max(...limits);
}

/** Start of the object that a name, in its quotes, stands for; -1: there is none. */
function objectAfter(body: Buffer, name: string): number {
  const at = body.indexOf(name);
  const start = at === -1 ? -1 : valueAfter(body, at + name.length);
  return start !== -1 && body[start] === OPEN_BRACE ? start : -1;
}

/** Whether a stream is asked for. */
export function wantsStream(body: Buffer): boolean {
  return valueOf(body, findTopLevel(body, ["stream"]).stream) === true;
}
