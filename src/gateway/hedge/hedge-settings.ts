import { z } from "zod";

/** `hedge` of a route. Left out: no call is ever made twice. */
export const hedgeSettings = z.strictObject({
  /**
   * How long the first byte is waited for before another target is asked as well. `p95`: as long as 95 % of this target's
   * latest calls took; without enough of them nothing is hedged.
   */
  afterMs: z.union([z.number().int().min(1), z.literal("p95")]),
  /** Further tries that a call may have under way at once. */
  max: z.literal(1).default(1),
  /** Whether calls with tools are hedged, which their caller runs. Calls that act at the provider never are. */
  tools: z.boolean().default(false),
});
export type HedgeSettings = z.infer<typeof hedgeSettings>;
