import type { PartHead } from "../answer.ts";
import type { Stamp, StreamWriter } from "../codec.ts";
import type { AssistantPart, Conversation, Proof } from "../conversation.ts";
import { openAiCode, type Fault } from "../fault.ts";
import { eventText } from "../server-sent-events.ts";
import { outputItem, outputText, summaryText, type OutputItem } from "./output-items.ts";
import { itemKey, responseObject, type ResponseState } from "./write-answer.ts";

/** Writes the events of OpenAI's responses: every item is begun, filled and repeated whole. */
export function createStreamWriter(conversation: Conversation, stamp: Stamp): StreamWriter {
  let sequence = -1;
  let head: Pick<ResponseState, "id" | "model"> = { id: null, model: null };
  let started = false;
  const output: OutputItem[] = [];
  let open: PartHead | null = null;
  let begun = false;
  let text = "";

  const event = (type: string, data: object): string => {
    sequence += 1;
    return eventText(type, { type, sequence_number: sequence, ...data });
  };
  const response = (ended: ResponseState["ended"]): object => ({
    response: responseObject({ ...head, output, ended }, conversation, stamp),
  });
  const start = (): string => {
    if (started) return "";
    started = true;
    return event("response.created", response(null)) + event("response.in_progress", response(null));
  };

  const item = (
    part: PartHead,
    status: "in_progress" | "completed",
    proof: Proof | null = null,
  ): OutputItem =>
    outputItem(
      filled(part, status === "completed" ? text : "", proof),
      itemKey(head.id, stamp, output.length),
      status,
      conversation,
    );
  const begin = (part: PartHead): string => {
    if (begun) return "";
    begun = true;
    const added = item(part, "in_progress");
    const at = { item_id: added.id, output_index: output.length };
    const whole = event("response.output_item.added", { output_index: output.length, item: added });
    if (part.type === "text")
      return whole + event("response.content_part.added", { ...at, content_index: 0, part: outputText("") });
    if (part.type === "thinking")
      return (
        whole +
        event("response.reasoning_summary_part.added", { ...at, summary_index: 0, part: summaryText("") })
      );
    return whole;
  };
  const add = (part: PartHead, delta: string): string => {
    if (delta === "") return "";
    const before = begin(part);
    text += delta;
    const { id, type } = item(part, "in_progress");
    const at = { item_id: id, output_index: output.length };
    if (part.type === "text")
      return before + event("response.output_text.delta", { ...at, content_index: 0, delta, logprobs: [] });
    if (part.type === "thinking")
      return before + event("response.reasoning_summary_text.delta", { ...at, summary_index: 0, delta });
    // Text that is wrapped in JSON can be unwrapped only when it is whole.
    return type === "custom_tool_call"
      ? before
      : before + event("response.function_call_arguments.delta", { ...at, delta });
  };
  const endPart = (part: PartHead, proof: Proof | null): string => {
    if (!begun && part.type !== "tool_call" && proof === null) return "";
    const before = begin(part);
    const done = item(part, "completed", proof);
    const at = { item_id: done.id, output_index: output.length };
    const closing = closingEvents(part, done, text).map(([type, data]) => event(type, { ...at, ...data }));
    const last = event("response.output_item.done", { output_index: output.length, item: done });
    output.push(done);
    return before + closing.join("") + last;
  };
  const fail = (fault: Fault): string => {
    const error = { code: openAiCode(fault) ?? "server_error", message: fault.message, param: fault.param };
    // SDKs look at the first, Codex at the second.
    return start() + event("error", { ...error, error }) + event("response.failed", response({ fault }));
  };

  return {
    push: (step) => {
      switch (step.type) {
        case "start":
          if (!started) head = step;
          return start();
        case "part":
          open = step.part;
          begun = false;
          text = "";
          return start() + (open.type === "tool_call" ? begin(open) : "");
        case "delta":
          return open === null ? "" : add(open, step.text);
        case "part_end": {
          const part = open;
          open = null;
          return part === null ? "" : endPart(part, step.proof);
        }
        case "finish": {
          const { stop, usage } = step;
          const isWhole = stop !== "length" && stop !== "context" && stop !== "refusal";
          return (
            start() + event(isWhole ? "response.completed" : "response.incomplete", response({ stop, usage }))
          );
        }
        case "fault":
          return fail(step.fault);
      }
    },
  };
}

function filled(part: PartHead, text: string, proof: Proof | null): AssistantPart {
  switch (part.type) {
    case "text":
      return { type: "text", text };
    case "thinking":
      return { type: "thinking", text, proof };
    case "tool_call":
      return { ...part, input: text };
  }
}

function closingEvents(
  part: PartHead,
  done: OutputItem,
  text: string,
): readonly (readonly [string, object])[] {
  switch (part.type) {
    case "text":
      return [
        ["response.output_text.done", { content_index: 0, text, logprobs: [] }],
        ["response.content_part.done", { content_index: 0, part: outputText(text) }],
      ];
    case "thinking":
      return [
        ["response.reasoning_summary_text.done", { summary_index: 0, text }],
        ["response.reasoning_summary_part.done", { summary_index: 0, part: summaryText(text) }],
      ];
    case "tool_call":
      return done.type === "custom_tool_call"
        ? [
            ["response.custom_tool_call_input.delta", { delta: done["input"] }],
            ["response.custom_tool_call_input.done", { input: done["input"] }],
          ]
        : [["response.function_call_arguments.done", { name: done["name"], arguments: done["arguments"] }]];
  }
}
