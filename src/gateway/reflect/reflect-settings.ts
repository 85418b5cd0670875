import { z } from "zod";

/** `gateway.reflect` */
export const reflectSettings = z
  .strictObject({
    /** Keys, by id (`K1`) or name, whose answers are drafted, criticised and written anew. */
    keys: z.array(z.string().min(1)).default([]),
  })
  .prefault({});

/** What a caller may say in its header `x-miyabi-chain`. */
export const CHAINS = ["none", "reflect"] as const;
export type Chain = (typeof CHAINS)[number];
