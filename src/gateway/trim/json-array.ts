const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPENING = new Set([0x7b, 0x5b]);
const CLOSING = new Set([0x7d, 0x5d]);
const OPEN_BRACKET = 0x5b;

/** Where bytes lie; `end` is after the last one. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface ArrayPlace extends Span {
  /** Its elements, without the white space around them. */
  readonly elements: readonly Span[];
}

/**
 * The place of an array in the top level of a JSON object, and of its elements, so that one of them can be replaced and
 * every other byte stays. The body must be valid JSON. Null: there is no such array, or the field stands there twice.
 */
export function findArray(body: Buffer, field: string): ArrayPlace | null {
  let found: ArrayPlace | null = null;
  let depth = 0;
  for (let position = 0; position < body.length; position += 1) {
    const byte = body[position] ?? 0;
    if (OPENING.has(byte)) depth += 1;
    else if (CLOSING.has(byte)) depth -= 1;
    if (byte !== QUOTE) continue;
    const end = endOfString(body, position);
    if (depth === 1 && body.toString("utf8", position + 1, end) === field) {
      const colon = skipSpace(body, end + 1);
      if (body[colon] === COLON) {
        if (found !== null) return null;
        const start = skipSpace(body, colon + 1);
        if (body[start] !== OPEN_BRACKET) return null;
        found = arrayAt(body, start);
        position = found.end - 1;
        continue;
      }
    }
    position = end;
  }
  return found;
}

function arrayAt(body: Buffer, start: number): ArrayPlace {
  const elements: Span[] = [];
  let depth = 0;
  let from = skipSpace(body, start + 1);
  for (let position = start + 1; position < body.length; position += 1) {
    const byte = body[position] ?? 0;
    if (byte === QUOTE) position = endOfString(body, position);
    else if (OPENING.has(byte)) depth += 1;
    else if (depth > 0 && CLOSING.has(byte)) depth -= 1;
    else if (depth === 0 && (byte === COMMA || CLOSING.has(byte))) {
      const end = trimEnd(body, from, position);
      if (end > from) elements.push({ start: from, end });
      if (byte !== COMMA) return { start, end: position + 1, elements };
      from = skipSpace(body, position + 1);
    }
  }
  return { start, end: body.length, elements };
}

function endOfString(body: Buffer, start: number): number {
  for (let end = body.indexOf(QUOTE, start + 1); end !== -1; end = body.indexOf(QUOTE, end + 1)) {
    let backslashes = 0;
    while (body[end - 1 - backslashes] === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return body.length;
}

const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d);

function skipSpace(body: Buffer, from: number): number {
  let position = from;
  while (isSpace(body[position])) position += 1;
  return position;
}

function trimEnd(body: Buffer, from: number, to: number): number {
  let end = to;
  while (end > from && isSpace(body[end - 1])) end -= 1;
  return end;
}
