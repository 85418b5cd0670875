import type { TranscriptBody } from "./transcript.ts";

const KB = 1024;
const MAX_TITLE = 500;
const MAX_TEXT = 64 * KB;
const MAX_INPUT = 4 * KB;
const MAX_OUTPUT = 16 * KB;
const MAX_DIFF_SIDE = 32 * KB;
const MAX_DIFFS = 40;
const MAX_ENTRIES = 100;

/** The body with each text as `clean` gives it back for the most bytes that it may have; about 3 MB in all. */
export function cleanBody(
  body: TranscriptBody,
  clean: (text: string, maxBytes: number) => string,
): TranscriptBody {
  const cleanOrNull = (text: string | null, maxBytes: number): string | null =>
    text === null ? null : clean(text, maxBytes);
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
        toolCallId: clean(body.toolCallId, MAX_TITLE),
        title: clean(body.title, MAX_TITLE),
        input: cleanOrNull(body.input, MAX_INPUT),
        output: cleanOrNull(body.output, MAX_OUTPUT),
        diffs: body.diffs.slice(0, MAX_DIFFS).map((diff) => ({
          path: clean(diff.path, MAX_TITLE),
          oldText: cleanOrNull(diff.oldText, MAX_DIFF_SIDE),
          newText: clean(diff.newText, MAX_DIFF_SIDE),
        })),
      };
    case "plan":
      return {
        ...body,
        entries: body.entries
          .slice(0, MAX_ENTRIES)
          .map((entry) => ({ ...entry, text: clean(entry.text, MAX_TITLE) })),
      };
    case "permission":
      return { ...body, requestId: clean(body.requestId, MAX_TITLE), title: clean(body.title, MAX_TITLE) };
    case "command":
      return { ...body, command: clean(body.command, MAX_INPUT), output: clean(body.output, MAX_TEXT) };
    case "result":
      return { ...body, verdict: clean(body.verdict, MAX_TITLE), notes: clean(body.notes, MAX_TEXT) };
    case "usage":
      return body;
  }
}
