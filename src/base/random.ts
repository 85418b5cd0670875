import { randomBytes, randomInt, randomUUID } from "node:crypto";

/** Randomness as a port, so that simulations and back-off are reproducible. */
export interface Random {
  /** A number in [0, 1). */
  fraction(): number;
  /** A version 4 UUID. */
  uuid(): string;
  /** `bytes` of secret randomness as base64url text (32 bytes → 43 characters). */
  token(bytes?: number): string;
}

export const systemRandom: Random = {
  fraction: () => randomInt(0, 2 ** 32) / 2 ** 32,
  uuid: () => randomUUID(),
  token: (bytes = 32) => randomBytes(bytes).toString("base64url"),
};

/** Deterministic randomness from a seed (mulberry32). For tests and simulations only: its tokens are guessable. */
export function createSeededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const hex = (digits: number): string =>
    Array.from({ length: digits }, () => Math.floor(next() * 16).toString(16)).join("");
  return {
    fraction: next,
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
    token: (bytes = 32) => Buffer.from(hex(bytes * 2), "hex").toString("base64url"),
  };
}
