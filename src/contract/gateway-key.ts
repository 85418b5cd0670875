import { z } from "zod";
import { instant, taskId } from "./primitives.ts";

export const gatewayKeyId = z.string().regex(/^K[1-9]\d*$/, "a key's id looks like K3");

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

/** What a virtual key was used for. */
export const gatewayKeyUse = z.object({
  keyId: gatewayKeyId,
  /** Ever. */
  lastUsedAt: instant,
  /** Of the last 30 days, as everything below. */
  calls: z.number().int(),
  /** Of the calls whose cost is known. */
  costMicros: z.number(),
  costUnknown: z.number().int(),
  /** Most used first, at most five. */
  models: z.array(z.string()),
  endpoints: z.array(z.string()),
});
export type GatewayKeyUse = z.infer<typeof gatewayKeyUse>;

/** A budget that holds now. USD × 10⁻⁶. */
export const budgetView = z.object({
  /** `all`: of the whole installation. */
  scope: z.enum(["all", "team", "key", "task"]),
  /** Name of the team, id of the key or of the task; null: the whole installation. */
  owner: z.string().nullable(),
  period: z.enum(["day", "month", "task"]),
  /** Of `period` task: the task that it is for. */
  taskId: taskId.nullable(),
  limitMicros: z.number(),
  spentMicros: z.number(),
  /** Held by calls under way. */
  reservedMicros: z.number(),
  /** When it is full again (UTC calendar); null: never by itself. */
  endsAt: instant.nullable(),
});
export type BudgetView = z.infer<typeof budgetView>;
