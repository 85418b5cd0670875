export const PRICE_SOURCES = ["override", "list", "free", "unknown"] as const;

/** Which prices are shown, as it stands in the URL. */
export interface PriceSearch {
  readonly source?: (typeof PRICE_SOURCES)[number];
  /** Part of model, provider, alias or route. */
  readonly q?: string;
}

/** Reads the query string; what does not fit is dropped. */
export function parsePriceSearch(raw: Readonly<Record<string, unknown>>): PriceSearch {
  const source = PRICE_SOURCES.find((one) => one === raw["source"]);
  const q = typeof raw["q"] === "string" ? raw["q"].trim().slice(0, 200) : "";
  return { ...(source === undefined ? {} : { source }), ...(q === "" ? {} : { q }) };
}
