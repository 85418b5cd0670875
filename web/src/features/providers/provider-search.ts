import type { ProviderState } from "../../ui/state-look.ts";
import { CONDITIONS } from "./provider-state.ts";

/** Which providers are shown, as it stands in the URL; absent: those that are configured. */
export interface ProviderSearch {
  readonly state?: ProviderState;
}

/** Reads the query string; what does not fit is dropped. */
export function parseProviderSearch(raw: Readonly<Record<string, unknown>>): ProviderSearch {
  const state = CONDITIONS.find((one) => one === raw["state"]);
  return state === undefined ? {} : { state };
}
