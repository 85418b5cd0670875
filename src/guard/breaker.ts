import { ConsecutiveBreaker } from "cockatiel";
import type { Clock } from "../base/index.ts";

/** What a breaker lets through now. */
export type Permit =
  | { readonly state: "allowed" }
  /** `retryAfterMs` until one call may try again. */
  | { readonly state: "open"; readonly retryAfterMs: number };

/** Keeps calls away from something that fails, and lets one of them try whether it works again. */
export interface Breaker {
  /** Asks before a call. In half-open state exactly one caller is allowed at a time; it must report or release. */
  enter(): Permit;
  /** The same question without taking the one try. */
  look(): Permit;
  success(): void;
  failure(): void;
  /** The call ended without saying anything about the other side, e.g. because its caller went away. */
  release(): void;
  readonly state: "closed" | "open" | "half-open";
}

interface BreakerParams {
  /** Consecutive failures that open it. */
  readonly failures: number;
  readonly openMs: number;
  readonly maxOpenMs: number;
  readonly clock: Pick<Clock, "monotonicMs">;
}

/** A state carries only its own data. */
type State =
  | { readonly name: "closed" }
  | { readonly name: "open"; readonly untilMs: number; readonly openMs: number }
  | { readonly name: "half-open"; readonly untilMs: number; readonly openMs: number };

/**
 * closed —failures→ open —time→ half-open —success→ closed, —failure→ open for twice as long. A try that never reports
 * does not block for ever: after the open time another is allowed.
 */
export function createBreaker(params: Readonly<BreakerParams>): Breaker {
  const { clock } = params;
  const counter = new ConsecutiveBreaker(params.failures);
  let state: State = { name: "closed" };

  const look = (): Permit => {
    if (state.name === "closed") return { state: "allowed" };
    const leftMs = state.untilMs - clock.monotonicMs();
    return leftMs <= 0 ? { state: "allowed" } : { state: "open", retryAfterMs: leftMs };
  };
  const open = (openMs: number): void => {
    state = { name: "open", openMs, untilMs: clock.monotonicMs() + openMs };
  };

  return {
    get state() {
      return state.name;
    },
    look,
    enter: () => {
      const permit = look();
      if (permit.state === "allowed" && state.name !== "closed")
        state = { name: "half-open", openMs: state.openMs, untilMs: clock.monotonicMs() + state.openMs };
      return permit;
    },
    success: () => {
      counter.success();
      state = { name: "closed" };
    },
    failure: () => {
      if (state.name === "half-open") return open(Math.min(params.maxOpenMs, state.openMs * 2));
      // A call that began before it opened says nothing new.
      if (state.name === "closed" && counter.failure()) {
        counter.success();
        open(params.openMs);
      }
    },
    release: () => {
      if (state.name === "half-open")
        state = { name: "open", openMs: state.openMs, untilMs: clock.monotonicMs() };
    },
  };
}
