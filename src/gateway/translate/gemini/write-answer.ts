import type { TokenUsage } from "../../usage/usage.ts";
import type { Answer, PartHead, StopReason } from "../answer.ts";
import type { Stamp, StreamWriter } from "../codec.ts";
import type { AssistantPart, Conversation, Proof } from "../conversation.ts";
import { faultObject } from "../fault.ts";
import { proofText } from "../proof.ts";
import { eventText } from "../server-sent-events.ts";
import { inputObject } from "../tools.ts";

const REASONS: Readonly<Record<StopReason, string>> = {
  end: "STOP",
  length: "MAX_TOKENS",
  tool: "STOP",
  stop_sequence: "STOP",
  refusal: "SAFETY",
  pause: "STOP",
  context: "MAX_TOKENS",
};

type Part = Readonly<Record<string, unknown>>;

/** Google counts thoughts apart from the answer. Null where nobody told it. */
function usageOf(usage: TokenUsage): object | null {
  if (usage.input === null && usage.output === null) return null;
  const input = usage.input ?? 0;
  const output = usage.output ?? 0;
  const thoughts = usage.reasoning ?? 0;
  return {
    promptTokenCount: input,
    candidatesTokenCount: Math.max(0, output - thoughts),
    ...(usage.reasoning === null ? {} : { thoughtsTokenCount: thoughts }),
    ...(usage.cacheRead === null ? {} : { cachedContentTokenCount: usage.cacheRead }),
    totalTokenCount: input + output,
  };
}

interface ChunkParams {
  readonly parts: readonly Part[];
  readonly id: string | null;
  readonly model: string | null;
  readonly finish: { readonly stop: StopReason; readonly usage: TokenUsage } | null;
}

function chunkOf(
  { parts, id, model, finish }: ChunkParams,
  conversation: Conversation,
  stamp: Stamp,
): object {
  const usage = finish === null ? null : usageOf(finish.usage);
  return {
    candidates: [
      {
        content: { role: "model", parts },
        ...(finish === null ? {} : { finishReason: REASONS[finish.stop] }),
        index: 0,
      },
    ],
    ...(usage === null ? {} : { usageMetadata: usage }),
    modelVersion: model ?? conversation.model,
    responseId: id ?? stamp.id,
  };
}

/** What a part is signed with: what the thinking before it was proven with. */
const signature = (proof: Proof | null): Part =>
  proof === null ? {} : { thoughtSignature: proofText(proof, "generate_content") };

/** Parts as Google has them: a proof moves to the part after its thinking. */
function partsOf(parts: readonly AssistantPart[]): readonly Part[] {
  const written: Part[] = [];
  let proof: Proof | null = null;
  for (const part of parts) {
    if (part.type === "thinking") {
      if (part.text !== "") written.push({ text: part.text, thought: true });
      proof = part.proof;
      continue;
    }
    written.push({ ...bareOf(part), ...signature(proof) });
    proof = null;
  }
  return proof === null ? written : [...written, { text: "", ...signature(proof) }];
}

function bareOf(part: Exclude<AssistantPart, { type: "thinking" }>): Part {
  return part.type === "text"
    ? { text: part.text }
    : { functionCall: { id: part.id, name: part.name, args: inputObject(part.input) } };
}

export function writeAnswer(answer: Answer, conversation: Conversation, stamp: Stamp): object {
  const { id, model, stop, usage } = answer;
  return chunkOf({ parts: partsOf(answer.parts), id, model, finish: { stop, usage } }, conversation, stamp);
}

export function createStreamWriter(conversation: Conversation, stamp: Stamp): StreamWriter {
  let head: { readonly id: string | null; readonly model: string | null } = { id: null, model: null };
  let open: PartHead | null = null;
  let input = "";
  let proof: Proof | null = null;

  const chunk = (parts: readonly Part[], finish: ChunkParams["finish"] = null): string =>
    eventText(null, chunkOf({ parts, finish, ...head }, conversation, stamp));
  const signed = (part: Part): Part => {
    const mark = signature(proof);
    proof = null;
    return { ...part, ...mark };
  };

  return {
    push: (step) => {
      switch (step.type) {
        case "start":
          head = { id: step.id, model: step.model };
          return "";
        case "part":
          open = step.part;
          input = "";
          return "";
        case "delta":
          if (step.text === "" || open === null) return "";
          if (open.type === "thinking") return chunk([{ text: step.text, thought: true }]);
          if (open.type === "text") return chunk([signed({ text: step.text })]);
          // Calls come whole.
          input += step.text;
          return "";
        case "part_end": {
          const part = open;
          open = null;
          if (part?.type === "thinking") proof = step.proof ?? proof;
          return part?.type === "tool_call" ? chunk([signed(bareOf({ ...part, input }))]) : "";
        }
        case "finish":
          return chunk([signed({ text: "" })], step);
        case "fault":
          return eventText(null, faultObject("google", step.fault, null));
      }
    },
  };
}
