export const BUDGET_SCOPES = ["all", "team", "key", "task"] as const;

/** Which budgets are shown, as it stands in the URL; absent: all of them. */
export interface BudgetSearch {
  readonly scope?: (typeof BUDGET_SCOPES)[number];
}

/** Reads the query string; what does not fit is dropped. */
export function parseBudgetSearch(raw: Readonly<Record<string, unknown>>): BudgetSearch {
  const scope = BUDGET_SCOPES.find((one) => one === raw["scope"]);
  return scope === undefined ? {} : { scope };
}
