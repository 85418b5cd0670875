import { z } from "zod";
import { budgetView, gatewayKeyId, gatewayKeyUse, gatewayKeyView, newGatewayKey } from "./gateway-key.ts";
import {
  modelCallPrompt,
  modelCallSummary,
  modelCallView,
  modelHealthView,
  modelPriceView,
} from "./model-call.ts";
import { instant, pageOf, runId, taskId } from "./primitives.ts";

export const providerName = z
  .string()
  .regex(/^[a-z][a-z0-9._-]{0,40}$/, "a provider's name has small letters, digits, dots and dashes");

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

const shortText = z.string().trim().min(1).max(200);

/** What is to be forgotten. */
export const cacheInvalidation = z.union([
  z.strictObject({ tag: shortText }),
  z.strictObject({ model: shortText }),
  z.strictObject({ keyId: gatewayKeyId }),
  z.strictObject({ all: z.literal(true) }),
]);

const callFilter = {
  task: taskId.optional(),
  run: runId.optional(),
  key: gatewayKeyId.optional(),
  provider: z.string().max(100).optional(),
  model: z.string().max(200).optional(),
  outcome: z.enum(["ok", "rejected", "failed", "cut", "aborted"]).optional(),
  /** Id of the call that the caller made: it and the other steps of its chain. */
  chain: z.uuid().optional(),
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
  listGatewayKeyUse: {
    method: "GET",
    path: "/api/gateway/keys/use",
    permission: "view",
    summary: "What each virtual key that was ever used was used for in the last 30 days.",
    response: z.object({ items: z.array(gatewayKeyUse) }),
  },
  listModelHealth: {
    method: "GET",
    path: "/api/gateway/health",
    permission: "view",
    summary: "How the calls of each model went in the last 24 hours.",
    response: z.object({ items: z.array(modelHealthView) }),
  },
  listBudgets: {
    method: "GET",
    path: "/api/gateway/budgets",
    permission: "view",
    summary:
      "Budgets of the installation, teams, keys and open tasks with what of them is used, fullest first.",
    /** `warnAt`: share at which a warning is given. */
    response: z.object({ warnAt: z.number(), items: z.array(budgetView) }),
  },
  listModelPrices: {
    method: "GET",
    path: "/api/gateway/prices",
    permission: "view",
    summary:
      "Prices of the models that were called, that aliases and routes lead to, or that have an override.",
    response: z.object({ items: z.array(modelPriceView) }),
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
