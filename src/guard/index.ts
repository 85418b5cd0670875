export { createBreaker, type Breaker, type Permit } from "./breaker.ts";
export type { BudgetLimit, Charge, Reservation } from "./budget.ts";
export { createBudgets, type Budgets, type RecordStatement, type Reserved, type Warned } from "./budgets.ts";
export { createTokenBucket, type TokenBucket } from "./token-bucket.ts";
