import { z } from "zod";
import { priceOverrides } from "./price-overrides.ts";
import { providersSettings } from "./providers/provider-settings.ts";
import { routingSettings } from "./routing/route-settings.ts";
import { promptSettings } from "./prompts/prompt-settings.ts";
import { reflectSettings } from "./reflect/reflect-settings.ts";
import { trimSettings } from "./trim/trim-settings.ts";

const milliseconds = z.number().int().positive();
/** USD, as people write it; kept as USD × 10⁻⁶. */
const usd = z
  .number()
  .nonnegative()
  .transform((value) => Math.round(value * 1_000_000))
  .nullable()
  .default(null);

/** `gateway` in `miyabi.yaml`. */
export const gatewaySettings = z.strictObject({
  /** By name; `anthropic`, `openai` and `google` are there without being named and need no more than a key in `.env`. */
  providers: providersSettings,
  ...routingSettings,
  /** Largest request body, bytes. */
  maxBodyBytes: z
    .number()
    .int()
    .positive()
    .default(32 * 1024 * 1024),
  timeouts: z
    .strictObject({
      connectMs: milliseconds.default(10_000),
      /** From the request sent to the first byte of the answer; long, because a model may think before it speaks. */
      firstByteMs: milliseconds.default(300_000),
      /** Between two chunks of an answer; providers send a ping about every 15 s. */
      idleMs: milliseconds.default(120_000),
      /** Of a call with all its attempts. */
      totalMs: milliseconds.default(1_800_000),
    })
    .prefault({}),
  retry: z
    .strictObject({
      /** Further tries at the same provider where it failed before its first byte; a timeout is not tried again there. */
      attempts: z.number().int().min(0).max(5).default(2),
      /** First pause; it doubles, with jitter. */
      baseMs: milliseconds.default(250),
      /** Longest pause. A provider that asks for a longer one (`Retry-After`) is not waited for: the caller is told. */
      maxWaitMs: z.number().int().nonnegative().default(5_000),
    })
    .prefault({}),
  breaker: z
    .strictObject({
      /** Failures without a success between them that take a provider out. */
      failures: z.number().int().positive().default(5),
      /** How long it stays out before one call may try it; doubles with each failed try. */
      openMs: milliseconds.default(10_000),
      maxOpenMs: milliseconds.default(120_000),
    })
    .prefault({}),
  /** Prices, USD per million tokens, that replace those of the list; by model or `provider/model`. */
  prices: priceOverrides,
  budgets: z
    .strictObject({
      /** Of all calls together, by day and month (UTC). Null: no limit. */
      dayUsd: usd,
      monthUsd: usd,
      /** Of the calls of each single task. */
      taskUsd: usd,
      /** By team: of all keys of the team together. */
      teams: z.record(z.string().min(1), z.strictObject({ dayUsd: usd, monthUsd: usd })).default({}),
      /** Share at which a warning is given. */
      warnAt: z.number().gt(0).lt(1).default(0.8),
      /** Output tokens that are reserved for a call that names no limit of its own. */
      reserveOutputTokens: z.number().int().positive().default(8_192),
    })
    .prefault({}),
  cache: z
    .strictObject({
      /** Whether runs of agents use the cache; other keys opt in one by one. */
      runs: z.boolean().default(false),
      ttlSeconds: z.number().int().positive().default(3_600),
      /** Address of a Redis that keeps the answers instead of the database; its password is REDIS_PASSWORD of `.env`. */
      redis: z
        .url({ protocol: /^rediss?$/, hostname: /./, error: "an address like redis://127.0.0.1:6379" })
        .nullable()
        .default(null),
      /** Larger answers are not kept. */
      maxEntryBytes: z
        .number()
        .int()
        .positive()
        .default(4 * 1024 * 1024),
      /** Size of all entries; the oldest make room. */
      maxBytes: z
        .number()
        .int()
        .positive()
        .default(512 * 1024 * 1024),
      /** Part of it that is also kept in memory. */
      memoryBytes: z
        .number()
        .int()
        .positive()
        .default(32 * 1024 * 1024),
      /**
       * Fields that say nothing about the answer: paths in the request, `*` for every element, `**` for any depth. Ids of
       * tool calls are not removed but numbered in the order in which they appear.
       */
      volatileFields: z
        .array(z.string().min(1))
        .default([
          "metadata.user_id",
          "user",
          "safety_identifier",
          "client_metadata",
          "prompt_cache_key",
          "prompt_cache_retention",
          "input.*.id",
          "input.*.timestamp",
          "**.cache_control",
        ]),
    })
    .prefault({}),
  trim: trimSettings,
  reflect: reflectSettings,
  prompts: promptSettings,
});
export type GatewaySettings = z.infer<typeof gatewaySettings>;
