import type { TokenUsage } from "../../usage/usage.ts";
import { UNKNOWN_USAGE } from "../../usage/usage.ts";
import type { Answer, StopReason } from "../answer.ts";
import type { Stamp } from "../codec.ts";
import type { Conversation } from "../conversation.ts";
import { openAiCode, type Fault } from "../fault.ts";
import { outputItem, type OutputItem } from "./output-items.ts";

function usageOf(usage: TokenUsage): object | null {
  if (usage.input === null && usage.output === null) return null;
  const input = usage.input ?? 0;
  const output = usage.output ?? 0;
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: usage.cacheRead ?? 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: usage.reasoning ?? 0 },
    total_tokens: input + output,
  };
}

/** Why an answer is not whole; null: it is. */
function incompleteReason(stop: StopReason): string | null {
  switch (stop) {
    case "length":
    case "context":
      return "max_output_tokens";
    case "refusal":
      return "content_filter";
    default:
      return null;
  }
}

export interface ResponseState {
  readonly id: string | null;
  readonly model: string | null;
  readonly output: readonly OutputItem[];
  /** Null: it goes on. */
  readonly ended:
    { readonly stop: StopReason; readonly usage: TokenUsage } | { readonly fault: Fault } | null;
}

const bare = (id: string | null, stamp: Stamp): string => id?.replace(/^resp_/, "") ?? stamp.id;

/** What ids of a response's items are made of. */
export const itemKey = (id: string | null, stamp: Stamp, index: number): string =>
  `${bare(id, stamp)}_${index}`;

/** OpenAI's object of a response, at any moment of it. */
export function responseObject(state: ResponseState, conversation: Conversation, stamp: Stamp): object {
  const { ended } = state;
  const fault = ended !== null && "fault" in ended ? ended.fault : null;
  const finish = ended !== null && "stop" in ended ? ended : null;
  const reason = finish === null ? null : incompleteReason(finish.stop);
  const status =
    ended === null ? "in_progress" : fault !== null ? "failed" : reason === null ? "completed" : "incomplete";
  return {
    id: `resp_${bare(state.id, stamp)}`,
    object: "response",
    created_at: stamp.createdAt,
    status,
    background: false,
    error: fault === null ? null : { code: openAiCode(fault) ?? "server_error", message: fault.message },
    incomplete_details: reason === null ? null : { reason },
    instructions: null,
    max_output_tokens: conversation.maxTokens,
    metadata: {},
    model: state.model ?? conversation.model,
    output: state.output,
    parallel_tool_calls: conversation.parallelTools ?? true,
    previous_response_id: null,
    reasoning: { effort: conversation.thinking?.effort ?? null, summary: null },
    store: false,
    temperature: conversation.sampling.temperature,
    text: { format: { type: "text" } },
    tool_choice: "auto",
    tools: [],
    top_p: conversation.sampling.topP,
    truncation: "disabled",
    usage: usageOf(finish?.usage ?? UNKNOWN_USAGE),
  };
}

export function writeAnswer(answer: Answer, conversation: Conversation, stamp: Stamp): object {
  const { id, model, stop, usage } = answer;
  const output = answer.parts
    .filter(
      (part) =>
        part.type === "tool_call" || part.text !== "" || (part.type === "thinking" && part.proof !== null),
    )
    .map((part, index) => outputItem(part, itemKey(id, stamp, index), "completed", conversation));
  return responseObject({ id, model, output, ended: { stop, usage } }, conversation, stamp);
}
