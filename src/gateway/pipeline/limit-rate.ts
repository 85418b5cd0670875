import { LRUCache } from "lru-cache";
import type { Clock } from "../../base/index.ts";
import { createTokenBucket, type TokenBucket } from "../../guard/index.ts";
import type { Call, CallResult, Stage } from "./call.ts";
import { refuse } from "./refuse.ts";

const MOST_BUCKETS = 20_000;

/** Limits requests and tokens per minute of a key. Counted in this process; tokens are estimated first and corrected after. */
export function createRateLimits(clock: Pick<Clock, "monotonicMs">): Stage {
  const buckets = new LRUCache<string, TokenBucket>({ max: MOST_BUCKETS });

  const bucketOf = (call: Call, what: "requests" | "tokens", perMinute: number): TokenBucket => {
    // A changed limit begins anew.
    const key = `${call.caller.keyId ?? call.caller.runId ?? ""} ${what} ${perMinute}`;
    const known = buckets.get(key);
    if (known !== undefined) return known;
    const bucket = createTokenBucket({ perMinute, clock });
    buckets.set(key, bucket);
    return bucket;
  };

  return async (call, next) => {
    const { requestsPerMinute, tokensPerMinute, label } = call.caller;
    const over = (what: string, limit: number, retryAfterMs: number): CallResult =>
      refuse(call, {
        refusal: "rate_limited",
        message: `The limit of ${limit} ${what} a minute of ${label} is reached.`,
        retryAfterMs,
      });
    if (requestsPerMinute !== null) {
      const taken = bucketOf(call, "requests", requestsPerMinute).take(1);
      if (taken.state === "empty") return over("requests", requestsPerMinute, taken.retryAfterMs);
    }
    if (tokensPerMinute === null) return next(call);
    const bucket = bucketOf(call, "tokens", tokensPerMinute);
    const estimate = estimateInputTokens(call.body.length);
    const taken = bucket.take(estimate);
    if (taken.state === "empty") return over("tokens", tokensPerMinute, taken.retryAfterMs);
    const result = await next(call);
    bucket.correct(tokensUsed(result, estimate) - estimate);
    return result;
  };
}

function tokensUsed(result: CallResult, estimate: number): number {
  if (result.attempts === 0) return 0;
  const usage = result.observation?.usage;
  return (usage?.input ?? estimate) + (usage?.output ?? 0);
}

const BYTES_PER_TOKEN = 3;

/** Tokens that a request of this size has at most, roughly: English has four bytes to a token, Japanese three. */
export function estimateInputTokens(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN);
}
