import { LRUCache } from "lru-cache";
import type { PriceOverride, PriceOverrides } from "./price-overrides.ts";
import { formulaOf, type PriceFormula } from "./price-formula.ts";
import { UNKNOWN_USAGE, type TokenUsage } from "./usage/usage.ts";

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

/** Whose prices hold. */
export interface PricedProvider {
  readonly name: string;
  readonly settings: {
    readonly priceProvider: string | null;
    readonly baseUrl: string;
    readonly free: boolean;
  };
  /** Provider id of the price list where neither settings nor address say one. */
  readonly usualPriceProvider: string;
}

interface CostParams {
  readonly model: string | null;
  readonly usage: TokenUsage;
  readonly provider: PricedProvider;
  readonly overrides: PriceOverrides;
  readonly at: Date;
}

const MOST_LISTED = 1_000;

type PriceList = typeof import("@pydantic/genai-prices");
let priceList: Promise<PriceList> | null = null;

/** Loads the price list, which takes 15 MB and some tens of milliseconds; otherwise the first call waits for it. */
function loadPriceList(): Promise<PriceList> {
  priceList ??= import("@pydantic/genai-prices");
  return priceList;
}

/** Cost of a call: free, by an override, or by the price list; null where model, price or input tokens are unknown. */
export async function costOfUsage(params: Readonly<CostParams>): Promise<Cost | null> {
  const { usage, model, provider, overrides } = params;
  if (model === null) return null;
  if (provider.settings.free) return { micros: 0, price: usedPrice(provider.name, model, { free: true }) };
  if (usage.input === null) return null;
  const override = overrideOf(overrides, provider.name, model);
  if (override !== null)
    return {
      micros: overriddenMicros(override, usage, usage.input),
      price: usedPrice(provider.name, model, { override }),
    };
  const list = await loadPriceList();
  const listed = listedAs(list, provider, model);
  const day = Math.floor(params.at.getTime() / DAY_MS);
  if (listed.ofDay?.day !== day) listed.ofDay = { day, ...priceOfDay(list, listed, model, params.at) };
  const { formula, price } = listed.ofDay;
  const sum = formula === null ? null : formula(usage, usage.input);
  if (sum !== null && price !== null) return { micros: Math.round(sum), price };
  const worked = askList(list, listed, model, params.at, usage, usage.input);
  return worked === null ? null : { micros: Math.round(worked.micros), price: worked.price };
}

/** As the library works it out; null where it knows no price. Micros are not rounded. */
function askList(
  list: PriceList,
  { where }: Listed,
  model: string,
  at: Date,
  usage: TokenUsage,
  input: number,
): Cost | null {
  try {
    const result = list.calcPrice(priceKeys(usage, input), model, { ...where, timestamp: at });
    if (result === null) return null;
    return {
      micros: result.total_price * 1_000_000,
      price: { provider: result.provider.id, model: result.model.id, prices: { ...result.model_price } },
    };
  } catch {
    // The library throws where a usage contradicts itself or names what the model has no price for.
    return null;
  }
}

const DAY_MS = 86_400_000;

interface PriceOfDay {
  /** Null: there is none that holds for the whole day. */
  readonly formula: PriceFormula | null;
  readonly price: UsedPrice | null;
}

/** Prices change at the beginning of a day (UTC); those that change within it are left to the library. */
function priceOfDay(list: PriceList, listed: Listed, model: string, at: Date): PriceOfDay {
  const count = (usage: TokenUsage, input: number): Cost | null =>
    askList(list, listed, model, at, usage, input);
  const price = listed.changesWithinDay ? null : (count(UNKNOWN_USAGE, 1)?.price ?? null);
  if (price === null) return { formula: null, price };
  return { formula: formulaOf(price.prices, (usage, input) => count(usage, input)?.micros ?? null), price };
}

interface Listed {
  readonly where: Pick<NonNullable<Parameters<PriceList["calcPrice"]>[2]>, "provider" | "providerId">;
  readonly changesWithinDay: boolean;
  /** The last one that was asked for. */
  ofDay: ({ readonly day: number } & PriceOfDay) | null;
}
const listedOf = new WeakMap<PricedProvider, LRUCache<string, Listed>>();

/**
 * Where the list has a model. Remembered with that model as the provider's only one: matching a name against all patterns
 * of a provider took a tenth of the time of a call.
 */
function listedAs(list: PriceList, provider: PricedProvider, model: string): Listed {
  const { priceProvider, baseUrl } = provider.settings;
  const models = listedOf.get(provider) ?? new LRUCache<string, Listed>({ max: MOST_LISTED });
  listedOf.set(provider, models);
  const known = models.get(model);
  if (known !== undefined) return known;
  const providerId =
    priceProvider ?? list.findProvider({ providerApiUrl: baseUrl })?.id ?? provider.usualPriceProvider;
  const found = list.calcPrice({ input_tokens: 1 }, model, { providerId });
  const prices = found?.model.prices ?? [];
  const entry: Listed = {
    where: found === null ? { providerId } : { provider: { ...found.provider, models: [found.model] } },
    changesWithinDay:
      Array.isArray(prices) &&
      prices.some((one) => one.constraint !== undefined && one.constraint.type !== "start_date"),
    ofDay: null,
  };
  models.set(model, entry);
  return entry;
}

/** Tokens that a model takes in at once; null: unknown. */
export async function windowOfModel(params: {
  readonly model: string | null;
  readonly provider: PricedProvider;
  readonly at: Date;
}): Promise<number | null> {
  const { model, provider, at } = params;
  if (model === null) return null;
  const list = await loadPriceList();
  try {
    const found = list.calcPrice({ input_tokens: 1 }, model, {
      ...listedAs(list, provider, model).where,
      timestamp: at,
    });
    return found?.model.context_window ?? null;
  } catch {
    return null;
  }
}

function usedPrice(provider: string, model: string, prices: Readonly<Record<string, unknown>>): UsedPrice {
  return { provider, model, prices };
}

function overrideOf(overrides: PriceOverrides, provider: string, model: string): PriceOverride | null {
  const exact = `${provider}/${model}`;
  if (Object.hasOwn(overrides, exact)) return overrides[exact] ?? null;
  return Object.hasOwn(overrides, model) ? (overrides[model] ?? null) : null;
}

function overriddenMicros(price: PriceOverride, usage: TokenUsage, input: number): number {
  const read = usage.cacheRead ?? 0;
  const written = usage.cacheWrite ?? 0;
  // USD per million tokens is USD × 10⁻⁶ per token.
  return Math.round(
    Math.max(0, input - read - written) * price.input +
      read * (price.cacheRead ?? price.input) +
      written * (price.cacheWrite ?? price.input) +
      (usage.output ?? 0) * price.output,
  );
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
