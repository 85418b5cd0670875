export const RANGES = ["24h", "7d", "30d"] as const;
export const OUTCOMES = ["ok", "rejected", "failed", "cut", "aborted"] as const;

/** Filters of the model calls as they stand in the URL; an absent field filters nothing. */
export interface CallSearch {
  /** Default 24h. */
  readonly range?: "7d" | "30d";
  readonly outcome?: (typeof OUTCOMES)[number];
  readonly provider?: string;
  readonly model?: string;
  readonly task?: string;
  readonly key?: string;
}

/** Reads the query string; what does not fit is dropped. */
export function parseCallSearch(raw: Readonly<Record<string, unknown>>): CallSearch {
  const range = (["7d", "30d"] as const).find((one) => one === raw["range"]);
  const outcome = OUTCOMES.find((one) => one === raw["outcome"]);
  return {
    ...(range === undefined ? {} : { range }),
    ...(outcome === undefined ? {} : { outcome }),
    ...matching("provider", raw["provider"], /^.{1,100}$/),
    ...matching("model", raw["model"], /^.{1,200}$/),
    ...matching("task", raw["task"], /^T[1-9]\d*$/),
    ...matching("key", raw["key"], /^K[1-9]\d*$/),
  };
}

/** The part of the search that the API filters by. */
export function toCallFilter(search: CallSearch): Omit<CallSearch, "range"> {
  const { range: _range, ...filter } = search;
  return filter;
}

export const isFiltered = (search: CallSearch): boolean => Object.keys(toCallFilter(search)).length > 0;

function matching<K extends string>(name: K, value: unknown, pattern: RegExp): Partial<Record<K, string>> {
  return typeof value === "string" && pattern.test(value) ? ({ [name]: value } as Record<K, string>) : {};
}
