import { z } from "zod";

const usd = z.number().nonnegative().max(1_000_000).nullable().default(null);

/** `chat` of miyabi.yaml. */
export const chatSettings = z.strictObject({
  /** A second port that opens the console at its chat, e.g. 8787; null: none. */
  port: z.number().int().min(1).max(65_535).nullable().default(null),
  /** Model for who chose none, neither in the thread nor in its persona; null: the first that can be called. */
  model: z.string().trim().min(1).max(200).nullable().default(null),
  /** What the virtual key of each person allows in the chat; null: no limit. */
  person: z
    .strictObject({
      dayUsd: usd,
      monthUsd: usd,
      requestsPerMinute: z.number().int().positive().max(1_000_000).nullable().default(null),
      /** Globs, e.g. `claude-haiku-*`; null: every model. */
      models: z.array(z.string().trim().min(1).max(200)).min(1).max(100).nullable().default(null),
    })
    .prefault({}),
});
export type ChatSettings = z.infer<typeof chatSettings>;
