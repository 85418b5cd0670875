import { cleanText, cutText } from "../../../base/index.ts";
import { transcriptBody } from "../../../contract/index.ts";
import type { LineParser } from "./line-meaning.ts";

const ALLOWED = new Set(["text", "thought", "tool", "plan", "usage", "notice"]);
const MAX_FIELD_BYTES = 16 * 1024;

/**
 * Our own format: each line is a transcript event (`{"kind":"text","text":"…"}`, `tool`, `plan`, `usage`, `notice`).
 * Kinds that only the host may say (results, permissions, prompts) are not taken from a program.
 */
export const parseEventLine: LineParser = (value) => {
  const parsed = transcriptBody.safeParse(cleanStrings(value));
  if (!parsed.success || !ALLOWED.has(parsed.data.kind)) return null;
  const event = parsed.data;
  if (event.kind === "usage")
    return {
      events: [event],
      usage: { tokensIn: event.tokensIn ?? 0, tokensOut: event.tokensOut ?? 0 },
    };
  return { events: [event] };
};

function cleanStrings(value: unknown): unknown {
  if (typeof value === "string") return cutText(cleanText(value), MAX_FIELD_BYTES);
  if (Array.isArray(value)) return value.slice(0, 200).map(cleanStrings);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, cleanStrings(inner)]));
}
