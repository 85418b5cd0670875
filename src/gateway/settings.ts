import { z } from "zod";

const headerName = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, "not a name of an HTTP header");
const headerValue = z.string().regex(/^[\t\x20-\x7e]*$/, "a header's value is one line of ASCII");

const provider = (defaults: Readonly<{ baseUrl: string; apiKeyEnv: string; auth: "x-api-key" | "bearer" }>) =>
  z.strictObject({
    /** What an SDK of the dialect takes as its base URL: without `/v1` for Anthropic, with it for OpenAI. */
    baseUrl: z.url({ protocol: /^https?$/ }).default(defaults.baseUrl),
    /** Name of the variable in `.env` that holds the key; null for a server that wants none. */
    apiKeyEnv: z
      .string()
      .regex(/^[A-Z][A-Z0-9_]*$/)
      .nullable()
      .default(defaults.apiKeyEnv),
    /** Header that carries the key. */
    auth: z.enum(["x-api-key", "bearer"]).default(defaults.auth),
    /** Further headers of every call, e.g. an organisation; they replace the caller's. No secrets: this file is not `.env`. */
    headers: z.record(headerName, headerValue).default({}),
    /** Provider id of the price list, e.g. `openrouter`; null: found by `baseUrl`, else the dialect's own. */
    priceProvider: z.string().nullable().default(null),
  });

/** `gateway` in `miyabi.yaml`. */
export const gatewaySettings = z.strictObject({
  /** One provider per dialect; the defaults need no more than its key in `.env`. */
  providers: z
    .strictObject({
      anthropic: provider({
        baseUrl: "https://api.anthropic.com",
        apiKeyEnv: "ANTHROPIC_API_KEY",
        auth: "x-api-key",
      }).prefault({}),
      openai: provider({
        baseUrl: "https://api.openai.com/v1",
        apiKeyEnv: "OPENAI_API_KEY",
        auth: "bearer",
      }).prefault({}),
    })
    .prefault({}),
  /** Largest request body, bytes. */
  maxBodyBytes: z
    .number()
    .int()
    .positive()
    .default(32 * 1024 * 1024),
  timeouts: z
    .strictObject({
      connectMs: z.number().int().positive().default(10_000),
      /** From the request sent to the provider's status line; long, because a model may think before it speaks. */
      firstByteMs: z.number().int().positive().default(300_000),
      /** Between two chunks of an answer; providers send a ping about every 15 s. */
      idleMs: z.number().int().positive().default(120_000),
      totalMs: z.number().int().positive().default(1_800_000),
    })
    .prefault({}),
});
export type GatewaySettings = z.infer<typeof gatewaySettings>;
export type ProviderSettings = GatewaySettings["providers"]["anthropic"];
