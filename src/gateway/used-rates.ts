import { z } from "zod";
import type { UsedPrice } from "./price.ts";

/** A price in the form in which people compare it: USD per million tokens; null: the model has no such price. */
export interface Rates {
  /** Where it comes from: `gateway.prices` or prices.yaml, the price list, or a provider that costs nothing. */
  readonly source: "override" | "list" | "free";
  /** `provider/model` as the price list names it; null: it is not from there. */
  readonly listedAs: string | null;
  readonly inputUsd: number | null;
  readonly outputUsd: number | null;
  readonly cacheReadUsd: number | null;
  readonly cacheWriteUsd: number | null;
  /** Longer requests cost more than these rates. */
  readonly tiered: boolean;
}

const rate = z.union([z.number(), z.looseObject({ base: z.number() })]).optional();
const listed = z.looseObject({
  input_mtok: rate,
  output_mtok: rate,
  cache_read_mtok: rate,
  cache_write_mtok: rate,
});
const overridden = z.object({
  override: z.object({
    input: z.number(),
    output: z.number(),
    cacheRead: z.number().optional(),
    cacheWrite: z.number().optional(),
  }),
});

/** The rates of a price as the ledger keeps it; null where it was kept in a form that is not known any more. */
export function ratesOf({ provider, model, prices }: UsedPrice): Rates | null {
  if (prices["free"] === true)
    return {
      source: "free",
      listedAs: null,
      inputUsd: 0,
      outputUsd: 0,
      cacheReadUsd: 0,
      cacheWriteUsd: 0,
      tiered: false,
    };
  const own = overridden.safeParse(prices);
  if (own.success) {
    const { input, output, cacheRead, cacheWrite } = own.data.override;
    return {
      source: "override",
      listedAs: null,
      inputUsd: input,
      outputUsd: output,
      cacheReadUsd: cacheRead ?? input,
      cacheWriteUsd: cacheWrite ?? input,
      tiered: false,
    };
  }
  const list = listed.safeParse(prices);
  if (!list.success) return null;
  const rates = [
    list.data.input_mtok,
    list.data.output_mtok,
    list.data.cache_read_mtok,
    list.data.cache_write_mtok,
  ];
  const [inputUsd = null, outputUsd = null, cacheReadUsd = null, cacheWriteUsd = null] = rates.map((one) =>
    typeof one === "object" ? one.base : (one ?? null),
  );
  return {
    source: "list",
    listedAs: `${provider}/${model}`,
    inputUsd,
    outputUsd,
    cacheReadUsd,
    cacheWriteUsd,
    tiered: rates.some((one) => typeof one === "object"),
  };
}
