import type { Log } from "../base/index.ts";
import type { ModelCall } from "./ledger-store.ts";
import type { CallResult } from "./pipeline/call.ts";

const RETRYABLE_STATUS = new Set([408, 409, 425, 429]);

/** Name of the logger that writes one line per call (requirements K.23). */
export const REQUEST_LOGGER = "katamari.request";

/** One JSON line per model call: sizes, time and outcome; no key, no prompt, no answer. */
export function logCall(log: Log, call: ModelCall, result: CallResult): void {
  const { trimmed } = result;
  const outcome = result.outcome;
  const fields = {
    req_id: call.id,
    caller: call.caller,
    key_id: call.keyId,
    team: call.team,
    task: call.taskId,
    run: call.runId,
    provider: call.provider,
    endpoint: call.endpoint,
    model: call.model,
    asked_model: call.asked,
    chain: call.chain?.name ?? null,
    chain_step: call.chain?.step ?? null,
    chain_of: call.chain?.of ?? null,
    status: call.status,
    outcome,
    refusal: result.refusal,
    token_in: call.usage.input,
    token_out: call.usage.output,
    token_cache_read: call.usage.cacheRead,
    token_cache_write: call.usage.cacheWrite,
    token_reasoning: call.usage.reasoning,
    // What is not trimmed goes out as it came in.
    compress_ratio: trimmed === null ? 1 : rounded(trimmed.compressRatio),
    token_reduction: trimmed === null ? 0 : rounded(1 - trimmed.compressRatio),
    prefix_stable_tokens: trimmed?.prefixStableTokens ?? null,
    step_latency_ms: Math.round(call.totalMs),
    first_byte_ms: call.firstByteMs === null ? null : Math.round(call.firstByteMs),
    cost_micros: call.costMicros,
    attempts: call.attempts,
    cache: call.cache,
    retryable: isRetryable(call),
    error: call.error,
  };
  if (call.outcome === "ok" || call.outcome === "aborted") log.info(fields, "model call");
  else log.warn(fields, "model call");
}

const rounded = (ratio: number): number => Number(ratio.toFixed(4));

function isRetryable(call: ModelCall): boolean {
  if (call.outcome === "ok" || call.outcome === "aborted") return false;
  return call.status === null || call.status < 400 || call.status >= 500 || RETRYABLE_STATUS.has(call.status);
}
