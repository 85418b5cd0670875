import { parseJson } from "../../../base/index.ts";
import { formatOf } from "../../usage/formats.ts";
import { objectOf, textOf, UNKNOWN_USAGE, type JsonObject, type TokenUsage } from "../../usage/usage.ts";
import { eventsOf, type Answer, type AnswerEvent, type StopReason } from "../answer.ts";
import type { StreamReader } from "../codec.ts";
import type { AssistantPart, Proof } from "../conversation.ts";
import { faultOf } from "../fault.ts";
import { listOf, stringOf } from "../json.ts";
import { createPartOrder } from "../part-order.ts";

const usageOf = (response: JsonObject): TokenUsage =>
  formatOf("responses")?.ofDocument(response).usage ?? UNKNOWN_USAGE;

function stopOf(
  response: JsonObject,
  parts: { readonly calls: boolean; readonly refused: boolean },
): StopReason {
  if (response["status"] === "incomplete")
    return objectOf(response["incomplete_details"])["reason"] === "content_filter" ? "refusal" : "length";
  if (parts.refused) return "refusal";
  return parts.calls ? "tool" : "end";
}

/** @throws where it is no answer, or one that says that it failed */
export function readAnswer(response: JsonObject): Answer {
  if (response["status"] === "failed" || !Array.isArray(response["output"]))
    throw new Error("an answer without output");
  const output = listOf(response["output"]);
  const parts = output.flatMap(partsOf);
  return {
    id: textOf(response["id"]),
    model: textOf(response["model"]),
    parts,
    stop: stopOf(response, {
      calls: parts.some(({ type }) => type === "tool_call"),
      refused: output.some((item) => listOf(item["content"]).some(({ type }) => type === "refusal")),
    }),
    stopSequence: null,
    usage: usageOf(response),
  };
}

function partsOf(item: JsonObject): readonly AssistantPart[] {
  switch (item["type"]) {
    case "message": {
      const text = listOf(item["content"])
        .map((part) => stringOf(part["text"]) + stringOf(part["refusal"]))
        .join("");
      return text === "" ? [] : [{ type: "text", text }];
    }
    case "reasoning":
      return [{ type: "thinking", text: thoughtOf(item), proof: proofOfItem(item) }];
    case "function_call":
      return [
        {
          type: "tool_call",
          id: stringOf(item["call_id"]),
          name: stringOf(item["name"]),
          input: stringOf(item["arguments"]),
        },
      ];
    default:
      return [];
  }
}

const thoughtOf = (item: JsonObject): string =>
  [...listOf(item["summary"]), ...listOf(item["content"])].map((part) => stringOf(part["text"])).join("\n\n");

function proofOfItem(item: JsonObject): Proof | null {
  const value = stringOf(item["encrypted_content"]);
  return value === "" ? null : { of: "responses", value, id: textOf(item["id"]), redacted: false };
}

/** Reads OpenAI's stream of items; what is not known is passed over. */
export function createStreamReader(): StreamReader {
  const order = createPartOrder();
  /** Parts of which something has come. */
  const written = new Set<string>();
  let refused = false;
  let calls = false;

  const write = (key: string, text: string): readonly AnswerEvent[] => {
    if (text !== "") written.add(key);
    return order.delta(key, text);
  };
  const writeText = (event: JsonObject, item: string): readonly AnswerEvent[] => {
    const key = `${item} text`;
    return [
      ...(order.has(key) ? [] : order.start(key, { type: "text" })),
      ...write(key, stringOf(event["delta"])),
    ];
  };
  const startItem = (item: JsonObject, key: string): readonly AnswerEvent[] => {
    if (order.has(key)) return [];
    if (item["type"] === "reasoning") return order.start(key, { type: "thinking" });
    if (item["type"] !== "function_call") return [];
    calls = true;
    return order.start(key, {
      type: "tool_call",
      id: stringOf(item["call_id"]),
      name: stringOf(item["name"]),
    });
  };
  const endItem = (item: JsonObject, key: string): readonly AnswerEvent[] => {
    const [part] = partsOf(item);
    if (item["type"] === "message") {
      const text = `${key} text`;
      const whole = order.has(text) || part?.type !== "text" ? [] : writeText({ delta: part.text }, key);
      return [...whole, ...order.end(text)];
    }
    if (part === undefined) return [];
    const rest = written.has(key) ? "" : part.type === "tool_call" ? part.input : part.text;
    const proof = part.type === "thinking" ? part.proof : null;
    return [...startItem(item, key), ...write(key, rest), ...order.end(key, proof)];
  };
  const finish = (response: JsonObject): readonly AnswerEvent[] => {
    // Some servers tell nothing before their last event.
    const whole =
      written.size === 0 && !calls && Array.isArray(response["output"])
        ? eventsOf(readAnswer(response)).slice(1)
        : [];
    if (whole.length > 1) return whole;
    const stop = stopOf(response, { calls, refused });
    return [...order.endAll(), { type: "finish", stop, stopSequence: null, usage: usageOf(response) }];
  };

  return {
    push: ({ data }) => {
      const event = objectOf(parseJson(data));
      const response = objectOf(event["response"]);
      const item = objectOf(event["item"]);
      const key = String(event["output_index"] ?? 0);
      switch (event["type"]) {
        case "response.created":
          return [{ type: "start", id: textOf(response["id"]), model: textOf(response["model"]) }];
        case "response.output_item.added":
          return startItem(item, key);
        case "response.output_text.delta":
          return writeText(event, key);
        case "response.refusal.delta":
          refused = true;
          return writeText(event, key);
        case "response.reasoning_summary_part.added":
          return written.has(key) ? write(key, "\n\n") : [];
        case "response.reasoning_summary_text.delta":
        case "response.reasoning_text.delta":
        case "response.function_call_arguments.delta":
          return write(key, stringOf(event["delta"]));
        case "response.output_item.done":
          return endItem(item, key);
        case "response.completed":
        case "response.incomplete":
          return finish(response);
        case "response.failed":
        case "response.cancelled":
          return [{ type: "fault", fault: faultOf(response, null) }];
        case "error":
          return [{ type: "fault", fault: faultOf(event, null) }];
        default:
          return [];
      }
    },
    end: () => [],
  };
}
