export { createBreaker, type Breaker, type Permit } from "./breaker.ts";
export {
  createBudgets,
  type BudgetLimit,
  type Budgets,
  type Charge,
  type Reservation,
  type Reserved,
  type Warned,
} from "./budgets.ts";
export { createTokenBucket, type TokenBucket } from "./token-bucket.ts";
