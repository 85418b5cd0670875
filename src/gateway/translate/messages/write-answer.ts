import type { TokenUsage } from "../../usage/usage.ts";
import type { Answer, AnswerEvent, PartHead, StopReason } from "../answer.ts";
import type { Stamp, StreamWriter } from "../codec.ts";
import type { AssistantPart, Conversation, Proof } from "../conversation.ts";
import { faultObject } from "../fault.ts";
import { proofText } from "../proof.ts";
import { eventText } from "../server-sent-events.ts";
import { inputObject } from "../tools.ts";

const STOPS: Readonly<Record<StopReason, string>> = {
  end: "end_turn",
  length: "max_tokens",
  tool: "tool_use",
  stop_sequence: "stop_sequence",
  refusal: "refusal",
  pause: "pause_turn",
  context: "model_context_window_exceeded",
};

/** Anthropic counts what went through the cache apart; its clients need numbers even where nobody told them. */
function usageOf(usage: TokenUsage): object {
  const read = usage.cacheRead ?? 0;
  const written = usage.cacheWrite ?? 0;
  return {
    input_tokens: Math.max(0, (usage.input ?? 0) - read - written),
    cache_creation_input_tokens: written,
    cache_read_input_tokens: read,
    output_tokens: usage.output ?? 0,
    ...(usage.reasoning === null ? {} : { output_tokens_details: { thinking_tokens: usage.reasoning } }),
  };
}

const messageId = (id: string | null, stamp: Stamp): string =>
  id?.startsWith("msg_") === true ? id : `msg_${id ?? stamp.id}`;

export function writeAnswer(answer: Answer, conversation: Conversation, stamp: Stamp): object {
  return {
    id: messageId(answer.id, stamp),
    type: "message",
    role: "assistant",
    model: answer.model ?? conversation.model,
    content: answer.parts.flatMap(blocksOf),
    stop_reason: STOPS[answer.stop],
    stop_sequence: answer.stopSequence,
    usage: usageOf(answer.usage),
  };
}

function blocksOf(part: AssistantPart): readonly object[] {
  switch (part.type) {
    case "text":
      return part.text === "" ? [] : [{ type: "text", text: part.text }];
    case "tool_call":
      return [{ type: "tool_use", id: part.id, name: part.name, input: inputObject(part.input) }];
    case "thinking":
      return part.text === "" && part.proof === null
        ? []
        : [{ type: "thinking", thinking: part.text, signature: signatureOf(part.proof) }];
  }
}

const signatureOf = (proof: Proof | null): string => (proof === null ? "" : proofText(proof, "messages"));

export function createStreamWriter(conversation: Conversation, stamp: Stamp): StreamWriter {
  let index = 0;
  let open: PartHead | null = null;
  /** A block is begun with its first word: empty text blocks are refused when they come back. */
  let begun = false;
  let started = false;

  const event = (data: { readonly type: string } & Readonly<Record<string, unknown>>): string =>
    eventText(data.type, data);
  const start = (id: string | null, model: string | null): string => {
    started = true;
    return event({
      type: "message_start",
      message: {
        id: messageId(id, stamp),
        type: "message",
        role: "assistant",
        model: model ?? conversation.model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: {
          input_tokens: 0,
          cache_creation_input_tokens: 0,
          cache_read_input_tokens: 0,
          output_tokens: 0,
        },
      },
    });
  };
  const begin = (): string => {
    if (begun || open === null) return "";
    begun = true;
    return event({ type: "content_block_start", index, content_block: emptyBlock(open) });
  };
  const endPart = (proof: Proof | null): string => {
    const signed = open?.type === "thinking" && proof !== null;
    let text = open?.type === "tool_call" || signed ? begin() : "";
    if (signed)
      text += event({
        type: "content_block_delta",
        index,
        delta: { type: "signature_delta", signature: signatureOf(proof) },
      });
    if (begun) {
      text += event({ type: "content_block_stop", index });
      index += 1;
    }
    open = null;
    return text;
  };

  return {
    push: (step: AnswerEvent) => {
      const head = started || step.type === "start" || step.type === "fault" ? "" : start(null, null);
      switch (step.type) {
        case "start":
          return started ? "" : start(step.id, step.model);
        case "part":
          open = step.part;
          begun = false;
          return head + (open.type === "tool_call" ? begin() : "");
        case "delta":
          if (step.text === "" || open === null) return head;
          return (
            head + begin() + event({ type: "content_block_delta", index, delta: deltaOf(open, step.text) })
          );
        case "part_end":
          return head + endPart(step.proof);
        case "finish":
          return (
            head +
            event({
              type: "message_delta",
              delta: { stop_reason: STOPS[step.stop], stop_sequence: step.stopSequence },
              usage: usageOf(step.usage),
            }) +
            event({ type: "message_stop" })
          );
        case "fault":
          return eventText("error", faultObject("anthropic", step.fault, null));
      }
    },
  };
}

function emptyBlock(part: PartHead): object {
  switch (part.type) {
    case "text":
      return { type: "text", text: "" };
    case "thinking":
      return { type: "thinking", thinking: "", signature: "" };
    case "tool_call":
      return { type: "tool_use", id: part.id, name: part.name, input: {} };
  }
}

function deltaOf(part: PartHead, text: string): object {
  switch (part.type) {
    case "text":
      return { type: "text_delta", text };
    case "thinking":
      return { type: "thinking_delta", thinking: text };
    case "tool_call":
      return { type: "input_json_delta", partial_json: text };
  }
}
