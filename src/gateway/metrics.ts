import { Gauge, Histogram, Registry } from "prom-client";
import type { ModelCall } from "./ledger-store.ts";
import type { CallResult } from "./pipeline/call.ts";
import { createCounts, createDurations } from "./tallies.ts";

export interface GatewayMetrics {
  add(call: ModelCall, result: CallResult): void;
  /** What trimming has left of a request's meaning. */
  addRetention(retention: number): void;
  /** Prometheus text. */
  text(): Promise<string>;
}

const SECONDS = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const BREAKER_STATES = ["closed", "half-open", "open"] as const;

/** Counters of the gateway. Labels are names from the configuration and fixed words only: nothing a caller can make up. */
export function createGatewayMetrics(params: {
  readonly openCalls: () => number;
  readonly breakers: () => ReadonlyMap<string, (typeof BREAKER_STATES)[number]>;
}): GatewayMetrics {
  const registry = new Registry();
  const registers = [registry];
  const calls = createCounts({
    name: "miyabi_gateway_calls_total",
    help: "Model calls by provider, endpoint and outcome.",
    labels: ["provider", "endpoint", "outcome"],
  });
  const tokens = createCounts({
    name: "miyabi_gateway_tokens_total",
    help: "Tokens as providers counted them.",
    labels: ["provider", "kind"],
  });
  const cost = createCounts({
    name: "miyabi_gateway_cost_micros_total",
    help: "Known cost, USD × 10⁻⁶.",
    labels: ["provider"],
  });
  const unknown = createCounts({
    name: "miyabi_gateway_cost_unknown_total",
    help: "Calls whose cost is not known.",
    labels: ["provider"],
  });
  const refusals = createCounts({
    name: "miyabi_gateway_refusals_total",
    help: "Calls that the gateway refused itself, by reason.",
    labels: ["reason"],
  });
  const cache = createCounts({
    name: "miyabi_gateway_cache_total",
    help: "Calls that used the cache: hit, miss, joined.",
    labels: ["result"],
  });
  const trim = createCounts({
    name: "miyabi_gateway_trim_tokens_total",
    help: "Tokens of requests that may be trimmed: in, out, stable (the same at the beginning as in the request before).",
    labels: ["kind"],
  });
  const retention = new Histogram({
    name: "miyabi_gateway_trim_retention",
    help: "Cosine between the meaning of trimmed requests before and after.",
    buckets: [0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 1],
    registers,
  });
  const retries = createCounts({
    name: "miyabi_gateway_retries_total",
    help: "Tries beyond the first.",
    labels: ["provider"],
  });
  const duration = createDurations({
    name: "miyabi_gateway_call_seconds",
    help: "Whole calls.",
    label: "provider",
    bounds: SECONDS,
  });
  const firstByte = createDurations({
    name: "miyabi_gateway_first_byte_seconds",
    help: "Until the first byte of the answer.",
    label: "provider",
    bounds: SECONDS,
  });
  const open = new Gauge({ name: "miyabi_gateway_open_calls", help: "Calls under way.", registers });
  const breaker = new Gauge({
    name: "miyabi_gateway_breaker_state",
    help: "0 closed, 1 half-open, 2 open.",
    labelNames: ["provider"],
    registers,
  });

  const tallies = [calls, tokens, cost, unknown, refusals, cache, trim, retries, duration, firstByte];

  return {
    add: (call, result) => {
      const { provider } = call;
      if (result.refusal !== null) refusals.add(1, result.refusal);
      if (result.cache !== null) cache.add(1, result.cache);
      calls.add(1, provider, call.endpoint, result.outcome);
      if (result.outcome === "refused") return;
      const { usage } = call;
      const { trimmed } = result;
      if (trimmed !== null) {
        trim.add(trimmed.tokensIn, "in");
        trim.add(trimmed.tokensOut, "out");
        trim.add(trimmed.prefixStableTokens ?? 0, "stable");
      }
      const count = (tokensOfKind: number | null, kind: string): void => {
        if (tokensOfKind !== null && tokensOfKind > 0) tokens.add(tokensOfKind, provider, kind);
      };
      count(usage.input, "input");
      count(usage.output, "output");
      count(usage.cacheRead, "cache_read");
      count(usage.cacheWrite, "cache_write");
      count(usage.reasoning, "reasoning");
      if (call.costMicros === null) unknown.add(1, provider);
      else cost.add(call.costMicros, provider);
      if (call.attempts > 1) retries.add(call.attempts - 1, provider);
      duration.observe(call.totalMs / 1000, provider);
      if (call.firstByteMs !== null) firstByte.observe(call.firstByteMs / 1000, provider);
    },
    addRetention: (value) => retention.observe(value),
    text: async () => {
      open.set(params.openCalls());
      breaker.reset();
      for (const [provider, state] of params.breakers())
        breaker.set({ provider }, BREAKER_STATES.indexOf(state));
      return [...tallies.map((one) => one.text()), await registry.metrics()].join("\n");
    },
  };
}
