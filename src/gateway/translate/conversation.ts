import type { EndpointName } from "../endpoints.ts";

/** Endpoints between which calls are translated. */
export const SPOKEN = ["messages", "chat_completions", "responses", "generate_content"] as const;
export type Spoken = Extract<EndpointName, (typeof SPOKEN)[number]>;

export interface TextPart {
  readonly type: "text";
  readonly text: string;
}

/** Bytes of an image or a file, or where they are. */
export type Source =
  | { readonly kind: "base64"; readonly mediaType: string; readonly data: string }
  | { readonly kind: "url"; readonly url: string; readonly mediaType: string | null };

export interface ImagePart {
  readonly type: "image";
  readonly source: Source;
  /** OpenAI's wish for resolution; null: none. */
  readonly detail: string | null;
}

export interface FilePart {
  readonly type: "file";
  readonly source: Source;
  readonly name: string | null;
}

/**
 * What a provider wants to see again beside its own thinking, and what nobody else can read. Gemini puts it on the part
 * that follows the thinking; here it always belongs to the thinking before, which may have no text.
 */
export interface Proof {
  /** Whose it is: it is worthless elsewhere. */
  readonly of: Spoken;
  /** A signature or the encrypted thinking itself. */
  readonly value: string;
  /** Id of the item at OpenAI; null elsewhere. */
  readonly id: string | null;
  /** The thinking is in `value` only. */
  readonly redacted: boolean;
}

export interface ThinkingPart {
  readonly type: "thinking";
  readonly text: string;
  readonly proof: Proof | null;
}

export interface ToolCallPart {
  readonly type: "tool_call";
  readonly id: string;
  readonly name: string;
  /** JSON, as the model wrote it: it need not be valid. */
  readonly input: string;
}

export interface ToolResultPart {
  readonly type: "tool_result";
  readonly callId: string;
  readonly content: readonly (TextPart | ImagePart | FilePart)[];
  readonly isError: boolean;
}

export type UserPart = TextPart | ImagePart | FilePart | ToolResultPart;
export type AssistantPart = TextPart | ThinkingPart | ToolCallPart;

/** Turns of one role may follow one another. `system`: instructions in the middle of the conversation. */
export type Turn =
  | { readonly role: "user"; readonly parts: readonly UserPart[] }
  | { readonly role: "assistant"; readonly parts: readonly AssistantPart[] }
  | { readonly role: "system"; readonly parts: readonly TextPart[] };

export interface Tool {
  /** Unique in the conversation. */
  readonly name: string;
  readonly description: string | null;
  /** JSON schema of its input, an object. */
  readonly schema: Readonly<Record<string, unknown>>;
  readonly strict: boolean | null;
  /** `text`: its caller gives and wants free text, which goes as `TEXT_INPUT` everywhere else. */
  readonly takes: "json" | "text";
  /** As its caller knows it, where that is more than `name`: OpenAI groups tools. */
  readonly group: { readonly namespace: string; readonly name: string } | null;
}

export type ToolChoice =
  { readonly type: "auto" | "any" | "none" } | { readonly type: "tool"; readonly name: string };

export const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;
export type Effort = (typeof EFFORTS)[number];

/** How much the model shall think. */
export interface Thinking {
  readonly effort: Effort;
  /** Most tokens of it; null: as the effort says. */
  readonly budgetTokens: number | null;
  /** Whether the caller knows that the model can think: OpenAI's callers do, for its older models refuse the field. */
  readonly isKnown: boolean;
}

export type Format =
  | { readonly type: "json_object" }
  | {
      readonly type: "json_schema";
      readonly name: string | null;
      readonly description: string | null;
      readonly schema: Readonly<Record<string, unknown>>;
      readonly strict: boolean | null;
    };

/** How the model picks its words; null: as it pleases. */
export interface Sampling {
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly topK: number | null;
  readonly frequencyPenalty: number | null;
  readonly presencePenalty: number | null;
  /** A hint only. */
  readonly seed: number | null;
}

/** A request in nobody's dialect. */
export interface Conversation {
  readonly from: Spoken;
  /** As the provider that is asked knows it. */
  readonly model: string;
  readonly stream: boolean;
  /** Whether a stream shall tell usage, where that has to be asked for. */
  readonly streamUsage: boolean;
  readonly system: readonly TextPart[];
  readonly turns: readonly Turn[];
  readonly tools: readonly Tool[];
  /** Null: the model decides. */
  readonly toolChoice: ToolChoice | null;
  /** Null: as the provider does by itself. */
  readonly parallelTools: boolean | null;
  readonly maxTokens: number | null;
  readonly stop: readonly string[];
  readonly sampling: Sampling;
  /** Null: nothing is said. */
  readonly thinking: Thinking | null;
  /** Null: text. */
  readonly format: Format | null;
  readonly verbosity: string | null;
  /** OpenAI's hint for its prompt cache. */
  readonly cacheKey: string | null;
}

export const NO_SAMPLING: Sampling = {
  temperature: null,
  topP: null,
  topK: null,
  frequencyPenalty: null,
  presencePenalty: null,
  seed: null,
};

/** The text of parts, one after another. */
export function joinText(
  parts: readonly { readonly type: string; readonly text?: string }[],
  between = "\n\n",
): string {
  return parts
    .flatMap((part) => (part.type === "text" && part.text !== undefined ? [part.text] : []))
    .join(between);
}

/** Neighbouring turns of the assistant as one: a call and its thinking belong together. */
export function joinTurns(turns: readonly Turn[]): readonly Turn[] {
  const joined: Turn[] = [];
  for (const turn of turns) {
    const last = joined.at(-1);
    if (turn.role === "assistant" && last?.role === "assistant")
      joined[joined.length - 1] = { role: "assistant", parts: [...last.parts, ...turn.parts] };
    else joined.push(turn);
  }
  return joined;
}
