/** The shape in which a caller speaks and expects its errors. */
export const DIALECTS = ["anthropic", "openai", "google"] as const;
export type Dialect = (typeof DIALECTS)[number];

/** Why the gateway itself refuses or fails a call; what a provider answers passes through untouched. */
export const REFUSALS = [
  "unauthenticated",
  "model_forbidden",
  "rate_limited",
  "budget_exhausted",
  "budget_busy",
  "price_unknown",
  "not_configured",
  "not_supported",
  "not_found",
  "too_large",
  "bad_request",
  "upstream_failed",
  "upstream_timeout",
  "upstream_unavailable",
  "ledger_unavailable",
  "websocket",
] as const;
export type Refusal = (typeof REFUSALS)[number];

interface RefusalShape {
  readonly status: number;
  readonly anthropic: string;
  readonly openai: string;
  readonly google: string;
  /** Whether the same call may succeed later; told to SDKs by `x-should-retry`. */
  readonly retryable: boolean;
}

const INVALID = ["invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT"] as const;
const BROKEN = ["api_error", "server_error", "UNAVAILABLE"] as const;

const SHAPES: Readonly<Record<Refusal, RefusalShape>> = {
  unauthenticated: shape(401, ["authentication_error", "invalid_request_error", "UNAUTHENTICATED"]),
  model_forbidden: shape(403, ["permission_error", "invalid_request_error", "PERMISSION_DENIED"]),
  rate_limited: shape(429, ["rate_limit_error", "rate_limit_exceeded", "RESOURCE_EXHAUSTED"], true),
  budget_exhausted: shape(429, ["billing_error", "insufficient_quota", "RESOURCE_EXHAUSTED"]),
  budget_busy: shape(429, ["rate_limit_error", "rate_limit_exceeded", "RESOURCE_EXHAUSTED"], true),
  price_unknown: shape(403, ["billing_error", "insufficient_quota", "FAILED_PRECONDITION"]),
  not_configured: shape(503, BROKEN),
  not_supported: shape(400, INVALID),
  not_found: shape(404, ["not_found_error", "invalid_request_error", "NOT_FOUND"]),
  too_large: shape(413, ["request_too_large", "invalid_request_error", "INVALID_ARGUMENT"]),
  bad_request: shape(400, INVALID),
  // We have tried again already where that makes sense: clients that try once more multiply the load.
  upstream_failed: shape(502, BROKEN),
  upstream_timeout: shape(504, ["timeout_error", "server_error", "DEADLINE_EXCEEDED"]),
  upstream_unavailable: shape(503, ["overloaded_error", "server_error", "UNAVAILABLE"], true),
  ledger_unavailable: shape(503, ["overloaded_error", "server_error", "UNAVAILABLE"], true),
  websocket: shape(426, INVALID),
};

function shape(status: number, types: readonly [string, string, string], retryable = false): RefusalShape {
  return { status, anthropic: types[0], openai: types[1], google: types[2], retryable };
}

export interface DialectError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly retryable: boolean;
}

/** The error as a complete answer in the caller's dialect. `retryAfterMs`: when to come back; null: nobody knows. */
export function dialectError(
  dialect: Dialect,
  refusal: Refusal,
  message: string,
  retryAfterMs: number | null = null,
): DialectError {
  const { status, retryable } = SHAPES[refusal];
  const body = JSON.stringify(errorObject(dialect, refusal, message));
  return {
    status,
    retryable,
    body,
    headers: {
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
      "x-should-retry": String(retryable),
      ...(retryAfterMs === null
        ? {}
        : { "retry-after": String(Math.max(1, Math.ceil(retryAfterMs / 1000))) }),
    },
  };
}

/** The error as the last event of a stream that has begun; starts with blank lines, which end an event that was cut. */
export function dialectErrorEvent(dialect: Dialect, refusal: Refusal, message: string): string {
  const data = JSON.stringify(errorObject(dialect, refusal, message));
  return dialect === "anthropic" ? `\n\nevent: error\ndata: ${data}\n\n` : `\n\ndata: ${data}\n\n`;
}

function errorObject(dialect: Dialect, refusal: Refusal, message: string): object {
  const types = SHAPES[refusal];
  switch (dialect) {
    case "anthropic":
      return { type: "error", error: { type: types.anthropic, message } };
    case "openai":
      return { error: { message, type: types.openai, param: null, code: openAiCode(refusal) } };
    case "google":
      return { error: { code: types.status, message, status: types.google } };
  }
}

/** The code that OpenAI's clients know where they know one, else ours. */
function openAiCode(refusal: Refusal): string {
  return refusal === "budget_exhausted" ? "insufficient_quota" : refusal;
}
