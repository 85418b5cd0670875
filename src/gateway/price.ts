import type { TokenUsage } from "./usage/usage.ts";

/** Price that a cost was computed with, as it goes into the ledger. */
export interface UsedPrice {
  readonly provider: string;
  readonly model: string;
  /** USD per million tokens and the like, as the price list names them; may hold tiers. */
  readonly prices: Readonly<Record<string, unknown>>;
}

export interface Cost {
  /** USD × 10⁻⁶. A lower bound where the usage was not complete. */
  readonly micros: number;
  readonly price: UsedPrice;
}

interface CostParams {
  readonly model: string | null;
  readonly usage: TokenUsage;
  /** Provider id of the price list; null: found by `baseUrl`, else `dialectProvider`. */
  readonly priceProvider: string | null;
  readonly baseUrl: string;
  readonly dialectProvider: string;
  readonly at: Date;
}

type PriceList = typeof import("@pydantic/genai-prices");
let priceList: Promise<PriceList> | null = null;

/** Cost of a call by the price list; null where model, price or input tokens are unknown. */
export async function costOfUsage(params: Readonly<CostParams>): Promise<Cost | null> {
  const { usage, model } = params;
  if (model === null || usage.input === null) return null;
  // Loaded with the first call: the list takes 15 MB.
  priceList ??= import("@pydantic/genai-prices");
  const { calcPrice, findProvider } = await priceList;
  const provider =
    params.priceProvider ?? findProvider({ providerApiUrl: params.baseUrl })?.id ?? params.dialectProvider;
  try {
    const result = calcPrice(priceKeys(usage, usage.input), model, {
      providerId: provider,
      timestamp: params.at,
    });
    if (result === null) return null;
    return {
      micros: Math.round(result.total_price * 1_000_000),
      price: { provider: result.provider.id, model: result.model.id, prices: { ...result.model_price } },
    };
  } catch {
    // The library throws where a usage contradicts itself or names what the model has no price for.
    return null;
  }
}

function priceKeys(usage: TokenUsage, input: number): Record<string, number> {
  return {
    input_tokens: input,
    ...present("output_tokens", usage.output),
    ...present("cache_read_tokens", usage.cacheRead),
    ...present("cache_write_tokens", usage.cacheWrite),
    ...present("cache_write_1h_tokens", usage.cacheWriteHour),
    ...present("web_searches", usage.webSearches),
  };
}

function present(key: string, count: number | null): Record<string, number> {
  return count === null || count === 0 ? {} : { [key]: count };
}
