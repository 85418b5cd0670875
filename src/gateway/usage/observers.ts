import { parseJson } from "../../base/index.ts";
import type { EventFacts, Format } from "./formats.ts";
import { objectOf, UNKNOWN_USAGE, type Observation, type Observer, type TokenUsage } from "./usage.ts";

const NEWLINE = 0x0a;
// A `response.completed` event repeats the whole answer; more than this is passed on but not read.
const LONGEST_LINE_BYTES = 16 * 1024 * 1024;
const LONGEST_DOCUMENT_BYTES = 32 * 1024 * 1024;
// Longer events are looked at from outside only: parsing them would hold up the others.
const LONGEST_CHECKED = 64 * 1024;
const DATA = Buffer.from("data:");
/** Ends streams of OpenAI's kind, and some servers send it in all dialects. */
const DONE = "[DONE]";

/** Reads server-sent events as they pass, in any chunking. */
export function createStreamObserver(format: Format): Observer {
  let partial: Buffer[] = [];
  let partialBytes = 0;
  let model: string | null = null;
  let usage = UNKNOWN_USAGE;
  let complete = false;
  let ended = false;
  let failed = false;
  let malformed = false;

  const apply = (facts: EventFacts): void => {
    model = facts.model ?? model;
    if (facts.usage !== undefined) usage = merge(usage, facts.usage);
    complete ||= facts.complete === true;
    ended ||= facts.ended === true;
    failed ||= facts.failed === true;
  };

  const readLine = (bytes: Buffer, start: number, end: number): void => {
    const from = start + DATA.length;
    if (end < from || !startsWith(bytes, start, DATA)) return;
    const data = bytes.toString("utf8", from, end).trim();
    if (data === DONE) {
      if (format.endsWithDone) apply({ ended: true });
      return;
    }
    if (data === "") return;
    const relevant = format.isRelevant(data);
    if (!relevant && data.length > LONGEST_CHECKED) {
      malformed ||= !data.startsWith("{") || !data.endsWith("}");
      return;
    }
    const event = parseJson(data);
    if (event === undefined) malformed = true;
    else if (relevant) apply(format.ofEvent(objectOf(event)));
  };

  const readWhole = (): void => {
    const line = Buffer.concat(partial);
    readLine(line, 0, line.length);
  };

  const keep = (bytes: Buffer): void => {
    partialBytes += bytes.length;
    if (partialBytes <= LONGEST_LINE_BYTES) partial.push(bytes);
    else partial = [];
  };

  return {
    isMalformed: () => malformed,
    push: (chunk) => {
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
        if (partialBytes === 0) readLine(chunk, start, end);
        else {
          keep(chunk.subarray(start, end));
          readWhole();
          partial = [];
          partialBytes = 0;
        }
        start = end + 1;
      }
      if (start < chunk.length) keep(chunk.subarray(start));
    },
    finish: () => {
      if (partialBytes > 0) readWhole();
      return { model, usage, complete, ended, failed, malformed };
    },
  };
}

/** Byte by byte: a call of a native function for each line takes longer. */
function startsWith(bytes: Buffer, at: number, word: Buffer): boolean {
  for (let index = 0; index < word.length; index += 1) if (bytes[at + index] !== word[index]) return false;
  return true;
}

/** Keeps a JSON answer to read it at its end. */
export function createDocumentObserver(format: Format): Observer {
  let chunks: Buffer[] = [];
  let size = 0;
  return {
    isMalformed: () => false,
    push: (chunk) => {
      size += chunk.length;
      if (size <= LONGEST_DOCUMENT_BYTES) chunks.push(chunk);
      else chunks = [];
    },
    finish: () => {
      const tooLong = size > LONGEST_DOCUMENT_BYTES;
      const document = tooLong ? {} : parseJson(Buffer.concat(chunks).toString("utf8"));
      // Gemini's streams without `alt=sse` are one array, of which the last element has the whole usage.
      const parts: unknown[] = Array.isArray(document) ? document : [document];
      let usage = UNKNOWN_USAGE;
      let model: string | null = null;
      for (const part of parts) {
        const facts = format.ofDocument(objectOf(part));
        usage = merge(usage, facts.usage ?? UNKNOWN_USAGE);
        model = facts.model ?? model;
      }
      const complete = usage.output !== null;
      return { model, usage, complete, ended: true, failed: false, malformed: document === undefined };
    },
  };
}

/** Reads nothing: an answer without usage, or one whose encoding we do not know. */
export const blindObserver: Observer = {
  push: () => {},
  isMalformed: () => false,
  finish: (): Observation => ({
    model: null,
    usage: UNKNOWN_USAGE,
    complete: false,
    ended: true,
    failed: false,
    malformed: false,
  }),
};

function merge(older: TokenUsage, newer: TokenUsage): TokenUsage {
  return {
    input: newer.input ?? older.input,
    output: newer.output ?? older.output,
    cacheRead: newer.cacheRead ?? older.cacheRead,
    cacheWrite: newer.cacheWrite ?? older.cacheWrite,
    cacheWriteHour: newer.cacheWriteHour ?? older.cacheWriteHour,
    reasoning: newer.reasoning ?? older.reasoning,
    webSearches: newer.webSearches ?? older.webSearches,
  };
}
