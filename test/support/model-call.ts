import type { ModelCall } from "../../src/gateway/ledger-store.ts";
import { UNKNOWN_USAGE } from "../../src/gateway/usage/usage.ts";

/** A call for the ledger: free, of a run, well ended. */
export function modelCall(over: Partial<ModelCall> & Pick<ModelCall, "id">): ModelCall {
  return {
    keyId: null,
    caller: "run R1",
    team: null,
    asked: null,
    attempts: 1,
    failedTries: [],
    cache: null,
    trimmed: null,
    chain: null,
    chargedMicros: null,
    limits: [],
    runId: null,
    taskId: null,
    provider: "openai",
    endpoint: "responses",
    model: null,
    status: 200,
    usage: UNKNOWN_USAGE,
    usageComplete: true,
    price: null,
    costMicros: 0,
    firstByteMs: null,
    totalMs: 1,
    outcome: "ok",
    error: null,
    startedAt: new Date(),
    ...over,
  };
}
