/** Tokens of one call. Null: the provider did not say; never 0 for "unknown". */
export interface TokenUsage {
  /** All input, whether new, read from or written to the provider's prompt cache. */
  readonly input: number | null;
  readonly output: number | null;
  readonly cacheRead: number | null;
  /** Written to the cache, whatever its lifetime. */
  readonly cacheWrite: number | null;
  /** Part of `cacheWrite` that lives an hour and costs more. */
  readonly cacheWriteHour: number | null;
  /** Part of `output` that was spent on thinking. */
  readonly reasoning: number | null;
  readonly webSearches: number | null;
}

export const UNKNOWN_USAGE: TokenUsage = {
  input: null,
  output: null,
  cacheRead: null,
  cacheWrite: null,
  cacheWriteHour: null,
  reasoning: null,
  webSearches: null,
};

/** What an answer said about itself. */
export interface Observation {
  readonly model: string | null;
  readonly usage: TokenUsage;
  /** Whether `usage` is the provider's last word on this call. */
  readonly complete: boolean;
  /** Whether the answer reached its own end (a stream's last event, a whole JSON document). */
  readonly ended: boolean;
  /** Whether the answer says inside a stream that it failed. */
  readonly failed: boolean;
  /** Whether something in it is not what it claims to be, e.g. an event that is no JSON. */
  readonly malformed: boolean;
}

/** Reads along while an answer passes through. Never throws and never keeps what it does not need. */
export interface Observer {
  push(chunk: Buffer): void;
  /** Whether what has come so far is malformed; told at once for streams only. */
  isMalformed(): boolean;
  /** No more bytes come. */
  finish(): Observation;
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function objectOf(value: unknown): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** A count as providers send it, or null. */
export function countOf(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

export function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value.slice(0, 200) : null;
}
