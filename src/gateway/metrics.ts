import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { ModelCall } from "./ledger-store.ts";
import type { CallResult } from "./pipeline/call.ts";

export interface GatewayMetrics {
  add(call: ModelCall, result: CallResult): void;
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
  const calls = new Counter({
    name: "miyabi_gateway_calls_total",
    help: "Model calls by provider, endpoint and outcome.",
    labelNames: ["provider", "endpoint", "outcome"],
    registers,
  });
  const tokens = new Counter({
    name: "miyabi_gateway_tokens_total",
    help: "Tokens as providers counted them.",
    labelNames: ["provider", "kind"],
    registers,
  });
  const cost = new Counter({
    name: "miyabi_gateway_cost_micros_total",
    help: "Known cost, USD × 10⁻⁶.",
    labelNames: ["provider"],
    registers,
  });
  const unknown = new Counter({
    name: "miyabi_gateway_cost_unknown_total",
    help: "Calls whose cost is not known.",
    labelNames: ["provider"],
    registers,
  });
  const refusals = new Counter({
    name: "miyabi_gateway_refusals_total",
    help: "Calls that the gateway refused itself, by reason.",
    labelNames: ["reason"],
    registers,
  });
  const cache = new Counter({
    name: "miyabi_gateway_cache_total",
    help: "Calls that used the cache: hit, miss, joined.",
    labelNames: ["result"],
    registers,
  });
  const trim = new Counter({
    name: "miyabi_gateway_trim_tokens_total",
    help: "Tokens of requests that may be trimmed: in, out, stable (the same at the beginning as in the request before).",
    labelNames: ["kind"],
    registers,
  });
  const retries = new Counter({
    name: "miyabi_gateway_retries_total",
    help: "Tries beyond the first.",
    labelNames: ["provider"],
    registers,
  });
  const duration = new Histogram({
    name: "miyabi_gateway_call_seconds",
    help: "Whole calls.",
    labelNames: ["provider"],
    buckets: SECONDS,
    registers,
  });
  const firstByte = new Histogram({
    name: "miyabi_gateway_first_byte_seconds",
    help: "Until the first byte of the answer.",
    labelNames: ["provider"],
    buckets: SECONDS,
    registers,
  });
  const open = new Gauge({ name: "miyabi_gateway_open_calls", help: "Calls under way.", registers });
  const breaker = new Gauge({
    name: "miyabi_gateway_breaker_state",
    help: "0 closed, 1 half-open, 2 open.",
    labelNames: ["provider"],
    registers,
  });

  return {
    add: (call, result) => {
      const { provider } = call;
      if (result.refusal !== null) refusals.inc({ reason: result.refusal });
      if (result.cache !== null) cache.inc({ result: result.cache });
      calls.inc({ provider, endpoint: call.endpoint, outcome: result.outcome });
      if (result.outcome === "refused") return;
      const { usage } = call;
      const { trimmed } = result;
      if (trimmed !== null) {
        trim.inc({ kind: "in" }, trimmed.tokensIn);
        trim.inc({ kind: "out" }, trimmed.tokensOut);
        trim.inc({ kind: "stable" }, trimmed.prefixStableTokens ?? 0);
      }
      for (const [kind, count] of [
        ["input", usage.input],
        ["output", usage.output],
        ["cache_read", usage.cacheRead],
        ["cache_write", usage.cacheWrite],
        ["reasoning", usage.reasoning],
      ] as const)
        if (count !== null && count > 0) tokens.inc({ provider, kind }, count);
      if (call.costMicros === null) unknown.inc({ provider });
      else cost.inc({ provider }, call.costMicros);
      if (call.attempts > 1) retries.inc({ provider }, call.attempts - 1);
      duration.observe({ provider }, call.totalMs / 1000);
      if (call.firstByteMs !== null) firstByte.observe({ provider }, call.firstByteMs / 1000);
    },
    text: async () => {
      open.set(params.openCalls());
      breaker.reset();
      for (const [provider, state] of params.breakers())
        breaker.set({ provider }, BREAKER_STATES.indexOf(state));
      return registry.metrics();
    },
  };
}
