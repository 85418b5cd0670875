import { parseJson } from "../../base/index.ts";
import type { EndpointName } from "../endpoints.ts";
import { objectOf, type JsonObject } from "../usage/usage.ts";
import { geminiDialect } from "./gemini-dialect.ts";
import { listOf, resultOf, viewOf, whole, type TrimDialect } from "./trim-dialect.ts";

/** Anthropic: results are blocks in a message of the user, beside other blocks. */
const messages: TrimDialect = {
  field: "messages",
  isWhole: whole,
  view: (message, count) => {
    const blocks = listOf(message["content"]);
    if (message["role"] === "assistant")
      return viewOf(message, count, {
        kind: "assistant",
        calls: blocks.filter((block) => block["type"] === "tool_use").map((block) => block["id"]),
      });
    if (message["role"] !== "user") return viewOf(message, count, { kind: "fixed" });
    const results = blocks
      .filter(isToolResult)
      .map((block) => resultOf(block["tool_use_id"], block["content"], count));
    return viewOf(message, count, { kind: results.length === 0 ? "human" : "results", results });
  },
  replace: (message, texts) => {
    let number = -1;
    const content = listOf(message["content"]).map((block) => {
      if (!isToolResult(block)) return block;
      number += 1;
      const text = texts.get(number);
      return text === undefined ? block : { ...block, content: text };
    });
    return { ...message, content };
  },
  addText: (message, text) => withText(message, { type: "text", text }),
};

/** A content that is a plain text stays one: some servers know no other. */
function withText(message: JsonObject, part: { readonly type: string; readonly text: string }): JsonObject {
  const { content } = message;
  if (Array.isArray(content)) return { ...message, content: [...(content as unknown[]), part] };
  return { ...message, content: `${typeof content === "string" ? content : ""}\n\n${part.text}` };
}

const isToolResult = (block: JsonObject): boolean => block["type"] === "tool_result";

const TOOL_ROLES = new Set<unknown>(["tool", "function"]);

/** Chat completions: a result is a message. */
const chat: TrimDialect = {
  field: "messages",
  isWhole: whole,
  view: (message, count) => {
    const { role } = message;
    if (role === "assistant")
      return viewOf(message, count, {
        kind: "assistant",
        calls: listOf(message["tool_calls"]).map((call) => call["id"]),
      });
    if (role === "user") return viewOf(message, count, { kind: "human" });
    if (!TOOL_ROLES.has(role)) return viewOf(message, count, { kind: "fixed" });
    const id = message["tool_call_id"] ?? message["name"];
    return viewOf(message, count, {
      kind: "results",
      results: [resultOf(id, message["content"], count)],
    });
  },
  replace: (message, texts) => ({ ...message, content: texts.get(0) ?? message["content"] }),
  addText: (message, text) => withText(message, { type: "text", text }),
};

/** Outputs of tools that may be a plain text; a screenshot, say, may not. */
const CLEARABLE_OUTPUTS = new Set<unknown>([
  "function_call_output",
  "custom_tool_call_output",
  "local_shell_call_output",
]);

/** Responses: calls, results and reasoning are items beside the messages. */
const responses: TrimDialect = {
  field: "input",
  // What the server remembers cannot be trimmed by us, and an answer to a call in it has no call here.
  isWhole: (fields) => fields["previous_response_id"] == null && fields["conversation"] == null,
  view: (item, count) => {
    const type = item["type"] ?? "message";
    if (type === "message") {
      const { role } = item;
      return viewOf(item, count, {
        kind: role === "assistant" ? "assistant" : role === "user" ? "human" : "fixed",
      });
    }
    if (typeof type === "string" && type.endsWith("_output")) {
      const output = CLEARABLE_OUTPUTS.has(type) ? item["output"] : "";
      return viewOf(item, count, { kind: "results", results: [resultOf(item["call_id"], output, count)] });
    }
    if (typeof type === "string" && (type.endsWith("_call") || type === "reasoning"))
      return viewOf(item, count, { kind: "assistant", calls: [item["call_id"]] });
    return viewOf(item, count, { kind: "fixed" });
  },
  replace: (item, texts) => ({ ...item, output: texts.get(0) ?? item["output"] }),
  addText: (item, text) => withText(item, { type: "input_text", text }),
};

const DIALECTS: Partial<Readonly<Record<EndpointName, TrimDialect>>> = {
  messages,
  chat_completions: chat,
  responses,
  generate_content: geminiDialect,
};

/** Null: calls of this endpoint are not trimmed. */
export function trimDialectOf(endpoint: EndpointName): TrimDialect | null {
  return DIALECTS[endpoint] ?? null;
}

/** A message's text as an object; one that is none is left alone by its kind. */
export const messageOf = (text: string): JsonObject => objectOf(parseJson(text));
