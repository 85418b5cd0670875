import { z } from "zod";
import { costMicros, instant, pageOf, runId, taskId } from "./primitives.ts";

export const gatewayKeyId = z.string().regex(/^K[1-9]\d*$/, "a key's id looks like K3");
export const providerName = z
  .string()
  .regex(/^[a-z][a-z0-9._-]{0,40}$/, "a provider's name has small letters, digits, dots and dashes");

/** USD × 10⁻⁶; null: no limit. */
const limitMicros = z.number().int().nonnegative().nullable();
const perMinute = z.number().int().positive().max(2_000_000_000).nullable();
const shortText = z.string().trim().min(1).max(200);

const keyTerms = {
  name: shortText,
  kind: z.enum(["person", "tool", "team"]),
  /** Keys of one team share its budget and its cached answers. */
  team: shortText.nullable(),
  /** Calls are booked on this task. */
  taskId: taskId.nullable(),
  /** Globs, e.g. `claude-haiku-*`; null: every model. */
  models: z.array(shortText).min(1).max(100).nullable(),
  requestsPerMinute: perMinute,
  tokensPerMinute: perMinute,
  budgetDayMicros: limitMicros,
  budgetMonthMicros: limitMicros,
  /** Of each task on which the key books. */
  budgetTaskMicros: limitMicros,
  /** Whether answers may come from the cache and go into it. */
  cache: z.boolean(),
  expiresAt: instant.nullable(),
};

/** A virtual key, without the key. */
export const gatewayKeyView = z.object({
  id: gatewayKeyId,
  ...keyTerms,
  /** First characters of the key. */
  start: z.string(),
  createdAt: instant,
  createdBy: z.string(),
  revokedAt: instant.nullable(),
});
export type GatewayKeyView = z.infer<typeof gatewayKeyView>;

export const newGatewayKey = z.strictObject({
  name: keyTerms.name,
  kind: keyTerms.kind.default("person"),
  team: keyTerms.team.default(null),
  taskId: keyTerms.taskId.default(null),
  models: keyTerms.models.default(null),
  requestsPerMinute: keyTerms.requestsPerMinute.default(null),
  tokensPerMinute: keyTerms.tokensPerMinute.default(null),
  budgetDayMicros: keyTerms.budgetDayMicros.default(null),
  budgetMonthMicros: keyTerms.budgetMonthMicros.default(null),
  budgetTaskMicros: keyTerms.budgetTaskMicros.default(null),
  cache: keyTerms.cache.default(false),
  expiresAt: keyTerms.expiresAt.default(null),
});

/** A row of the compatibility matrix. */
export const providerView = z.object({
  name: z.string(),
  kind: z.string(),
  title: z.string(),
  /** Null: a kind without an address of its own, of which no provider is configured. */
  baseUrl: z.string().nullable(),
  /** `available`: a kind of which no provider is configured. */
  state: z.enum(["ready", "no-key", "available"]),
  /** Where its key comes from; null: it has or needs none. */
  key: z.enum(["sealed", "env"]).nullable(),
  /** Whether calls are kept away from it now; null: never called. */
  breaker: z.enum(["closed", "open", "half-open"]).nullable(),
  /** Calls cost nothing, e.g. on one's own machine. */
  free: z.boolean(),
  models: z.array(z.string()),
  /** By endpoint. */
  endpoints: z.record(z.string(), z.enum(["native", "translated", "estimated", "none"])),
});
export type ProviderView = z.infer<typeof providerView>;

export const cacheStats = z.object({
  entries: z.number().int(),
  bytes: z.number(),
  oldestAt: instant.nullable(),
});

/** What is to be forgotten. */
export const cacheInvalidation = z.union([
  z.strictObject({ tag: shortText }),
  z.strictObject({ model: shortText }),
  z.strictObject({ keyId: gatewayKeyId }),
  z.strictObject({ all: z.literal(true) }),
]);

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
  /** Name of the chain that the call is a step of, and of the step; null: of none. */
  chain: z.string().nullable(),
  chainStep: z.string().nullable(),
  /** Id of the call that the caller made. */
  chainOf: z.uuid().nullable(),
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

const callFilter = {
  task: taskId.optional(),
  run: runId.optional(),
  key: gatewayKeyId.optional(),
  provider: z.string().max(100).optional(),
  model: z.string().max(200).optional(),
  outcome: z.enum(["ok", "rejected", "failed", "cut", "aborted"]).optional(),
};

const provider = z.object({ provider: providerName });
const none = z.object({});

/** Routes about the gateway; the model endpoints themselves are none of the API. */
export const GATEWAY_ROUTES = {
  listProviders: {
    method: "GET",
    path: "/api/gateway/providers",
    permission: "view",
    summary: "Model providers and which endpoints each serves: the compatibility matrix.",
    response: z.object({ items: z.array(providerView) }),
  },
  setProviderKey: {
    method: "POST",
    path: "/api/gateway/providers/:provider/key",
    permission: "admin",
    summary: "Seals a provider's key and uses it from now on; it is never shown again.",
    params: provider,
    body: z.strictObject({
      key: z
        .string()
        .trim()
        .min(1)
        .max(10_000)
        .regex(/^[\x21-\x7e]+$/, "a key is one word of ASCII"),
    }),
    response: providerView,
  },
  removeProviderKey: {
    method: "POST",
    path: "/api/gateway/providers/:provider/key/remove",
    permission: "admin",
    summary: "Forgets a provider's sealed key; one in .env is used again.",
    params: provider,
    body: none,
    response: providerView,
  },
  listGatewayKeys: {
    method: "GET",
    path: "/api/gateway/keys",
    permission: "view",
    summary: "Virtual keys, newest first; the keys themselves are kept nowhere.",
    response: z.object({ items: z.array(gatewayKeyView) }),
  },
  createGatewayKey: {
    method: "POST",
    path: "/api/gateway/keys",
    permission: "admin",
    summary: "Makes a virtual key; this answer is the only place where it is shown.",
    body: newGatewayKey,
    response: gatewayKeyView.extend({ key: z.string() }),
    status: 201,
  },
  revokeGatewayKey: {
    method: "POST",
    path: "/api/gateway/keys/:id/revoke",
    permission: "admin",
    summary: "Ends a virtual key at once.",
    params: z.object({ id: gatewayKeyId }),
    body: none,
    response: gatewayKeyView,
  },
  cacheStats: {
    method: "GET",
    path: "/api/gateway/cache",
    permission: "view",
    summary: "How many answers are kept.",
    response: cacheStats,
  },
  invalidateCache: {
    method: "POST",
    path: "/api/gateway/cache/invalidate",
    permission: "operate",
    summary: "Forgets kept answers by tag, model, key, or all of them.",
    body: cacheInvalidation,
    response: z.object({ removed: z.number().int() }),
  },
  listModelCalls: {
    method: "GET",
    path: "/api/gateway/calls",
    permission: "view",
    summary: "Model calls of the ledger, newest first, filtered.",
    query: z.object({
      cursor: z.string().optional(),
      limit: z.coerce.number().int().min(1).max(200).default(50),
      ...callFilter,
      since: instant.optional(),
    }),
    response: pageOf(modelCallView),
  },
  getModelCall: {
    method: "GET",
    path: "/api/gateway/calls/:id",
    permission: "view",
    summary: "One model call of the ledger.",
    params: z.object({ id: z.uuid() }),
    response: modelCallView,
  },
  readModelCallPrompt: {
    method: "GET",
    path: "/api/gateway/calls/:id/prompt",
    permission: "prompts",
    summary:
      "What was said in a call, redacted, where gateway.prompts.store keeps it; who reads it is logged.",
    params: z.object({ id: z.uuid() }),
    response: modelCallPrompt,
  },
  summarizeModelCalls: {
    method: "GET",
    path: "/api/gateway/summary",
    permission: "view",
    summary: "What the model calls of a day, a week or a month were and cost, filtered.",
    query: z.object({ range: z.enum(["24h", "7d", "30d"]).default("24h"), ...callFilter }),
    response: modelCallSummary,
  },
} as const;
