export const KEY_STATES = ["active", "ended", "all"] as const;
export const KEY_KINDS = ["person", "tool", "team"] as const;

/** What the list of keys shows, as it stands in the URL. */
export interface KeySearch {
  /** Default: active. */
  readonly state?: "ended" | "all";
  readonly kind?: (typeof KEY_KINDS)[number];
  /** Part of name, team, id or beginning. */
  readonly q?: string;
}

/** Reads the query string; what does not fit is dropped. */
export function parseKeySearch(raw: Readonly<Record<string, unknown>>): KeySearch {
  const state = (["ended", "all"] as const).find((one) => one === raw["state"]);
  const kind = KEY_KINDS.find((one) => one === raw["kind"]);
  const q = typeof raw["q"] === "string" ? raw["q"].trim().slice(0, 200) : "";
  return {
    ...(state === undefined ? {} : { state }),
    ...(kind === undefined ? {} : { kind }),
    ...(q === "" ? {} : { q }),
  };
}
