/** Limits of money of one key; null: none. USD × 10⁻⁶. */
export interface KeyBudgets {
  readonly dayMicros: number | null;
  readonly monthMicros: number | null;
  readonly taskMicros: number | null;
}

/** Who makes a call, and what they may do. */
export interface Caller {
  /** Of the virtual key; null for a run, whose key is made and ended with its attempt. */
  readonly keyId: string | null;
  /** As it was named when it was made; null for a run. */
  readonly keyName: string | null;
  readonly kind: "run" | "person" | "tool" | "team";
  /** For people, in errors and lists, e.g. `run R12`, `key "aider of mika"`. */
  readonly label: string;
  readonly runId: string | null;
  readonly taskId: string | null;
  readonly team: string | null;
  /** Globs; null: every model. */
  readonly models: readonly string[] | null;
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  readonly budgets: KeyBudgets;
  /** Whether answers may come from the cache and go into it. */
  readonly cache: boolean;
}
