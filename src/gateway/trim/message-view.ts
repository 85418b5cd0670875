import type { CountText } from "./count-tokens.ts";

/** What a message is to the planner. `fixed` ones are never touched: instructions, and what we do not know. */
export const MESSAGE_KINDS = ["fixed", "human", "assistant", "results"] as const;
export type MessageKind = (typeof MESSAGE_KINDS)[number];

/** The answer of a tool, which can be cleared. */
export interface ResultView {
  readonly callId: string;
  readonly tokens: number;
  /** The same for the same content. */
  readonly digest: string;
}

/** A message of any dialect, as far as trimming needs to know it. */
export interface MessageView {
  readonly kind: MessageKind;
  /** Of the whole message. */
  readonly tokens: number;
  /** Ids of the tool calls that it makes. */
  readonly calls: readonly string[];
  /** In the order in which the message has them. */
  readonly results: readonly ResultView[];
}

/** What an image or a document counts; providers take 800 to 1,600 for one of usual size. */
const MEDIA_TOKENS = 1_600;
const MEDIA_TYPES = new Set([
  "image",
  "image_url",
  "input_image",
  "document",
  "file",
  "input_file",
  "input_audio",
]);
/** Gemini names what it is by the field that holds it. */
const MEDIA_FIELDS = new Set(["inlineData", "inline_data", "fileData", "file_data"]);
/** Names of fields and brackets, each about one token. */
const TOKENS_PER_FIELD = 2;
/** Deeper values are not looked at: nothing good is that deep. */
const DEEPEST = 100;

/** Tokens of a JSON value: its texts, and a little for its structure. */
export function tokensOf(value: unknown, count: CountText, depth = 0): number {
  if (typeof value === "string") return count(value);
  if (value === null || typeof value !== "object") return 1;
  if (depth > DEEPEST) return 0;
  if (Array.isArray(value))
    return value.reduce<number>((sum, one) => sum + tokensOf(one, count, depth + 1), 0);
  const fields = Object.entries(value);
  if (fields.some(([name, kind]) => name === "type" && typeof kind === "string" && MEDIA_TYPES.has(kind)))
    return MEDIA_TOKENS;
  return fields.reduce((sum, [name, one]) => {
    if (name === "cache_control") return sum;
    const isMedia = MEDIA_FIELDS.has(name) && typeof one === "object";
    return sum + TOKENS_PER_FIELD + (isMedia ? MEDIA_TOKENS : tokensOf(one, count, depth + 1));
  }, 0);
}
