import { parseJson } from "../../base/index.ts";
import { findArray } from "./json-array.ts";

/** Fields that say nothing of a conversation's meaning: names of things, proofs and data. */
const MEANINGLESS = new Set([
  ...["type", "role", "id", "tool_use_id", "tool_call_id", "call_id", "status", "cache_control"],
  ...["signature", "thoughtSignature", "thought_signature", "encrypted_content", "data"],
  ...["source", "image_url", "file_data", "input_audio"],
  ...["inlineData", "inline_data", "fileData", "file_data_uri"],
]);
/** Deeper values are not looked at: nothing good is that deep. */
const DEEPEST = 100;

/** What is said in each message of a request, in their order; `field` names its array of messages. */
export function contentTexts(body: Buffer, field: string): readonly string[] {
  return (findArray(body, field)?.elements ?? []).map(({ start, end }) => {
    const texts: string[] = [];
    collect(parseJson(body.toString("utf8", start, end)), texts, 0);
    return texts.join("\n");
  });
}

function collect(value: unknown, into: string[], depth: number): void {
  if (typeof value === "string") {
    if (value.trim() !== "") into.push(value);
    return;
  }
  if (value === null || typeof value !== "object" || depth > DEEPEST) return;
  if (Array.isArray(value)) for (const one of value) collect(one, into, depth + 1);
  else
    for (const [name, one] of Object.entries(value))
      if (!MEANINGLESS.has(name)) collect(one, into, depth + 1);
}
