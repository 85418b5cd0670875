import { z } from "zod";
import type { AssistantPart, FilePart, ImagePart, TextPart, Turn, UserPart } from "../conversation.ts";
import { proofOf } from "../proof.ts";

/** A text may stand for the one block that holds it. */
export const asBlocks = (value: unknown): unknown =>
  typeof value === "string" ? [{ type: "text", text: value }] : value;

export const text = z.looseObject({ type: z.literal("text"), text: z.string() });
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

export const message = z.discriminatedUnion("role", [
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
type Shown = z.output<(typeof shown)[number]>;

export const textPart = (block: { readonly text: string }): TextPart => ({ type: "text", text: block.text });

export function turnOf(turn: z.output<typeof message>): Turn {
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
