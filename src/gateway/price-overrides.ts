import { z } from "zod";

const usd = z.number().nonnegative();

/** USD per million tokens. */
export const priceOverride = z.strictObject({
  input: usd,
  output: usd,
  /** Default: the price of input. */
  cacheRead: usd.optional(),
  cacheWrite: usd.optional(),
});
export type PriceOverride = z.infer<typeof priceOverride>;

/** By model, or by `provider/model`, which wins. */
export const priceOverrides = z.record(z.string().min(1), priceOverride).default({});
export type PriceOverrides = Readonly<Record<string, PriceOverride>>;
