import type { TranscriptBody } from "../contract/index.ts";

const KB = 1024;
const MAX_NAME = 500;
const MAX_TEXT = 64 * KB;
const MAX_INPUT = 4 * KB;
const MAX_OUTPUT = 16 * KB;
const MAX_DIFF_SIDE = 32 * KB;
const MAX_DIFFS = 40;
const MAX_ENTRIES = 100;
const CUT = "\n… (cut)";

// ECMA-48 sequences: OSC, DCS, SOS, PM and APC with their text, CSI, and two- or three-byte escapes.
const ESCAPES =
  /(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?|\u001b[ -/]*[0-~]?/g;
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
// They change the order in which text is shown, so that it reads as something else than it is.
const BIDI_CONTROLS = /[\u202a-\u202e\u2066-\u2069]/g;

/** Text without terminal sequences, control characters and halves of surrogate pairs; lines end with `\n`. Pure. */
export function cleanText(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, "\n")
    .replace(ESCAPES, "")
    .replace(CONTROLS, "")
    .replace(BIDI_CONTROLS, "\ufffd");
}

/** Cuts text to a number of UTF-8 bytes, at a character, and says so. Pure. */
export function cutText(text: string, maxBytes: number): string {
  // No character has more than three bytes per UTF-16 unit.
  if (text.length * 3 <= maxBytes) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  let end = maxBytes - Buffer.byteLength(CUT);
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end).toString("utf8") + CUT;
}

const clean = (text: string, maxBytes: number): string => cutText(cleanText(text), maxBytes);
const cleanOrNull = (text: string | null, maxBytes: number): string | null =>
  text === null ? null : clean(text, maxBytes);

/**
 * A body as it may be stored and shown, at most about 3 MB. Hosts clean what they send, but a host may be on another
 * machine or of another version, so what is stored is cleaned here. Pure.
 */
export function cleanBody(body: TranscriptBody): TranscriptBody {
  switch (body.kind) {
    case "notice":
    case "prompt":
    case "text":
    case "thought":
    case "person":
    case "end":
      return { ...body, text: clean(body.text, MAX_TEXT) };
    case "tool":
      return {
        ...body,
        toolCallId: clean(body.toolCallId, MAX_NAME),
        title: clean(body.title, MAX_NAME),
        input: cleanOrNull(body.input, MAX_INPUT),
        output: cleanOrNull(body.output, MAX_OUTPUT),
        diffs: body.diffs.slice(0, MAX_DIFFS).map((diff) => ({
          path: clean(diff.path, MAX_NAME),
          oldText: cleanOrNull(diff.oldText, MAX_DIFF_SIDE),
          newText: clean(diff.newText, MAX_DIFF_SIDE),
        })),
      };
    case "plan":
      return {
        ...body,
        entries: body.entries
          .slice(0, MAX_ENTRIES)
          .map((entry) => ({ ...entry, text: clean(entry.text, MAX_NAME) })),
      };
    case "permission":
      return {
        ...body,
        requestId: clean(body.requestId, MAX_NAME),
        title: clean(body.title, MAX_NAME),
      };
    case "command":
      return { ...body, command: clean(body.command, MAX_INPUT), output: clean(body.output, MAX_TEXT) };
    case "result":
      return { ...body, verdict: clean(body.verdict, MAX_NAME), notes: clean(body.notes, MAX_TEXT) };
    case "usage":
      return body;
  }
}
