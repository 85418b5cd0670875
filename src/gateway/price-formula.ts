import { UNKNOWN_USAGE, type TokenUsage } from "./usage/usage.ts";

/** Cost of a usage in USD × 10⁻⁶, not rounded; null: it has to be worked out the long way. */
export type PriceFormula = (usage: TokenUsage, input: number) => number | null;

/** As the price list counts: see `priceKeys`. */
type Count = (usage: TokenUsage, input: number) => number | null;

const MILLION = 1_000_000;
/** Usages at which formula and list are compared, in input tokens: below, at and above the usual tiers. */
const PROBES = [0, 1, 999, 32_001, 128_000, 200_000, 200_001, 272_001, 1_000_003] as const;

/**
 * The cost as a sum of counts times prices, which the price list takes a tenth of the time of a call for. Null where the
 * list, asked for some usages, says something else: it knows prices that are no such sum.
 */
export function formulaOf(prices: Readonly<Record<string, unknown>>, count: Count): PriceFormula | null {
  const rates = ratesOf(prices);
  if (rates === null) return null;
  const formula = sumOf(rates);
  const agrees = PROBES.flatMap((input) => usagesOf(input)).every((usage) => {
    const [ours, theirs] = [formula(usage, usage.input ?? 0), count(usage, usage.input ?? 0)];
    return ours !== null && theirs !== null && Math.abs(ours - theirs) <= 1e-6 * Math.max(1, theirs);
  });
  return agrees ? formula : null;
}

function usagesOf(input: number): readonly TokenUsage[] {
  const part = Math.floor(input / 5);
  const plain = { ...UNKNOWN_USAGE, input, output: input + 7 };
  return [
    plain,
    { ...plain, cacheRead: part * 2 },
    { ...plain, cacheWrite: part * 2, cacheWriteHour: part },
    { ...plain, cacheRead: part, cacheWrite: part * 3, webSearches: 3 },
  ];
}

/** Price at a size of the whole input. */
type Rate = (input: number) => number;

interface Rates {
  readonly input: Rate;
  readonly output: Rate;
  /** Null: counts as what it is a part of. */
  readonly cacheRead: Rate | null;
  readonly cacheWrite: Rate | null;
  readonly cacheWriteHour: Rate | null;
  readonly webSearches: Rate;
}

const FREE: Rate = () => 0;

function ratesOf(prices: Readonly<Record<string, unknown>>): Rates | null {
  let known = true;
  const rate = (name: string): Rate | null => {
    if (prices[name] === undefined) return null;
    const found = rateOf(prices[name]);
    known &&= found !== null;
    return found;
  };
  const rates: Rates = {
    input: rate("input_mtok") ?? FREE,
    output: rate("output_mtok") ?? FREE,
    cacheRead: rate("cache_read_mtok"),
    cacheWrite: rate("cache_write_mtok"),
    cacheWriteHour: rate("cache_write_1h_mtok"),
    webSearches: rate("web_searches_kcount") ?? FREE,
  };
  return known ? rates : null;
}

function rateOf(price: unknown): Rate | null {
  if (typeof price === "number") return () => price;
  if (typeof price !== "object" || price === null || !("base" in price) || !("tiers" in price)) return null;
  const { base, tiers } = price;
  if (typeof base !== "number" || !Array.isArray(tiers)) return null;
  const steps = (tiers as readonly { readonly start: number; readonly price: number }[]).toSorted(
    (one, other) => one.start - other.start,
  );
  return (input) => steps.findLast(({ start }) => input > start)?.price ?? base;
}

function sumOf(rates: Rates): PriceFormula {
  return (usage, input) => {
    const read = usage.cacheRead ?? 0;
    const written = usage.cacheWrite ?? 0;
    const hour = usage.cacheWriteHour ?? 0;
    // What contradicts itself is judged by the list.
    if (read + written > input || hour > written) return null;
    const writtenHour = rates.cacheWriteHour === null ? 0 : hour;
    const writtenElse = rates.cacheWrite === null ? 0 : written - writtenHour;
    const readApart = rates.cacheRead === null ? 0 : read;
    return (
      (input - readApart - writtenElse - writtenHour) * rates.input(input) +
      readApart * (rates.cacheRead?.(input) ?? 0) +
      writtenElse * (rates.cacheWrite?.(input) ?? 0) +
      writtenHour * (rates.cacheWriteHour?.(input) ?? 0) +
      (usage.output ?? 0) * rates.output(input) +
      ((usage.webSearches ?? 0) * rates.webSearches(input) * MILLION) / 1_000
    );
  };
}
