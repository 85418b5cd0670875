import { countTokens } from "gpt-tokenizer/encoding/o200k_base";

/** What a provider counts of a request. */
export interface CountedUsage {
  readonly read: number;
  readonly written: number;
}

/** Prices of Anthropic in prices of input; the cache forgets what was not read for five minutes. */
const READ_FACTOR = 0.1;
const WRITE_FACTOR = 1.25;
const LIFETIME_MS = 5 * 60_000;

/**
 * A provider's prompt cache with one conversation: what begins like the last request is read, the rest is written. It
 * knows nothing of trimming and compares the parts of requests by their text.
 */
export function createPromptCache() {
  const sizes = new Map<string, number>();
  let cached: readonly string[] = [];
  let cachedAtMs = -Infinity;

  const tokensOf = (part: string): number => {
    const known = sizes.get(part);
    if (known !== undefined) return known;
    const tokens = countTokens(part, { disallowedSpecial: new Set() });
    sizes.set(part, tokens);
    return tokens;
  };

  return {
    /** Takes a request that comes at `nowMs`. */
    take: (body: Buffer, nowMs: number): CountedUsage => {
      const request = JSON.parse(body.toString("utf8")) as {
        readonly system: unknown;
        readonly tools: unknown;
        readonly messages: readonly unknown[];
      };
      const parts = [request.tools, request.system, ...request.messages].map((part) => JSON.stringify(part));
      const before = nowMs - cachedAtMs < LIFETIME_MS ? cached : [];
      const differs = parts.findIndex((part, index) => before[index] !== part);
      const same = differs === -1 ? parts.length : differs;
      cached = parts;
      cachedAtMs = nowMs;
      const sum = (some: readonly string[]): number =>
        some.reduce((total, part) => total + tokensOf(part), 0);
      return { read: sum(parts.slice(0, same)), written: sum(parts.slice(same)) };
    },
  };
}

/** In tokens at the price of input. */
export const costOf = ({ read, written }: CountedUsage): number =>
  read * READ_FACTOR + written * WRITE_FACTOR;
