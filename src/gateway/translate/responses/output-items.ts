import type { AssistantPart, Conversation } from "../conversation.ts";
import { proofText } from "../proof.ts";
import { unwrapText } from "../tools.ts";

export type ItemStatus = "in_progress" | "completed";
export type OutputItem = Readonly<Record<string, unknown>> & { readonly type: string; readonly id: string };

/** A part of an answer as an item of OpenAI's output; `key` makes its id unique. */
export function outputItem(
  part: AssistantPart,
  key: string,
  status: ItemStatus,
  conversation: Conversation,
): OutputItem {
  switch (part.type) {
    case "text":
      return {
        id: `msg_${key}`,
        type: "message",
        status,
        role: "assistant",
        content: status === "in_progress" ? [] : [outputText(part.text)],
      };
    case "thinking":
      return {
        id: `rs_${key}`,
        type: "reasoning",
        summary: part.text === "" ? [] : [summaryText(part.text)],
        ...(part.proof === null ? {} : { encrypted_content: proofText(part.proof, "responses") }),
      };
    case "tool_call": {
      const tool = conversation.tools.find(({ name }) => name === part.name);
      const group = tool?.group ?? null;
      const name = group === null ? { name: part.name } : { name: group.name, namespace: group.namespace };
      if (tool?.takes === "text")
        return {
          id: `ctc_${key}`,
          type: "custom_tool_call",
          status,
          call_id: part.id,
          ...name,
          input: part.input === "" ? "" : unwrapText(part.input),
        };
      const whole = part.input === "" && status === "completed" ? "{}" : part.input;
      return { id: `fc_${key}`, type: "function_call", status, call_id: part.id, ...name, arguments: whole };
    }
  }
}

export const outputText = (text: string): object => ({
  type: "output_text",
  text,
  annotations: [],
  logprobs: [],
});
export const summaryText = (text: string): object => ({ type: "summary_text", text });
