import { parseJson, type Clock, type Random } from "../../base/index.ts";
import { createAnswerCopy } from "../relay/answer-copy.ts";
import { KeptAnswer } from "../relay/answer-sink.ts";
import { objectOf, type JsonObject } from "../usage/usage.ts";
import type { Call, CallResult, ChainStep, Next } from "./call.ts";

/** What a call within a call needs of the gateway. */
export interface Within {
  readonly clock: Clock;
  readonly random: Pick<Random, "uuid">;
  /** Writes the call's own row and log line. */
  readonly record: (call: Call, result: CallResult) => Promise<void>;
}

interface AskWithinParams {
  /** Of the caller: its key, limits and watch hold for the inner call too. */
  readonly call: Call;
  readonly body: JsonObject;
  readonly next: Next;
  readonly step: Omit<ChainStep, "of">;
  /** Where it goes; left out: where the caller's call goes. */
  readonly to?: Pick<Call, "model" | "targets"> &
    Partial<Pick<Call, "operation" | "query" | "endpoint" | "dialect" | "watch">>;
}

const LARGEST_ANSWER_BYTES = 8 * 1024 * 1024;

/** Makes a call of our own for a caller's call; gives the answer's text, null where there is none. */
export async function askWithin(
  within: Within,
  { textOf, ...params }: Readonly<AskWithinParams & { textOf: (answer: JsonObject) => string }>,
): Promise<string | null> {
  const answer = await askDocument(within, params);
  const text = answer === null ? "" : textOf(answer).trim();
  return text === "" ? null : text;
}

/** The same with the whole answer. */
export async function askDocument(
  within: Within,
  params: Readonly<AskWithinParams>,
): Promise<JsonObject | null> {
  const { call, step } = params;
  const kept = new KeptAnswer(LARGEST_ANSWER_BYTES);
  const inner: Call = {
    ...call,
    ...params.to,
    id: within.random.uuid(),
    startedAt: within.clock.now(),
    startedMs: within.clock.monotonicMs(),
    body: Buffer.from(JSON.stringify(params.body)),
    response: kept,
    answerHeaders: {},
    // The answer is read here, so it must not be compressed.
    copy: createAnswerCopy(0),
    trimmed: null,
  };
  const result = await params.next(inner);
  await within.record(inner, { ...result, chain: { ...step, of: call.id } });
  if (result.outcome !== "ok" || kept.status !== 200) return null;
  return objectOf(parseJson(kept.text()));
}
