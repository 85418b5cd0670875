import { z } from "zod";
import { gatewayKeyId } from "./gateway-key.ts";
import { costMicros, instant, runId, taskId } from "./primitives.ts";

/** How the calls of a model at a provider went in the last 24 hours. */
export const modelHealthView = z.object({
  provider: z.string(),
  model: z.string().nullable(),
  calls: z.number().int(),
  /** Those that brought no answer or half of one. */
  failed: z.number().int(),
  firstByteP50Ms: z.number().int().nullable(),
  lastAt: instant,
  lastFailedAt: instant.nullable(),
  lastError: z.string().nullable(),
});
export type ModelHealthView = z.infer<typeof modelHealthView>;

const usd = z.number().nullable();
/** USD per million tokens; null: the model has no such price. */
const rates = {
  inputUsd: usd,
  outputUsd: usd,
  cacheReadUsd: usd,
  cacheWriteUsd: usd,
  /** Longer requests cost more than this. */
  tiered: z.boolean(),
  /** `provider/model` in the price list; null: the price is not from there. */
  listedAs: z.string().nullable(),
};

/** What a model costs at a provider. */
export const modelPriceView = z.object({
  provider: z.string(),
  model: z.string(),
  /** `override`: from `gateway.prices` or prices.yaml. */
  source: z.enum(["override", "list", "free", "unknown"]),
  ...rates,
  windowTokens: z.number().int().nullable(),
  /** Aliases and routes that lead to it. */
  usedBy: z.array(z.string()),
  /** Answered calls of the last 30 days, and those of them whose cost is not known. */
  calls: z.number().int(),
  costUnknown: z.number().int(),
});
export type ModelPriceView = z.infer<typeof modelPriceView>;

const tokens = z.number().int().nullable();

/** One model call of the ledger. */
export const modelCallView = z.object({
  id: z.uuid(),
  startedAt: instant,
  /** For people, e.g. `run R12`. */
  caller: z.string().nullable(),
  keyId: gatewayKeyId.nullable(),
  team: z.string().nullable(),
  taskId: taskId.nullable(),
  runId: runId.nullable(),
  provider: z.string(),
  endpoint: z.string(),
  /** As the caller named it. */
  askedModel: z.string().nullable(),
  /** As the provider named it. */
  model: z.string().nullable(),
  status: z.number().int().nullable(),
  outcome: z.enum(["ok", "rejected", "failed", "cut", "aborted"]),
  error: z.string().nullable(),
  tokensIn: tokens,
  tokensOut: tokens,
  tokensCacheRead: tokens,
  tokensCacheWrite: tokens,
  tokensReasoning: tokens,
  /** Null: not known. */
  costMicros,
  /** False: tokens and cost are lower bounds or unknown. */
  usageComplete: z.boolean(),
  firstByteMs: z.number().int().nullable(),
  totalMs: z.number().int(),
  attempts: z.number().int(),
  cache: z.enum(["hit", "miss", "joined"]).nullable(),
  /** Tokens out / tokens in; null: the request was not to be trimmed. */
  compressRatio: z.number().nullable(),
  /** At the beginning the same as in the conversation's request before it; null: as above. */
  prefixStableTokens: z.number().int().nullable(),
  /** How much of the meaning trimming has left, 0 to 1; null: not measured, or not yet. */
  retention: z.number().nullable(),
  /** Name of the chain that the call is a step of, and of the step; null: of none. */
  chain: z.string().nullable(),
  chainStep: z.string().nullable(),
  /** Id of the call that the caller made. */
  chainOf: z.uuid().nullable(),
  /** Route that the asked model is the name of, as it is configured now; null: of none. */
  route: z.string().nullable(),
  /** Tries that brought nothing and targets that were passed over, in order; another one answered, or none. */
  tried: z.array(
    z.object({
      provider: z.string(),
      model: z.string().nullable(),
      /** Of the provider's answer; null: there was none. */
      status: z.number().int().nullable(),
      error: z.string(),
    }),
  ),
  /** That the cost was worked out with; null: none is known. */
  price: z.object({ source: z.enum(["override", "list", "free"]), ...rates }).nullable(),
});
export type ModelCallView = z.infer<typeof modelCallView>;

/** What was said in a call, with secrets redacted. */
export const modelCallPrompt = z.object({
  callId: z.uuid(),
  /** JSON; its middle is left out where `isCut`. */
  request: z.string(),
  /** JSON; null: there was no answer, or none that could be read. */
  answer: z.string().nullable(),
  /** As they were sent. */
  requestBytes: z.number().int(),
  answerBytes: z.number().int().nullable(),
  isCut: z.boolean(),
  createdAt: instant,
});
export type ModelCallPrompt = z.infer<typeof modelCallPrompt>;

const ledgerSums = {
  calls: z.number().int(),
  /** Calls that did not end well. */
  failed: z.number().int(),
  /** Calls that were answered without asking a provider. */
  cacheHits: z.number().int(),
  /** USD × 10⁻⁶ of the calls whose cost is known. */
  costMicros: z.number(),
  costUnknown: z.number().int(),
  tokensIn: z.number(),
  tokensOut: z.number(),
  /** Part of `tokensIn` that the provider had in its own cache. */
  tokensCacheRead: z.number(),
};

/** Sums of the ledger over a range, whole and by hour or day. */
export const modelCallSummary = z.object({
  spans: z.array(z.object({ from: instant, ...ledgerSums })),
  total: z.object({
    ...ledgerSums,
    firstByteP50Ms: z.number().int().nullable(),
    firstByteP95Ms: z.number().int().nullable(),
  }),
  /** Choices for a filter, most used first. */
  models: z.array(z.string()),
  providers: z.array(z.string()),
});
export type ModelCallSummary = z.infer<typeof modelCallSummary>;
