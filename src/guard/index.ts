export { createBreaker, type Breaker, type Permit } from "./breaker.ts";
export { createTokenBucket, type TokenBucket } from "./token-bucket.ts";
