import type { Clock } from "../../base/index.ts";
import { createBreaker, type Breaker } from "../../guard/index.ts";
import type { GatewaySettings } from "../settings.ts";
import type { Failure } from "./failure.ts";

/** Whether a provider may be called now. */
export type Entry =
  | { readonly state: "allowed" }
  /** It failed too often. */
  | { readonly state: "open"; readonly retryAfterMs: number }
  /** It asked us to wait. */
  | { readonly state: "cooling"; readonly retryAfterMs: number };

/** Health of one provider and model. */
export interface TargetHealth {
  look(): Entry;
  /** Takes the one try of a provider that is out; must be followed by one of the others. */
  enter(): Entry;
  succeeded(): void;
  failed(failure: Failure): void;
  /** The call said nothing about the provider. */
  released(): void;
}

export interface ProviderHealth {
  of(provider: string, model: string | null): TargetHealth;
  /** For the matrix and the metrics; absent: never called. */
  stateOf(provider: string): Breaker["state"] | null;
}

/** A provider's demand to wait is believed up to here. */
const LONGEST_COOLING_MS = 5 * 60_000;
const MOST_COOLING = 10_000;

/** Breakers per provider; pauses that a provider asked for per provider and model. In this process. */
export function createProviderHealth(
  settings: () => GatewaySettings["breaker"],
  clock: Pick<Clock, "monotonicMs">,
): ProviderHealth {
  const breakers = new Map<string, Breaker>();
  const coolUntil = new Map<string, number>();

  const breakerOf = (provider: string): Breaker => {
    const known = breakers.get(provider);
    if (known !== undefined) return known;
    const breaker = createBreaker({ ...settings(), clock });
    breakers.set(provider, breaker);
    return breaker;
  };

  return {
    stateOf: (provider) => breakers.get(provider)?.state ?? null,
    of: (provider, model) => {
      const breaker = breakerOf(provider);
      const key = `${provider} ${model ?? ""}`;
      const cooling = (): Entry | null => {
        const untilMs = coolUntil.get(key);
        if (untilMs === undefined) return null;
        const leftMs = untilMs - clock.monotonicMs();
        if (leftMs > 0) return { state: "cooling", retryAfterMs: leftMs };
        coolUntil.delete(key);
        return null;
      };
      return {
        look: () => cooling() ?? breaker.look(),
        enter: () => cooling() ?? breaker.enter(),
        succeeded: () => breaker.success(),
        released: () => breaker.release(),
        failed: (failure) => {
          if (failure.retryAfterMs !== null && (failure.status === 429 || failure.status === 503)) {
            if (coolUntil.size >= MOST_COOLING) coolUntil.clear();
            coolUntil.set(key, clock.monotonicMs() + Math.min(failure.retryAfterMs, LONGEST_COOLING_MS));
          }
          if (isFaultOfProvider(failure)) breaker.failure();
          else if (failure.kind === "status") breaker.success();
          else breaker.release();
        },
      };
    },
  };
}

/** An error that speaks of the request, or of our rate, says that the provider works. */
function isFaultOfProvider(failure: Failure): boolean {
  if (failure.kind === "request") return false;
  return failure.kind !== "status" || (failure.status ?? 0) >= 500;
}
