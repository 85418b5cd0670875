// ECMA-48 sequences: OSC, DCS, SOS, PM and APC with their text, CSI, and two- or three-byte escapes.
const ESCAPES =
  /(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?|\u001b[ -/]*[0-~]?/g;
// Everything else below space but tab and newline, the C1 range, and marks of direction and byte order, which nobody sees.
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\ufeff]/g;
// They change the order in which text is shown, so that it reads as something else than it is.
const BIDI_CONTROLS = /[\u202a-\u202e\u2066-\u2069]/g;

/**
 * Text without anything by which a terminal or a reader could be deceived: escape sequences, control characters and halves of
 * surrogate pairs; lines end with `\n`. Pure.
 */
export function cleanText(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, "\n")
    .replace(ESCAPES, "")
    .replace(CONTROLS, "")
    .replace(BIDI_CONTROLS, "\ufffd");
}

/** At most `maxBytes` of UTF-8, cut at a character, with a mark of how much is missing where there is room for it. Pure. */
export function cutText(text: string, maxBytes: number): string {
  // A UTF-16 unit is at most 3 bytes: short texts, nearly all, are not encoded at all.
  if (text.length * 3 <= maxBytes) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  const room = maxBytes - markOf(bytes.length).length - 2;
  const end = startOfCharacter(bytes, room > 0 ? room : maxBytes);
  const kept = bytes.toString("utf8", 0, end);
  return room > 0 ? kept + markOf(bytes.length - end) : kept;
}

/** Both: text as it may be stored and shown. */
export const cleanCut = (text: string, maxBytes: number): string => cutText(cleanText(text), maxBytes);

const markOf = (missing: number): string => `\n… (${missing} more bytes)`;

function startOfCharacter(bytes: Buffer, at: number): number {
  let start = at;
  while (start > 0 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start -= 1;
  return start;
}
