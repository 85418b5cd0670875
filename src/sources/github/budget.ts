import { AppError, type Clock } from "../../base/index.ts";

/** What GitHub still grants us this hour, from its own headers. */
export interface Budget {
  note(headers: Readonly<Record<string, string | number | undefined>>): void;
  noteFailure(error: AppError): void;
  /** @throws github.rate_limited while a pause that the server asked for lasts. */
  requireRoom(): void;
  /** Milliseconds that such a pause still lasts; 0: there is none. */
  pauseMs(): number;
  /** Null before the first reply. */
  state(): BudgetState | null;
  /** Whether work that can wait should: less than a tenth is left. */
  isShort(): boolean;
}

export interface BudgetState {
  readonly limit: number;
  readonly remaining: number;
  readonly resetAt: Date;
}

export function createBudget({ clock }: Readonly<{ clock: Clock }>): Budget {
  let state: BudgetState | null = null;
  let pausedUntil = 0;
  const now = (): number => clock.now().getTime();
  const pauseMs = (): number => Math.max(0, pausedUntil - now());
  return {
    note: (headers) => {
      const [limit, remaining, reset] = ["limit", "remaining", "reset"].map((name) =>
        Number(headers[`x-ratelimit-${name}`]),
      ) as [number, number, number];
      if ([limit, remaining, reset].every(Number.isFinite))
        state = { limit, remaining, resetAt: new Date(reset * 1_000) };
    },
    noteFailure: (error) => {
      const pauseMs = error.details["retryAfterMs"];
      if (error.code === "github.rate_limited" && typeof pauseMs === "number")
        pausedUntil = Math.max(pausedUntil, now() + pauseMs);
    },
    pauseMs,
    requireRoom: () => {
      const retryAfterMs = pauseMs();
      if (retryAfterMs === 0) return;
      throw new AppError({
        code: "github.rate_limited",
        message: `GitHub asked us to wait ${Math.ceil(retryAfterMs / 1000)} s more.`,
        details: { retryAfterMs },
      });
    },
    state: () => state,
    isShort: () => state !== null && state.resetAt.getTime() > now() && state.remaining < state.limit / 10,
  };
}
