/** A limit that holds for a call. */
export interface BudgetLimit {
  /** Whose and when, e.g. `key:K3 day:2026-11-21`. */
  readonly account: string;
  /** USD × 10⁻⁶ */
  readonly limitMicros: number;
}

export interface Reservation {
  /** UUID of the call; reserving twice reserves once. */
  readonly call: string;
  /** The most that the call may cost, USD × 10⁻⁶. */
  readonly micros: number;
  /** At least one. */
  readonly limits: readonly BudgetLimit[];
}

export interface Charge {
  readonly call: string;
  readonly micros: number;
  readonly limits: readonly BudgetLimit[];
}
