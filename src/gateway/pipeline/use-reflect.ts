import type { Clock, Random } from "../../base/index.ts";
import { CHAINS, type Chain } from "../reflect/reflect-settings.ts";
import { reflectable, type Reflectable } from "../reflect/reflect-dialects.ts";
import { critiqueRequest, draftRequest, finalAnswerRequest } from "../reflect/steps.ts";
import { createAnswerCopy } from "../relay/answer-copy.ts";
import { KeptAnswer } from "../relay/answer-sink.ts";
import { objectOf, parseJson, type JsonObject } from "../usage/usage.ts";
import type { Call, CallResult, Next, Stage } from "./call.ts";
import { abandoned, refuse } from "./refuse.ts";

interface ReflectStageParams {
  readonly clock: Clock;
  readonly random: Pick<Random, "uuid">;
  /** Writes a step's own row and log line. */
  readonly record: (call: Call, result: CallResult) => Promise<void>;
}

const LARGEST_STEP_BYTES = 8 * 1024 * 1024;

/**
 * Where a call or its key asks for it: a draft is asked for, then a critique of it, then the answer that the caller gets,
 * streamed where it wants a stream. Each step is a call of its own, with its limits, budgets and row in the ledger. A step
 * that fails is left out: the caller then gets what was asked, once, without a chain.
 */
export function createReflectStage(params: Readonly<ReflectStageParams>): Stage {
  /** The text of a step's answer; null: there is none. */
  const stepOf = async (
    call: Call,
    step: "draft" | "critique",
    request: Reflectable,
    body: JsonObject,
    next: Next,
  ) => {
    const kept = new KeptAnswer(LARGEST_STEP_BYTES);
    const id = params.random.uuid();
    const inner: Call = {
      ...call,
      id,
      startedAt: params.clock.now(),
      startedMs: params.clock.monotonicMs(),
      body: Buffer.from(JSON.stringify(body)),
      response: kept,
      answerHeaders: {},
      // Its answer is read here, so it must not be compressed.
      copy: createAnswerCopy(0),
    };
    const result = await next(inner);
    await params.record(inner, { ...result, chain: { name: "reflect", step, of: call.id } });
    if (result.outcome !== "ok" || kept.status !== 200) return null;
    const text = request.dialect.textOf(objectOf(parseJson(kept.text()))).trim();
    return text === "" ? null : { text, usage: result.observation?.usage ?? null };
  };

  return async (call, next) => {
    const chain = chainOf(call);
    if (chain === "invalid")
      return refuse(call, {
        refusal: "bad_request",
        message: `x-miyabi-chain must be one of: ${CHAINS.join(", ")}.`,
      });
    const request = chain === "reflect" ? reflectable(call.endpoint.name, call.body) : null;
    if (request === null) return next(call);
    const draft = await stepOf(call, "draft", request, draftRequest(request), next);
    if (call.watch.ended !== null) return givenUp(call);
    if (draft === null) return next(call);
    const critique = await stepOf(call, "critique", request, critiqueRequest(request, draft.text), next);
    if (call.watch.ended !== null) return givenUp(call);
    if (critique === null) return next(call);
    call.answerHeaders["x-miyabi-chain"] = "reflect";
    const body = finalAnswerRequest(request, draft.text, critique.text);
    const result = await next({ ...call, body: Buffer.from(JSON.stringify(body)) });
    return { ...result, chain: { name: "reflect", step: "final", of: call.id } };
  };
}

function chainOf(call: Call): Chain | "invalid" {
  const said = call.request.headers["x-miyabi-chain"];
  if (said !== undefined)
    return CHAINS.find((name) => name === String(said).trim().toLowerCase()) ?? "invalid";
  const { keyId, keyName } = call.caller;
  return call.settings.reflect.keys.some((name) => name === keyId || name === keyName) ? "reflect" : "none";
}

/** The caller went away, or the steps took too long. */
function givenUp(call: Call): CallResult {
  if (call.watch.ended === "gone") return abandoned(call, { target: null, attempts: 0, sent: false });
  return refuse(call, {
    refusal: "upstream_timeout",
    message: "The call took longer than the longest allowed time (gateway.timeouts.totalMs).",
  });
}
