import { z } from "zod";
import type { TranscriptBody } from "../../../contract/index.ts";
import type { LineMeaning, LineParser } from "./line-meaning.ts";
import { toolEvent } from "./tool-event.ts";

/* `claude -p --output-format stream-json --verbose`: system, assistant and user messages, then one result. */

const block = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  thinking: z.string().optional(),
  id: z.string().optional(),
  name: z.string().optional(),
  input: z.unknown().optional(),
  tool_use_id: z.string().optional(),
  content: z.unknown().optional(),
  is_error: z.boolean().nullish(),
});
const message = z.looseObject({ content: z.union([z.string(), z.array(block)]) });
const count = z.number().nonnegative().catch(0).default(0);
const usage = z
  .looseObject({
    input_tokens: count,
    output_tokens: count,
    cache_read_input_tokens: count,
    cache_creation_input_tokens: count,
  })
  .optional()
  .catch(undefined);

const line = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("system"), session_id: z.string().optional() }),
  z.looseObject({ type: z.literal("assistant"), message }),
  z.looseObject({ type: z.literal("user"), message }),
  z.looseObject({
    type: z.literal("result"),
    is_error: z.boolean().catch(false).default(false),
    result: z.string().optional(),
    subtype: z.string().optional(),
    session_id: z.string().optional(),
    usage,
  }),
  z.looseObject({ type: z.literal("stream_event") }),
  z.looseObject({ type: z.literal("rate_limit_event") }),
]);

export const parseClaudeLine: LineParser = (value) => {
  const parsed = line.safeParse(value);
  if (!parsed.success) return null;
  const data = parsed.data;
  switch (data.type) {
    case "system":
      return { events: [], ...(data.session_id === undefined ? {} : { sessionId: data.session_id }) };
    case "assistant":
    case "user":
      return { events: messageEvents(data.message, data.type === "assistant") };
    case "result":
      return resultMeaning(data);
    case "stream_event":
    case "rate_limit_event":
      return { events: [] };
  }
};

type ResultLine = Extract<z.infer<typeof line>, { type: "result" }>;

function resultMeaning(data: ResultLine): LineMeaning {
  const tokens =
    data.usage === undefined
      ? null
      : {
          tokensIn:
            data.usage.input_tokens +
            data.usage.cache_read_input_tokens +
            data.usage.cache_creation_input_tokens,
          tokensOut: data.usage.output_tokens,
        };
  return {
    events: tokens === null ? [] : [{ kind: "usage", ...tokens }],
    ...(tokens === null ? {} : { usage: tokens }),
    ...(data.is_error ? { error: data.result ?? data.subtype ?? "The turn failed." } : {}),
    ...(data.session_id === undefined ? {} : { sessionId: data.session_id }),
  };
}

const KINDS: Readonly<Record<string, Extract<TranscriptBody, { kind: "tool" }>["tool"]>> = {
  Read: "read",
  Edit: "edit",
  MultiEdit: "edit",
  Write: "edit",
  NotebookEdit: "edit",
  Bash: "execute",
  Grep: "search",
  Glob: "search",
  WebFetch: "fetch",
  WebSearch: "fetch",
};

function messageEvents({ content }: z.infer<typeof message>, isAssistant: boolean): TranscriptBody[] {
  if (typeof content === "string") return isAssistant ? [{ kind: "text", text: content }] : [];
  return content.flatMap((part): TranscriptBody[] => {
    if (part.type === "text" && isAssistant) return [{ kind: "text", text: part.text ?? "" }];
    if (part.type === "thinking") return [{ kind: "thought", text: part.thinking ?? "" }];
    if (part.type === "tool_use")
      return [
        toolEvent({
          toolCallId: part.id ?? "",
          title: part.name ?? "tool",
          tool: KINDS[part.name ?? ""] ?? "other",
          status: "running",
          input: JSON.stringify(part.input ?? null),
        }),
      ];
    if (part.type === "tool_result")
      return [
        toolEvent({
          toolCallId: part.tool_use_id ?? "",
          status: part.is_error === true ? "failed" : "completed",
          output: typeof part.content === "string" ? part.content : JSON.stringify(part.content ?? ""),
        }),
      ];
    return [];
  });
}
