import { z } from "zod";
import type { AssistantPart, FilePart, ImagePart, TextPart, Turn } from "../conversation.ts";
import { sourceOfUrl } from "../sources.ts";
import { wrapText } from "../tools.ts";

const asParts = (value: unknown): unknown =>
  typeof value === "string" ? [{ type: "text", text: value }] : value;

const text = z.looseObject({ type: z.literal("text"), text: z.string() });
const texts = z.preprocess(asParts, z.array(text));
const image = z.looseObject({
  type: z.literal("image_url"),
  image_url: z.looseObject({ url: z.string(), detail: z.string().nullish() }),
});
const file = z.looseObject({
  type: z.literal("file"),
  file: z.looseObject({ file_data: z.string(), filename: z.string().nullish() }),
});
const refusal = z.looseObject({ type: z.literal("refusal"), refusal: z.string() });
const toolCall = z.union([
  z.looseObject({
    id: z.string(),
    type: z.literal("function").optional(),
    function: z.looseObject({ name: z.string(), arguments: z.string() }),
  }),
  z.looseObject({
    id: z.string(),
    type: z.literal("custom"),
    custom: z.looseObject({ name: z.string(), input: z.string() }),
  }),
]);

export const message = z.discriminatedUnion("role", [
  z.looseObject({ role: z.literal("system"), content: texts }),
  z.looseObject({ role: z.literal("developer"), content: texts }),
  z.looseObject({
    role: z.literal("user"),
    content: z.preprocess(asParts, z.array(z.discriminatedUnion("type", [text, image, file]))),
  }),
  z.looseObject({
    role: z.literal("assistant"),
    content: z.preprocess(asParts, z.array(z.discriminatedUnion("type", [text, refusal])).nullish()),
    refusal: z.string().nullish(),
    reasoning_content: z.string().nullish(),
    tool_calls: z.array(toolCall).nullish(),
  }),
  z.looseObject({ role: z.literal("tool"), tool_call_id: z.string(), content: texts }),
]);

const textPart = (part: { readonly text: string }): TextPart => ({ type: "text", text: part.text });

export function turnOf(turn: z.output<typeof message>): Turn {
  switch (turn.role) {
    case "system":
    case "developer":
      return { role: "system", parts: turn.content.map(textPart) };
    case "user":
      return { role: "user", parts: turn.content.map(userPart) };
    case "tool":
      return {
        role: "user",
        parts: [
          {
            type: "tool_result",
            callId: turn.tool_call_id,
            content: turn.content.map(textPart),
            isError: false,
          },
        ],
      };
    case "assistant":
      return { role: "assistant", parts: assistantParts(turn) };
  }
}

function userPart(
  part: Extract<z.output<typeof message>, { role: "user" }>["content"][number],
): TextPart | ImagePart | FilePart {
  switch (part.type) {
    case "text":
      return textPart(part);
    case "image_url":
      return {
        type: "image",
        source: sourceOfUrl(part.image_url.url),
        detail: part.image_url.detail ?? null,
      };
    case "file":
      return { type: "file", source: sourceOfUrl(part.file.file_data), name: part.file.filename ?? null };
  }
}

function assistantParts(
  turn: Extract<z.output<typeof message>, { role: "assistant" }>,
): readonly AssistantPart[] {
  const { reasoning_content: thought, refusal: refused } = turn;
  return [
    ...(thought == null || thought === ""
      ? []
      : [
          {
            type: "thinking",
            text: thought,
            proof: { of: "chat_completions", value: "", id: null, redacted: false },
          } as const,
        ]),
    ...(turn.content ?? []).map((part) =>
      part.type === "text" ? textPart(part) : ({ type: "text", text: part.refusal } as const),
    ),
    ...(refused == null ? [] : [{ type: "text", text: refused } as const]),
    ...(turn.tool_calls ?? []).map((call): AssistantPart => {
      const [name, input] =
        "custom" in call && call.type === "custom"
          ? [call.custom.name, wrapText(call.custom.input)]
          : [call.function.name, call.function.arguments];
      return { type: "tool_call", id: call.id, name, input };
    }),
  ];
}
