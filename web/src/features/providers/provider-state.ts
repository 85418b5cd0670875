import type { ProviderView } from "../../../../src/contract/index.ts";
import type { ProviderState } from "../../ui/state-look.ts";

/** How a provider stands: what can be called, what is left alone because it fails, what lacks its key. */
export const CONDITIONS = [
  "ready",
  "trying",
  "out",
  "no-key",
  "available",
] as const satisfies readonly ProviderState[];

export function conditionOf({ state, breaker }: Pick<ProviderView, "state" | "breaker">): ProviderState {
  if (state !== "ready") return state;
  if (breaker === "open") return "out";
  return breaker === "half-open" ? "trying" : "ready";
}
