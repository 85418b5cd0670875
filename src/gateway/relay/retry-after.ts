import type { IncomingHttpHeaders } from "node:http";

/** What an answer says about trying again. */
export interface RetryAdvice {
  /** Null: nothing was said. */
  readonly retryAfterMs: number | null;
  /** `x-should-retry: false`. */
  readonly final: boolean;
}

/** Reads `Retry-After` (seconds or a date), `retry-after-ms` and `x-should-retry`. */
export function retryAdvice(headers: IncomingHttpHeaders, now: () => Date): RetryAdvice {
  return {
    retryAfterMs: milliseconds(headers["retry-after-ms"]) ?? afterMs(headers["retry-after"], now),
    final: headers["x-should-retry"] === "false",
  };
}

function milliseconds(value: string | string[] | undefined): number | null {
  return typeof value === "string" && /^\d+(\.\d+)?$/.test(value) ? Number(value) : null;
}

function afterMs(value: string | undefined, now: () => Date): number | null {
  if (value === undefined) return null;
  const seconds = milliseconds(value);
  if (seconds !== null) return seconds * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - now().getTime());
}
