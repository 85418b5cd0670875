import type { IncomingMessage } from "node:http";

export type BodyOutcome =
  | { readonly outcome: "read"; readonly body: Buffer }
  /** The rest is not read; the connection must be closed after the answer. */
  | { readonly outcome: "too_large" }
  | { readonly outcome: "aborted" };

/** Reads a whole request body, whatever framing it has, and never holds more than `maxBytes`. */
export function readRequestBody(request: IncomingMessage, maxBytes: number): Promise<BodyOutcome> {
  const declared = Number(request.headers["content-length"] ?? "0");
  if (declared > maxBytes) return Promise.resolve({ outcome: "too_large" });
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (outcome: BodyOutcome): void => {
      request.off("data", onData).off("end", onEnd).off("close", onClose).off("error", onClose);
      // Without a listener a late reset of the connection would be an uncaught error.
      request.on("error", () => {});
      resolve(outcome);
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > maxBytes) {
        request.pause();
        return settle({ outcome: "too_large" });
      }
      chunks.push(chunk);
    };
    const onEnd = (): void =>
      settle({ outcome: "read", body: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks) });
    const onClose = (): void => settle({ outcome: "aborted" });
    request.on("data", onData).on("end", onEnd).on("close", onClose).on("error", onClose);
  });
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = new Set([0x7b, 0x5b]);
const CLOSE = new Set([0x7d, 0x5d]);
const LONGEST_MODEL = 200;

/**
 * The string `model` of a JSON object's top level, without parsing the rest (bodies of agents have 100 KB and more, and
 * the name stands first in nearly all). Null where there is none; nothing is said about the validity of the body.
 */
export function modelOf(body: Buffer): string | null {
  let depth = 0;
  let position = 0;
  while (position < body.length) {
    const byte = body[position] ?? 0;
    if (byte !== QUOTE) {
      if (OPEN.has(byte)) depth += 1;
      else if (CLOSE.has(byte)) depth -= 1;
      position += 1;
      continue;
    }
    const end = endOfString(body, position);
    if (end === -1) return null;
    if (depth === 1 && body.toString("latin1", position, end + 1) === '"model"') {
      const value = /^\s*:\s*("(?:[^"\\]|\\.)*")/.exec(
        body.toString("utf8", end + 1, end + 1 + 2 * LONGEST_MODEL),
      )?.[1];
      if (value !== undefined) return parseName(value);
    }
    position = end + 1;
  }
  return null;
}

function endOfString(body: Buffer, start: number): number {
  let end = body.indexOf(QUOTE, start + 1);
  while (end !== -1) {
    let backslashes = 0;
    while (body[end - 1 - backslashes] === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end;
    end = body.indexOf(QUOTE, end + 1);
  }
  return -1;
}

function parseName(json: string): string | null {
  try {
    const name: unknown = JSON.parse(json);
    return typeof name === "string" ? name.slice(0, LONGEST_MODEL) : null;
  } catch {
    return null;
  }
}
