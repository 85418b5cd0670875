import { UNKNOWN_USAGE, type TokenUsage } from "../usage/usage.ts";
import type { AssistantPart, Proof } from "./conversation.ts";
import type { Fault } from "./fault.ts";

/** Why the model stopped. `pause`: the provider wants to be asked again. `context`: its window is full. */
export type StopReason = "end" | "length" | "tool" | "stop_sequence" | "refusal" | "pause" | "context";

export type PartHead =
  | { readonly type: "text" }
  | { readonly type: "thinking" }
  | { readonly type: "tool_call"; readonly id: string; readonly name: string };

/**
 * One step of an answer: `start`, then parts one after another (`part`, its `delta`s, `part_end`), then `finish`; or
 * `fault` anywhere, which is the last. Deltas of a tool call are pieces of its JSON.
 */
export type AnswerEvent =
  | { readonly type: "start"; readonly id: string | null; readonly model: string | null }
  | { readonly type: "part"; readonly part: PartHead }
  | { readonly type: "delta"; readonly text: string }
  | { readonly type: "part_end"; readonly proof: Proof | null }
  | {
      readonly type: "finish";
      readonly stop: StopReason;
      readonly stopSequence: string | null;
      readonly usage: TokenUsage;
    }
  | { readonly type: "fault"; readonly fault: Fault };

/** A whole answer in nobody's dialect. */
export interface Answer {
  readonly id: string | null;
  readonly model: string | null;
  readonly parts: readonly AssistantPart[];
  readonly stop: StopReason;
  readonly stopSequence: string | null;
  readonly usage: TokenUsage;
}

/** Puts the events of an answer together. Null where they do not reach the end. */
export function answerOf(events: readonly AnswerEvent[]): Answer | null {
  let head: { id: string | null; model: string | null } = { id: null, model: null };
  const parts: AssistantPart[] = [];
  let open: PartHead | null = null;
  let text = "";
  for (const event of events) {
    switch (event.type) {
      case "start":
        head = event;
        break;
      case "part":
        open = event.part;
        text = "";
        break;
      case "delta":
        text += event.text;
        break;
      case "part_end":
        if (open !== null) parts.push(partOf(open, text, event.proof));
        open = null;
        break;
      case "finish":
        return {
          id: head.id,
          model: head.model,
          parts,
          stop: event.stop,
          stopSequence: event.stopSequence,
          usage: event.usage,
        };
      case "fault":
        return null;
    }
  }
  return null;
}

/** The same answer as a stream of events. */
export function eventsOf(answer: Answer): readonly AnswerEvent[] {
  const { id, model, stop, stopSequence, usage } = answer;
  return [
    { type: "start", id, model },
    ...answer.parts.flatMap((part): readonly AnswerEvent[] => [
      { type: "part", part },
      { type: "delta", text: part.type === "tool_call" ? part.input : part.text },
      { type: "part_end", proof: part.type === "thinking" ? part.proof : null },
    ]),
    { type: "finish", stop, stopSequence, usage },
  ];
}

function partOf(head: PartHead, text: string, proof: Proof | null): AssistantPart {
  switch (head.type) {
    case "text":
      return { type: "text", text };
    case "thinking":
      return { type: "thinking", text, proof };
    case "tool_call":
      return { type: "tool_call", id: head.id, name: head.name, input: text };
  }
}

/** Counts that are told later replace those that were told before. */
export function laterUsage(older: TokenUsage, newer: TokenUsage): TokenUsage {
  const told = Object.entries(newer).filter(([, count]) => count !== null);
  return { ...UNKNOWN_USAGE, ...older, ...Object.fromEntries(told) };
}
