import type { TokenUsage } from "../../usage/usage.ts";
import { type Answer, type PartHead, type StopReason } from "../answer.ts";
import type { Stamp, StreamWriter } from "../codec.ts";
import { joinText, type Conversation, type ToolCallPart } from "../conversation.ts";
import { faultObject } from "../fault.ts";
import { eventText } from "../server-sent-events.ts";
import { takesText, unwrapText } from "../tools.ts";

const STOPS: Readonly<Record<StopReason, string>> = {
  end: "stop",
  length: "length",
  tool: "tool_calls",
  stop_sequence: "stop",
  refusal: "content_filter",
  pause: "stop",
  context: "length",
};

/** Null where nobody told it. */
function usageOf(usage: TokenUsage): object | null {
  if (usage.input === null && usage.output === null) return null;
  const input = usage.input ?? 0;
  const output = usage.output ?? 0;
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: usage.cacheRead ?? 0 },
    completion_tokens_details: { reasoning_tokens: usage.reasoning ?? 0 },
  };
}

const completionId = (id: string | null, stamp: Stamp): string =>
  id?.startsWith("chatcmpl") === true ? id : `chatcmpl-${id ?? stamp.id}`;

export function writeAnswer(answer: Answer, conversation: Conversation, stamp: Stamp): object {
  const text = joinText(answer.parts, "");
  const thought = answer.parts
    .flatMap((part) => (part.type === "thinking" && part.text !== "" ? [part.text] : []))
    .join("\n");
  const calls = answer.parts.filter((part) => part.type === "tool_call");
  const usage = usageOf(answer.usage);
  return {
    id: completionId(answer.id, stamp),
    object: "chat.completion",
    created: stamp.createdAt,
    model: answer.model ?? conversation.model,
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: text === "" && calls.length > 0 ? null : text,
          refusal: null,
          ...(thought === "" ? {} : { reasoning_content: thought }),
          ...(calls.length === 0 ? {} : { tool_calls: calls.map((call) => callOf(call, conversation)) }),
        },
        logprobs: null,
        finish_reason: STOPS[answer.stop],
      },
    ],
    ...(usage === null ? {} : { usage }),
  };
}

function callOf(call: Omit<ToolCallPart, "type">, conversation: Conversation): object {
  return takesText(conversation, call.name)
    ? { id: call.id, type: "custom", custom: { name: call.name, input: unwrapText(call.input) } }
    : {
        id: call.id,
        type: "function",
        function: { name: call.name, arguments: call.input === "" ? "{}" : call.input },
      };
}

export function createStreamWriter(conversation: Conversation, stamp: Stamp): StreamWriter {
  let id = completionId(null, stamp);
  let model = conversation.model;
  let started = false;
  let open: PartHead | null = null;
  let input = "";
  let calls = -1;

  const head = (): object => ({
    id,
    object: "chat.completion.chunk",
    created: stamp.createdAt,
    model,
  });
  const chunk = (delta: object, finish: string | null = null): string =>
    eventText(null, { ...head(), choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] });
  const start = (): string => {
    if (started) return "";
    started = true;
    return chunk({ role: "assistant", content: "" });
  };
  const callChunk = (more: object): string => chunk({ tool_calls: [{ index: calls, ...more }] });

  const begin = (part: PartHead): string => {
    open = part;
    input = "";
    if (part.type !== "tool_call") return "";
    calls += 1;
    if (takesText(conversation, part.name)) return "";
    return callChunk({ id: part.id, type: "function", function: { name: part.name, arguments: "" } });
  };
  const add = (text: string): string => {
    if (open === null || text === "") return "";
    input += text;
    if (open.type === "text") return chunk({ content: text });
    if (open.type === "thinking") return chunk({ reasoning_content: text });
    return takesText(conversation, open.name) ? "" : callChunk({ function: { arguments: text } });
  };
  const endPart = (): string => {
    const part = open;
    open = null;
    if (part?.type !== "tool_call") return "";
    if (takesText(conversation, part.name))
      return callChunk(callOf({ id: part.id, name: part.name, input }, conversation));
    return input === "" ? callChunk({ function: { arguments: "{}" } }) : "";
  };

  return {
    push: (step) => {
      switch (step.type) {
        case "start":
          id = completionId(step.id, stamp);
          model = step.model ?? model;
          return start();
        case "part":
          return start() + begin(step.part);
        case "delta":
          return add(step.text);
        case "part_end":
          return endPart();
        case "finish": {
          const usage = conversation.streamUsage ? usageOf(step.usage) : null;
          const told = usage === null ? "" : eventText(null, { ...head(), choices: [], usage });
          return `${start()}${chunk({}, STOPS[step.stop])}${told}data: [DONE]\n\n`;
        }
        case "fault":
          return eventText(null, faultObject("openai", step.fault, null));
      }
    },
  };
}
