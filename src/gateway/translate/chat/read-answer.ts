import { parseJson } from "../../../base/index.ts";
import { formatOf } from "../../usage/formats.ts";
import {
  countOf,
  objectOf,
  textOf,
  UNKNOWN_USAGE,
  type JsonObject,
  type TokenUsage,
} from "../../usage/usage.ts";
import { laterUsage, type Answer, type AnswerEvent, type StopReason } from "../answer.ts";
import type { StreamReader } from "../codec.ts";
import type { AssistantPart, Proof } from "../conversation.ts";
import { faultOf } from "../fault.ts";
import { listOf, stringOf } from "../json.ts";
import { createPartOrder } from "../part-order.ts";

const STOPS: Readonly<Record<string, StopReason>> = {
  stop: "end",
  length: "length",
  tool_calls: "tool",
  function_call: "tool",
  content_filter: "refusal",
};
/** Marks thinking that came in `reasoning_content`, so that it goes back there. */
const OWN: Proof = { of: "chat_completions", value: "", id: null, redacted: false };

const usageOf = (document: JsonObject): TokenUsage =>
  formatOf("chat")?.ofDocument(document).usage ?? UNKNOWN_USAGE;
const thoughtOf = (holder: JsonObject): string =>
  stringOf(holder["reasoning_content"]) || stringOf(holder["reasoning"]);

/** Servers differ in what they call the end of an answer that calls tools. */
function stopOf(value: unknown, calls: boolean, refused: boolean): StopReason {
  const stop = STOPS[stringOf(value)] ?? "end";
  if (refused) return "refusal";
  if (stop === "end" && calls) return "tool";
  return stop === "tool" && !calls ? "end" : stop;
}

/** @throws where it is no answer at all */
export function readAnswer(document: JsonObject): Answer {
  const [choice] = listOf(document["choices"]);
  if (choice === undefined) throw new Error("an answer without choices");
  const message = objectOf(choice["message"]);
  const thought = thoughtOf(message);
  const refusal = stringOf(message["refusal"]);
  const text = contentOf(message["content"]) + refusal;
  const calls = listOf(message["tool_calls"]).map((call, index): AssistantPart => {
    const made = objectOf(call["function"]);
    return {
      type: "tool_call",
      id: textOf(call["id"]) ?? `call_${index}`,
      name: stringOf(made["name"]),
      input: stringOf(made["arguments"]) || JSON.stringify(objectOf(made["arguments"])),
    };
  });
  return {
    id: textOf(document["id"]),
    model: textOf(document["model"]),
    parts: [
      ...(thought === "" ? [] : [{ type: "thinking", text: thought, proof: OWN } as const]),
      ...(text === "" ? [] : [{ type: "text", text } as const]),
      ...calls,
    ],
    stop: stopOf(choice["finish_reason"], calls.length > 0, refusal !== ""),
    stopSequence: null,
    usage: usageOf(document),
  };
}

/** Some servers answer in parts. */
function contentOf(content: unknown): string {
  return typeof content === "string"
    ? content
    : listOf(content)
        .map((part) => stringOf(part["text"]))
        .join("");
}

/** Reads a stream of chunks; it ends with `[DONE]`, or where it ends after a `finish_reason`. */
export function createStreamReader(): StreamReader {
  const order = createPartOrder();
  const calls = new Map<string, { readonly key: string; readonly id: string }>();
  let current: { readonly kind: "text" | "thinking"; readonly key: string } | null = null;
  let parts = 0;
  let started = false;
  let finish: unknown = null;
  let refused = false;
  let ended = false;
  let usage = UNKNOWN_USAGE;

  const begin = (chunk: JsonObject): readonly AnswerEvent[] => {
    if (started) return [];
    started = true;
    return [{ type: "start", id: textOf(chunk["id"]), model: textOf(chunk["model"]) }];
  };
  const leave = (): readonly AnswerEvent[] => {
    const key = current?.key;
    const kind = current?.kind;
    current = null;
    return key === undefined ? [] : order.end(key, kind === "thinking" ? OWN : null);
  };
  const write = (kind: "text" | "thinking", text: string): readonly AnswerEvent[] => {
    if (text === "") return [];
    if (current?.kind === kind) return order.delta(current.key, text);
    const left = [...leave(), ...order.endFinished()];
    current = { kind, key: `${kind} ${(parts += 1)}` };
    return [...left, ...order.start(current.key, { type: kind }), ...order.delta(current.key, text)];
  };
  const call = (made: JsonObject, position: number): readonly AnswerEvent[] => {
    const id = stringOf(made["id"]);
    const about = objectOf(made["function"]);
    const name = stringOf(about["name"]);
    const index = String(countOf(made["index"]) ?? position);
    const known = calls.get(index);
    // Some servers give every call the same index; a new id beside a name is a new call.
    const isNew = known === undefined || (id !== "" && name !== "" && id !== known.id);
    const key = isNew ? `call ${(parts += 1)}` : known.key;
    const text = stringOf(about["arguments"]);
    if (!isNew) return order.delta(key, text);
    calls.set(index, { key, id });
    const left = [...leave(), ...order.endFinished()];
    const head = { type: "tool_call", id: id === "" ? `call_${parts}` : id, name } as const;
    return [...left, ...order.start(key, head), ...order.delta(key, text)];
  };
  const close = (): readonly AnswerEvent[] => {
    if (ended) return [];
    ended = true;
    const stop = stopOf(finish, calls.size > 0, refused);
    return [...leave(), ...order.endAll(), { type: "finish", stop, stopSequence: null, usage }];
  };

  return {
    push: ({ data }) => {
      if (ended) return [];
      if (data.trim() === "[DONE]") return started ? close() : [];
      const chunk = objectOf(parseJson(data));
      if (chunk["error"] !== undefined && chunk["error"] !== null) {
        ended = true;
        return [{ type: "fault", fault: faultOf(chunk, null) }];
      }
      if (chunk["usage"] !== undefined && chunk["usage"] !== null) usage = laterUsage(usage, usageOf(chunk));
      const [choice] = listOf(chunk["choices"]);
      if (choice === undefined) return begin(chunk);
      const delta = objectOf(choice["delta"]);
      const refusal = stringOf(delta["refusal"]);
      refused ||= refusal !== "";
      finish = choice["finish_reason"] ?? finish;
      return [
        ...begin(chunk),
        ...write("thinking", thoughtOf(delta)),
        ...write("text", contentOf(delta["content"]) + refusal),
        ...listOf(delta["tool_calls"]).flatMap(call),
      ];
    },
    end: () => (finish === null ? [] : close()),
  };
}
