import { parseJson } from "../../../base/index.ts";
import { formatOf } from "../../usage/formats.ts";
import { countOf, objectOf, textOf, UNKNOWN_USAGE, type JsonObject } from "../../usage/usage.ts";
import { laterUsage, type Answer, type AnswerEvent, type PartHead, type StopReason } from "../answer.ts";
import type { StreamReader } from "../codec.ts";
import type { AssistantPart, Proof } from "../conversation.ts";
import { faultOf } from "../fault.ts";
import { listOf, stringOf } from "../json.ts";
import { createPartOrder } from "../part-order.ts";
import type { ServerSentEvent } from "../server-sent-events.ts";

const STOPS: Readonly<Record<string, StopReason>> = {
  end_turn: "end",
  max_tokens: "length",
  tool_use: "tool",
  stop_sequence: "stop_sequence",
  refusal: "refusal",
  pause_turn: "pause",
  model_context_window_exceeded: "context",
};

const stopOf = (value: unknown): StopReason => STOPS[stringOf(value)] ?? "end";
const usageOf = (holder: JsonObject) => formatOf("messages")?.ofDocument(holder).usage ?? UNKNOWN_USAGE;
const ownProof = (value: string, redacted: boolean): Proof | null =>
  value === "" ? null : { of: "messages", value, id: null, redacted };

export function readAnswer(document: JsonObject): Answer {
  return {
    id: textOf(document["id"]),
    model: textOf(document["model"]),
    parts: listOf(document["content"]).flatMap(partsOf),
    stop: stopOf(document["stop_reason"]),
    stopSequence: textOf(document["stop_sequence"]),
    usage: usageOf(document),
  };
}

function partsOf(block: JsonObject): readonly AssistantPart[] {
  switch (block["type"]) {
    case "text":
      return [{ type: "text", text: stringOf(block["text"]) }];
    case "thinking":
      return [
        {
          type: "thinking",
          text: stringOf(block["thinking"]),
          proof: ownProof(stringOf(block["signature"]), false),
        },
      ];
    case "redacted_thinking":
      return [{ type: "thinking", text: "", proof: ownProof(stringOf(block["data"]), true) }];
    case "tool_use":
      return [
        {
          type: "tool_call",
          id: stringOf(block["id"]),
          name: stringOf(block["name"]),
          input: JSON.stringify(block["input"] ?? {}),
        },
      ];
    default:
      return [];
  }
}

/** Reads Anthropic's stream; pings and what is not known are passed over. */
export function createStreamReader(): StreamReader {
  const order = createPartOrder();
  const proofs = new Map<string, Proof | null>();
  let usage = UNKNOWN_USAGE;
  let stop: StopReason = "end";
  let stopSequence: string | null = null;

  const startBlock = (key: string, block: JsonObject): readonly AnswerEvent[] => {
    const head = headOf(block);
    if (head === null) return [];
    const [whole] = partsOf(block);
    if (whole?.type === "thinking" && whole.proof !== null) proofs.set(key, whole.proof);
    const given = whole === undefined || whole.type === "tool_call" ? givenInput(block) : whole.text;
    return [...order.start(key, head), ...order.delta(key, given)];
  };

  const addDelta = (key: string, delta: JsonObject): readonly AnswerEvent[] => {
    switch (delta["type"]) {
      case "text_delta":
        // Some servers leave the start of a block out.
        return [
          ...(order.has(key) ? [] : order.start(key, { type: "text" })),
          ...order.delta(key, stringOf(delta["text"])),
        ];
      case "thinking_delta":
        return order.delta(key, stringOf(delta["thinking"]));
      case "signature_delta": {
        const value = (proofs.get(key)?.value ?? "") + stringOf(delta["signature"]);
        proofs.set(key, ownProof(value, false));
        return [];
      }
      case "input_json_delta":
        return order.delta(key, stringOf(delta["partial_json"]));
      default:
        return [];
    }
  };

  return {
    push: ({ data }: ServerSentEvent) => {
      const event = objectOf(parseJson(data));
      const key = String(countOf(event["index"]) ?? 0);
      switch (event["type"]) {
        case "message_start": {
          const message = objectOf(event["message"]);
          usage = laterUsage(usage, usageOf(message));
          return [{ type: "start", id: textOf(message["id"]), model: textOf(message["model"]) }];
        }
        case "content_block_start":
          return startBlock(key, objectOf(event["content_block"]));
        case "content_block_delta":
          return addDelta(key, objectOf(event["delta"]));
        case "content_block_stop":
          return order.end(key, proofs.get(key) ?? null);
        case "message_delta": {
          const delta = objectOf(event["delta"]);
          usage = laterUsage(usage, usageOf(event));
          stop = stopOf(delta["stop_reason"]);
          stopSequence = textOf(delta["stop_sequence"]);
          return [];
        }
        case "message_stop":
          return [...order.endAll(), { type: "finish", stop, stopSequence, usage }];
        case "error":
          return [{ type: "fault", fault: faultOf(event, null) }];
        default:
          return [];
      }
    },
    end: () => [],
  };
}

function headOf(block: JsonObject): PartHead | null {
  switch (block["type"]) {
    case "text":
      return { type: "text" };
    case "thinking":
    case "redacted_thinking":
      return { type: "thinking" };
    case "tool_use":
      return { type: "tool_call", id: stringOf(block["id"]), name: stringOf(block["name"]) };
    default:
      return null;
  }
}

/** Usually the input comes in deltas, and `{}` before them says nothing. */
function givenInput(block: JsonObject): string {
  const input = objectOf(block["input"]);
  return Object.keys(input).length === 0 ? "" : JSON.stringify(input);
}
