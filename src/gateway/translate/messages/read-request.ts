import { z } from "zod";
import type { Asked } from "../codec.ts";
import {
  EFFORTS,
  NO_SAMPLING,
  type AssistantPart,
  type Conversation,
  type Effort,
  type FilePart,
  type ImagePart,
  type TextPart,
  type Thinking,
  type Tool,
  type Turn,
  type UserPart,
} from "../conversation.ts";
import { proofOf } from "../proof.ts";
import { chosenTools } from "../tools.ts";
import { isEmpty, never, parseBody, refuseFields, type Refused } from "../untranslatable.ts";

const asBlocks = (value: unknown): unknown =>
  typeof value === "string" ? [{ type: "text", text: value }] : value;

const text = z.looseObject({ type: z.literal("text"), text: z.string() });
const bytes = z.looseObject({ type: z.literal("base64"), media_type: z.string(), data: z.string() });
const url = z.looseObject({ type: z.literal("url"), url: z.string() });
const image = z.looseObject({ type: z.literal("image"), source: z.discriminatedUnion("type", [bytes, url]) });
const document = z.looseObject({
  type: z.literal("document"),
  title: z.string().nullish(),
  source: z.discriminatedUnion("type", [
    bytes,
    url,
    z.looseObject({ type: z.literal("text"), data: z.string() }),
    z.looseObject({
      type: z.literal("content"),
      content: z.preprocess(asBlocks, z.array(z.discriminatedUnion("type", [text, image]))),
    }),
  ]),
});
const searchResult = z.looseObject({
  type: z.literal("search_result"),
  title: z.string(),
  source: z.string(),
  content: z.array(text),
});
const shown = [text, image, document, searchResult] as const;
const toolResult = z.looseObject({
  type: z.literal("tool_result"),
  tool_use_id: z.string(),
  content: z.preprocess(asBlocks, z.array(z.discriminatedUnion("type", [...shown])).nullish()),
  is_error: z.boolean().nullish(),
});
const toolUse = z.looseObject({
  type: z.literal("tool_use"),
  id: z.string(),
  name: z.string(),
  input: z.unknown().optional(),
});
const thinking = z.looseObject({
  type: z.literal("thinking"),
  thinking: z.string(),
  signature: z.string().nullish(),
});
const redacted = z.looseObject({ type: z.literal("redacted_thinking"), data: z.string() });

const message = z.discriminatedUnion("role", [
  z.looseObject({
    role: z.literal("user"),
    content: z.preprocess(asBlocks, z.array(z.discriminatedUnion("type", [...shown, toolResult]))),
  }),
  z.looseObject({
    role: z.literal("assistant"),
    content: z.preprocess(
      asBlocks,
      z.array(z.discriminatedUnion("type", [text, toolUse, thinking, redacted])),
    ),
  }),
  z.looseObject({ role: z.literal("system"), content: z.preprocess(asBlocks, z.array(text)) }),
]);

const request = z.looseObject({
  messages: z.array(message),
  system: z.preprocess(asBlocks, z.array(text).nullish()),
  max_tokens: z.number().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: z.number().nullish(),
  stop_sequences: z.array(z.string()).nullish(),
  stream: z.boolean().nullish(),
  tools: z
    .array(
      z.looseObject({
        type: z.string().nullish(),
        name: z.string(),
        description: z.string().nullish(),
        input_schema: z.record(z.string(), z.unknown()).nullish(),
        strict: z.boolean().nullish(),
      }),
    )
    .nullish(),
  tool_choice: z
    .looseObject({
      type: z.enum(["auto", "any", "none", "tool"]),
      name: z.string().nullish(),
      disable_parallel_tool_use: z.boolean().nullish(),
    })
    .nullish(),
  thinking: z.looseObject({ type: z.string(), budget_tokens: z.number().nullish() }).nullish(),
  output_config: z
    .looseObject({
      effort: z.enum(EFFORTS).nullish(),
      format: z
        .looseObject({ type: z.literal("json_schema"), schema: z.record(z.string(), z.unknown()) })
        .nullish(),
    })
    .nullish(),
});
type Request = z.output<typeof request>;
type Shown = z.output<(typeof shown)[number]>;

const REFUSED: Refused = { container: never, mcp_servers: isEmpty };

/** @throws Untranslatable */
export function readRequest(body: unknown, { model }: Asked): Conversation {
  const asked = parseBody(request, body);
  refuseFields(asked, REFUSED);
  const choice = asked.tool_choice ?? null;
  return {
    from: "messages",
    model,
    stream: asked.stream === true,
    streamUsage: true,
    // Claude Code's own mark changes with every call, and would be the first thing that a prompt cache sees.
    system: (asked.system ?? [])
      .filter(({ text: said }) => !said.startsWith("x-anthropic-billing-header:"))
      .map(textPart),
    turns: asked.messages.map(turnOf),
    ...toolsOf(asked),
    parallelTools: choice?.disable_parallel_tool_use === true ? false : null,
    maxTokens: asked.max_tokens ?? null,
    stop: asked.stop_sequences ?? [],
    sampling: {
      ...NO_SAMPLING,
      temperature: asked.temperature ?? null,
      topP: asked.top_p ?? null,
      topK: asked.top_k ?? null,
    },
    thinking: thinkingOf(asked),
    format:
      asked.output_config?.format == null
        ? null
        : {
            type: "json_schema",
            name: null,
            description: null,
            schema: asked.output_config.format.schema,
            strict: true,
          },
    verbosity: null,
    cacheKey: null,
  };
}

/** Tools without a schema are run by Anthropic itself. */
function toolsOf(asked: Request): Pick<Conversation, "tools" | "toolChoice"> {
  const offered = (asked.tools ?? []).map(
    (tool, index): Tool | { readonly hosted: string; readonly field: string } =>
      tool.input_schema == null
        ? { hosted: tool.name, field: `tools.${index} "${tool.type ?? tool.name}"` }
        : {
            name: tool.name,
            description: tool.description ?? null,
            schema: tool.input_schema,
            strict: tool.strict ?? null,
            takes: "json",
            group: null,
          },
  );
  const choice = asked.tool_choice;
  if (choice?.type === "tool") return chosenTools(offered, { type: "tool", name: choice.name ?? "" });
  return chosenTools(offered, choice == null ? null : { type: choice.type as "auto" | "any" | "none" });
}

const textPart = (block: { readonly text: string }): TextPart => ({ type: "text", text: block.text });

function turnOf(turn: z.output<typeof message>): Turn {
  switch (turn.role) {
    case "system":
      return { role: "system", parts: turn.content.map(textPart) };
    case "assistant":
      return { role: "assistant", parts: turn.content.map(assistantPart) };
    case "user":
      return {
        role: "user",
        parts: turn.content.flatMap((block): readonly UserPart[] =>
          block.type !== "tool_result"
            ? shownParts(block)
            : [
                {
                  type: "tool_result",
                  callId: block.tool_use_id,
                  content: (block.content ?? []).flatMap(shownParts),
                  isError: block.is_error === true,
                },
              ],
        ),
      };
  }
}

function assistantPart(
  block: Extract<z.output<typeof message>, { role: "assistant" }>["content"][number],
): AssistantPart {
  switch (block.type) {
    case "text":
      return textPart(block);
    case "tool_use":
      return {
        type: "tool_call",
        id: block.id,
        name: block.name,
        input: JSON.stringify(block.input ?? {}),
      };
    case "thinking": {
      const { signature } = block;
      const proof =
        signature == null || signature === ""
          ? null
          : proofOf(signature, "messages", { id: null, redacted: false });
      return { type: "thinking", text: block.thinking, proof };
    }
    case "redacted_thinking":
      return {
        type: "thinking",
        text: "",
        proof: proofOf(block.data, "messages", { id: null, redacted: true }),
      };
  }
}

function shownParts(block: Shown): readonly (TextPart | ImagePart | FilePart)[] {
  switch (block.type) {
    case "text":
      return [textPart(block)];
    case "search_result":
      return [
        {
          type: "text",
          text: `${block.title}\n${block.source}\n\n${block.content.map((one) => one.text).join("\n")}`,
        },
      ];
    case "image":
      return [{ type: "image", source: sourceOf(block.source), detail: null }];
    case "document": {
      const { source } = block;
      const titled = (content: string): TextPart => ({
        type: "text",
        text: block.title == null ? content : `${block.title}\n\n${content}`,
      });
      if (source.type === "text") return [titled(source.data)];
      if (source.type === "content") return source.content.flatMap(shownParts);
      return [{ type: "file", source: sourceOf(source), name: block.title ?? null }];
    }
  }
}

function sourceOf(source: z.output<typeof bytes> | z.output<typeof url>): ImagePart["source"] {
  return source.type === "url"
    ? { kind: "url", url: source.url, mediaType: null }
    : { kind: "base64", mediaType: source.media_type, data: source.data };
}

function thinkingOf(asked: Request): Thinking | null {
  const effort = asked.output_config?.effort;
  const kind = asked.thinking?.type;
  if (kind === "disabled") return { effort: "none", budgetTokens: null, isKnown: false };
  const budgetTokens = asked.thinking?.budget_tokens ?? null;
  if (kind === "enabled" && budgetTokens !== null)
    return { effort: effort ?? effortOf(budgetTokens), budgetTokens, isKnown: false };
  // "adaptive" without an effort: as the model does by itself.
  return effort == null ? null : { effort, budgetTokens: null, isKnown: false };
}

function effortOf(budgetTokens: number): Effort {
  if (budgetTokens < 4_000) return "low";
  return budgetTokens < 16_000 ? "medium" : "high";
}
