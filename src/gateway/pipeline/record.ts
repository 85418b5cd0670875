import type { Clock } from "../../base/index.ts";
import type { ModelCall } from "../ledger-store.ts";
import { costOfUsage, type Cost, type PricedProvider } from "../price.ts";
import { kindOf } from "../providers/kinds.ts";
import type { Provider } from "../providers/provider.ts";
import { UNKNOWN_USAGE, type TokenUsage } from "../usage/usage.ts";
import type { Call, CallResult } from "./call.ts";

/** The ledger's row of a call that has ended. */
export async function rowOf(call: Call, result: CallResult, clock: Clock): Promise<ModelCall> {
  const totalMs = clock.monotonicMs() - call.startedMs;
  const { target, observation } = result;
  const free = isFree(call, result);
  const usage = observation?.usage ?? UNKNOWN_USAGE;
  const model = observation?.model ?? target?.model ?? call.model;
  const cost =
    free || target === null ? null : await costOn(call, target.provider, model, target.model, usage);
  return {
    id: call.id,
    keyId: call.caller.keyId,
    caller: call.caller.label,
    team: call.caller.team,
    runId: call.caller.runId,
    taskId: call.caller.taskId,
    provider: target?.provider.name ?? "none",
    endpoint: call.endpoint.name,
    asked: call.model,
    model,
    status: result.status,
    usage,
    usageComplete: free || observation?.complete === true,
    price: cost?.price ?? null,
    costMicros: free ? 0 : (cost?.micros ?? null),
    firstByteMs: result.firstByteMs,
    totalMs,
    attempts: result.attempts,
    cache: result.cache,
    outcome: result.outcome === "refused" ? "failed" : result.outcome,
    error: result.error,
    startedAt: call.startedAt,
  };
}

/** Whether a call costs nothing for sure: it has no usage, was rejected, came from the cache or never reached a provider. */
function isFree(call: Call, result: CallResult): boolean {
  return (
    call.endpoint.usage === "none" ||
    result.outcome === "rejected" ||
    result.cache === "hit" ||
    result.cache === "joined" ||
    !result.sent
  );
}

/** Some answer with a name of the model that no list knows; the name that was asked for is then tried. */
async function costOn(
  call: Call,
  provider: Provider,
  answered: string | null,
  asked: string | null,
  usage: TokenUsage,
): Promise<Cost | null> {
  const of = (model: string | null): Promise<Cost | null> =>
    costOfUsage({
      model,
      usage,
      provider: priced(provider),
      overrides: call.settings.prices,
      at: call.startedAt,
    });
  return (await of(answered)) ?? (asked === answered ? null : await of(asked));
}

export function priced(provider: Provider): PricedProvider {
  const kind = kindOf(provider.settings.kind);
  return {
    name: provider.name,
    settings: provider.settings,
    usualPriceProvider: kind.priceProvider ?? "openai",
  };
}
