import { CHAINS, type Chain } from "../reflect/reflect-settings.ts";
import { reflectable, type Reflectable } from "../reflect/reflect-dialects.ts";
import { critiqueRequest, draftRequest, finalAnswerRequest } from "../reflect/steps.ts";
import type { JsonObject } from "../usage/usage.ts";
import { askWithin, type Within } from "./ask-within.ts";
import type { Call, CallResult, Next, Stage } from "./call.ts";
import { abandoned, refuse } from "./refuse.ts";

/**
 * Where a call or its key asks for it: a draft is asked for, then a critique of it, then the answer that the caller gets,
 * streamed where it wants a stream. Each step is a call of its own, with its limits, budgets and row in the ledger. A step
 * that fails is left out: the caller then gets what was asked, once, without a chain.
 */
export function createReflectStage(within: Within): Stage {
  const stepOf = (
    call: Call,
    step: "draft" | "critique",
    request: Reflectable,
    body: JsonObject,
    next: Next,
  ) =>
    askWithin(within, { call, next, body, step: { name: "reflect", step }, textOf: request.dialect.textOf });

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
    const critique = await stepOf(call, "critique", request, critiqueRequest(request, draft), next);
    if (call.watch.ended !== null) return givenUp(call);
    if (critique === null) return next(call);
    call.answerHeaders["x-miyabi-chain"] = "reflect";
    const body = finalAnswerRequest(request, draft, critique);
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
