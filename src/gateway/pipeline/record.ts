import type { Clock } from "../../base/index.ts";
import type { ModelCall } from "../ledger-store.ts";
import { costOfUsage, type Cost, type PricedProvider } from "../price.ts";
import { kindOf } from "../providers/kinds.ts";
import type { Provider } from "../providers/provider.ts";
import { estimateInputTokens } from "./limit-rate.ts";
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
  const usageComplete = free || observation?.complete === true;
  const costMicros = free ? 0 : (cost?.micros ?? null);
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
    usageComplete,
    price: cost?.price ?? null,
    costMicros,
    firstByteMs: result.firstByteMs,
    totalMs,
    attempts: result.attempts,
    failedTries: result.failedTries ?? [],
    cache: result.cache,
    trimmed: result.trimmed,
    chain: result.chain ?? null,
    limits: result.budget?.limits ?? [],
    chargedMicros:
      result.budget === null
        ? null
        : usageComplete && costMicros !== null
          ? costMicros
          : await mayHaveCost(call, result, costMicros ?? 0),
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

const BYTES_PER_TOKEN = 4;

/**
 * What a call is charged with whose provider did not say what it used: the input as far as known, and the answer's bytes
 * as output, which are more than its text; never more than was reserved.
 */
async function mayHaveCost(call: Call, result: CallResult, leastMicros: number): Promise<number> {
  const most = Math.max(result.budget?.reservedMicros ?? 0, leastMicros);
  const { target } = result;
  if (target === null) return most;
  const known = result.observation?.usage ?? UNKNOWN_USAGE;
  const cost = await costOfUsage({
    model: target.model,
    usage: {
      ...known,
      input: known.input ?? estimateInputTokens(call.body.length),
      output: Math.max(known.output ?? 0, Math.ceil(result.bytes / BYTES_PER_TOKEN)),
    },
    provider: priced(target.provider),
    overrides: call.settings.prices,
    at: call.startedAt,
  });
  return cost === null ? most : Math.min(most, Math.max(leastMicros, cost.micros));
}

const pricedOf = new WeakMap<Provider, PricedProvider>();

/** Always the same one for the same provider. */
export function priced(provider: Provider): PricedProvider {
  const known = pricedOf.get(provider);
  if (known !== undefined) return known;
  const made = {
    name: provider.name,
    settings: provider.settings,
    usualPriceProvider: kindOf(provider.settings.kind).priceProvider ?? "openai",
  };
  pricedOf.set(provider, made);
  return made;
}
