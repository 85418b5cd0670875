// Escape sequences in the forms that terminals act on: CSI, OSC (ended by BEL or ST), other string sequences, two-character ones.
const ESCAPES =
  /\u001b\[[0-?]*[ -/]*[@-~]|\u009b[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[PX^_][^\u001b]*(?:\u001b\\)?|\u001b[ -/]*[0-~]/g;
// Everything else below space but tab and newline, the C1 range, and marks that reorder or hide text.
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** Text without anything that a terminal or a reader could be deceived by: escape sequences, control and bidi characters. Pure. */
export function cleanText(text: string): string {
  return text.replace(ESCAPES, "").replaceAll("\r\n", "\n").replaceAll("\r", "\n").replace(CONTROLS, "");
}

/** `text` cut to `maxBytes` of UTF-8 at a character's border, with a mark of what is missing. Pure. */
export function cutText(text: string, maxBytes: number): string {
  // A UTF-16 unit is at most 3 bytes: short texts, nearly all, are not encoded at all.
  if (text.length * 3 <= maxBytes) return text;
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length <= maxBytes) return text;
  let end = maxBytes;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.toString("utf8", 0, end)}\n… (${bytes.length - end} more bytes)`;
}

/** Keeps the last `maxBytes` of what is pushed, for error messages. */
export function createTail(maxBytes: number): { push(chunk: Buffer): void; text(): string } {
  let chunks: Buffer[] = [];
  let sizeBytes = 0;
  return {
    push: (chunk) => {
      const kept = chunk.length > maxBytes ? chunk.subarray(chunk.length - maxBytes) : chunk;
      chunks.push(kept);
      sizeBytes += kept.length;
      // Joined only at twice the size: a flood of small chunks stays linear.
      if (sizeBytes <= maxBytes * 2 && chunks.length < 1_000) return;
      const joined = Buffer.concat(chunks);
      chunks = [joined.subarray(Math.max(0, joined.length - maxBytes))];
      sizeBytes = chunks[0]?.length ?? 0;
    },
    text: () => {
      const joined = Buffer.concat(chunks);
      return cleanText(joined.subarray(Math.max(0, joined.length - maxBytes)).toString("utf8")).trim();
    },
  };
}
