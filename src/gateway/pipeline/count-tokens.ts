import { parseJson } from "../../base/index.ts";
import { createAnswerCopy } from "../relay/answer-copy.ts";
import { KeptAnswer } from "../relay/answer-sink.ts";
import { isCounting } from "../routing/count-targets.ts";
import { COUNT_CODECS } from "../translate/count-codecs.ts";
import { estimateTokens } from "../translate/estimate-tokens.ts";
import { objectOf } from "../usage/usage.ts";
import type { Call, CallResult, Stage } from "./call.ts";
import { refuse } from "./refuse.ts";

/** How a provider, or a server that only resembles one, says that it does not count. */
const CANNOT = new Set([404, 405, 501]);
const LARGEST_COUNT_BYTES = 1024 * 1024;

/**
 * Counts the tokens of a request: by the provider that would answer it, else by an estimate, which has the header
 * `x-miyabi-token-count: estimate`. Other calls pass.
 */
export function createCountStage(): Stage {
  return async (call, next) => {
    if (!isCounting(call.endpoint.name)) return next(call);
    if (call.targets.length === 0) return giveEstimate(call, null);
    const kept = new KeptAnswer(LARGEST_COUNT_BYTES);
    // What is held back must not be compressed: the caller may read something else than the provider's answer.
    const result = await next({ ...call, response: kept, copy: createAnswerCopy(0) });
    if (call.watch.ended === "gone") return result;
    if (CANNOT.has(kept.status ?? 0) || result.refusal === "not_supported") return giveEstimate(call, result);
    if (kept.status !== null && kept.writableEnded)
      call.response.writeHead(kept.status, kept.headers).end(kept.bytes());
    else call.response.destroy();
    return result;
  };
}

/** `tried`: what became of asking a provider; null: none was asked. */
async function giveEstimate(call: Call, tried: CallResult | null): Promise<CallResult> {
  const parsed = parseJson(call.body.toString("utf8"));
  if (!isCounting(call.endpoint.name) || parsed === undefined)
    return refuse(call, { refusal: "bad_request", message: "body: this is not JSON." });
  const codec = COUNT_CODECS[call.endpoint.name];
  const tokens = await estimateTokens(codec.requestOf(objectOf(parsed)));
  const body = Buffer.from(JSON.stringify(codec.writeCount(tokens)));
  call.response
    .writeHead(200, {
      ...call.answerHeaders,
      "content-type": "application/json",
      "content-length": String(body.length),
      "x-miyabi-token-count": "estimate",
    })
    .end(body);
  return {
    outcome: "ok",
    refusal: null,
    status: 200,
    firstByteMs: null,
    sent: tried?.sent ?? false,
    error: null,
    observation: null,
    bytes: 0,
    target: tried?.target ?? null,
    attempts: tried?.attempts ?? 0,
    cache: null,
    budget: null,
    trimmed: null,
  };
}
