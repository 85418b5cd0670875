import { z } from "zod";
import type { AssistantPart, FilePart, ImagePart, TextPart, Turn } from "../conversation.ts";
import { proofOf } from "../proof.ts";
import { sourceOfUrl } from "../sources.ts";
import { wrapText } from "../tools.ts";
import { cannotCarry } from "../untranslatable.ts";
import { flatName, toolSchema } from "./read-tools.ts";

const text = (type: "input_text" | "output_text" | "text") =>
  z.looseObject({ type: z.literal(type), text: z.string() });
const part = z.discriminatedUnion("type", [
  text("input_text"),
  text("output_text"),
  text("text"),
  z.looseObject({ type: z.literal("refusal"), refusal: z.string() }),
  z.looseObject({
    type: z.literal("input_image"),
    image_url: z.string().nullish(),
    detail: z.string().nullish(),
  }),
  z.looseObject({
    type: z.literal("input_file"),
    file_data: z.string().nullish(),
    file_url: z.string().nullish(),
    filename: z.string().nullish(),
  }),
]);
const asParts = (value: unknown): unknown =>
  typeof value === "string" ? [{ type: "text", text: value }] : value;
const parts = z.preprocess(asParts, z.array(part));
const thought = z.looseObject({ text: z.string() });

const item = z.discriminatedUnion("type", [
  z.looseObject({
    type: z.literal("message"),
    role: z.enum(["user", "assistant", "system", "developer"]),
    content: parts,
  }),
  z.looseObject({
    type: z.literal("function_call"),
    call_id: z.string(),
    name: z.string(),
    namespace: z.string().nullish(),
    arguments: z.string(),
  }),
  z.looseObject({
    type: z.literal("custom_tool_call"),
    call_id: z.string(),
    name: z.string(),
    namespace: z.string().nullish(),
    input: z.string(),
  }),
  z.looseObject({ type: z.literal("function_call_output"), call_id: z.string(), output: parts }),
  z.looseObject({ type: z.literal("custom_tool_call_output"), call_id: z.string(), output: parts }),
  z.looseObject({
    type: z.literal("reasoning"),
    id: z.string().nullish(),
    summary: z.array(thought).nullish(),
    content: z.array(thought).nullish(),
    encrypted_content: z.string().nullish(),
  }),
  z.looseObject({ type: z.literal("additional_tools"), tools: z.array(toolSchema) }),
]);
export type Item = z.output<typeof item>;
type Part = z.output<typeof part>;

/** A message may leave out that it is one. */
const named = (value: unknown): unknown =>
  typeof value === "object" && value !== null && !("type" in value) && "role" in value
    ? { ...value, type: "message" }
    : value;
export const inputSchema = z.preprocess(
  (value) => (typeof value === "string" ? [{ role: "user", content: value }] : value),
  z.array(z.preprocess(named, item)),
);

/** An item as a turn; null: it is no part of the conversation. @throws Untranslatable */
export function turnOf(one: Item, field: string): Turn | null {
  switch (one.type) {
    case "message":
      return messageTurn(one, field);
    case "function_call":
      return assistant({
        type: "tool_call",
        id: one.call_id,
        name: flatName(one.name, one.namespace),
        input: one.arguments,
      });
    case "custom_tool_call":
      return assistant({
        type: "tool_call",
        id: one.call_id,
        name: flatName(one.name, one.namespace),
        input: wrapText(one.input),
      });
    case "function_call_output":
    case "custom_tool_call_output": {
      const content = one.output.map((each, index) => shownPart(each, `${field}.output.${index}`));
      return { role: "user", parts: [{ type: "tool_result", callId: one.call_id, content, isError: false }] };
    }
    case "reasoning": {
      const { encrypted_content: sealed, id } = one;
      const thoughts = [...(one.summary ?? []), ...(one.content ?? [])].map((each) => each.text);
      const proof = sealed == null ? null : proofOf(sealed, "responses", { id: id ?? null, redacted: false });
      return assistant({ type: "thinking", text: thoughts.join("\n\n"), proof });
    }
    case "additional_tools":
      return null;
  }
}

const assistant = (one: AssistantPart): Turn => ({ role: "assistant", parts: [one] });

function messageTurn(one: Extract<Item, { type: "message" }>, field: string): Turn {
  const texts = (): readonly TextPart[] =>
    one.content.map((each, index) => {
      const read = shownPart(each, `${field}.content.${index}`);
      if (read.type !== "text") throw cannotCarry(`${field}.content.${index} "${each.type}"`);
      return read;
    });
  switch (one.role) {
    case "system":
    case "developer":
      return { role: "system", parts: texts() };
    case "assistant":
      return { role: "assistant", parts: texts() };
    case "user":
      return {
        role: "user",
        parts: one.content.map((each, index) => shownPart(each, `${field}.content.${index}`)),
      };
  }
}

function shownPart(one: Part, field: string): TextPart | ImagePart | FilePart {
  switch (one.type) {
    case "refusal":
      return { type: "text", text: one.refusal };
    case "input_image":
      if (one.image_url == null) throw cannotCarry(`${field}.file_id`);
      return {
        type: "image",
        source: sourceOfUrl(one.image_url),
        detail: one.detail == null || one.detail === "auto" ? null : one.detail,
      };
    case "input_file": {
      const url = one.file_data ?? one.file_url;
      if (url == null) throw cannotCarry(`${field}.file_id`);
      return { type: "file", source: sourceOfUrl(url), name: one.filename ?? null };
    }
    default:
      return { type: "text", text: one.text };
  }
}
