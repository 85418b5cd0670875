import { parseJson } from "../../../base/index.ts";
import { formatOf } from "../../usage/formats.ts";
import { objectOf, textOf, UNKNOWN_USAGE, type JsonObject, type TokenUsage } from "../../usage/usage.ts";
import {
  answerOf,
  laterUsage,
  type Answer,
  type AnswerEvent,
  type PartHead,
  type StopReason,
} from "../answer.ts";
import type { StreamReader } from "../codec.ts";
import type { Proof } from "../conversation.ts";
import { faultOf } from "../fault.ts";
import { listOf, stringOf } from "../json.ts";

const REFUSALS = /SAFETY|RECITATION|BLOCKLIST|PROHIBITED|SPII|LANGUAGE|OTHER_BLOCK/;

const usageOf = (chunk: JsonObject): TokenUsage =>
  formatOf("gemini")?.ofDocument(chunk).usage ?? UNKNOWN_USAGE;

function stopOf(reason: string, calls: boolean): StopReason {
  if (reason === "MAX_TOKENS") return "length";
  if (REFUSALS.test(reason)) return "refusal";
  return calls ? "tool" : "end";
}

/** @throws where it is no answer at all */
export function readAnswer(document: JsonObject): Answer {
  const reader = createStreamReader();
  const events = reader.push({ event: null, data: JSON.stringify(document) });
  const answer = answerOf([...events, ...reader.end()]);
  if (answer === null) throw new Error("an answer without candidates");
  return answer;
}

/** Reads a stream of partial answers; it ends where it ends after a reason for that. */
export function createStreamReader(): StreamReader {
  let open: PartHead | null = null;
  let proof: Proof | null = null;
  let started = false;
  let calls = 0;
  let reason: string | null = null;
  let failed = false;
  let id = "";
  let usage = UNKNOWN_USAGE;

  const close = (): readonly AnswerEvent[] => {
    if (open === null) return [];
    const ended = { type: "part_end", proof: open.type === "thinking" ? proof : null } as const;
    if (open.type === "thinking") proof = null;
    open = null;
    return [ended];
  };
  const write = (kind: "text" | "thinking", text: string): readonly AnswerEvent[] => {
    if (text === "" && open?.type !== kind) return [];
    const before = open?.type === kind ? [] : [...close(), { type: "part", part: { type: kind } } as const];
    open = { type: kind };
    return text === "" ? before : [...before, { type: "delta", text }];
  };
  /** A signature belongs to the thinking before the part that it stands on; where that was not shown it stands alone. */
  const sign = (signature: string): readonly AnswerEvent[] => {
    if (signature === "") return [];
    proof = { of: "generate_content", value: signature, id: null, redacted: false };
    if (open?.type === "thinking") return close();
    const before = close();
    open = { type: "thinking" };
    return [...before, { type: "part", part: open }, ...close()];
  };
  const call = (made: JsonObject): readonly AnswerEvent[] => {
    calls += 1;
    const given = textOf(made["id"]) ?? `call_${id === "" ? "" : `${id}_`}${calls}`;
    return [
      ...close(),
      { type: "part", part: { type: "tool_call", id: given, name: stringOf(made["name"]) } },
      { type: "delta", text: JSON.stringify(objectOf(made["args"])) },
      { type: "part_end", proof: null },
    ];
  };
  const readPart = (part: JsonObject): readonly AnswerEvent[] => {
    const signature = stringOf(part["thoughtSignature"]);
    const text = stringOf(part["text"]);
    if (part["thought"] === true) {
      if (signature !== "") proof = { of: "generate_content", value: signature, id: null, redacted: false };
      return write("thinking", text);
    }
    const before = sign(signature);
    return [
      ...before,
      ...(part["functionCall"] === undefined ? write("text", text) : call(objectOf(part["functionCall"]))),
    ];
  };

  return {
    push: ({ data }) => {
      const chunk = objectOf(parseJson(data));
      if (chunk["error"] !== undefined) {
        failed = true;
        return [{ type: "fault", fault: faultOf(chunk, null) }];
      }
      const blocked = textOf(objectOf(chunk["promptFeedback"])["blockReason"]);
      const [candidate] = listOf(chunk["candidates"]);
      if (candidate === undefined && blocked === null) return [];
      usage = laterUsage(usage, usageOf(chunk));
      reason = blocked === null ? (textOf(candidate?.["finishReason"]) ?? reason) : "SAFETY";
      id = textOf(chunk["responseId"]) ?? id;
      const head: readonly AnswerEvent[] = started
        ? []
        : [{ type: "start", id: id === "" ? null : id, model: textOf(chunk["modelVersion"]) }];
      started = true;
      return [...head, ...listOf(objectOf(candidate?.["content"])["parts"]).flatMap(readPart)];
    },
    end: () => {
      if (reason === null || failed) return [];
      return [...close(), { type: "finish", stop: stopOf(reason, calls > 0), stopSequence: null, usage }];
    },
  };
}
