/** The shape in which a caller speaks and expects its errors. */
export const DIALECTS = ["anthropic", "openai"] as const;
export type Dialect = (typeof DIALECTS)[number];

/** Why the gateway itself refuses or fails a call; what a provider answers passes through untouched. */
export const REFUSALS = [
  "unauthenticated",
  "not_configured",
  "too_large",
  "bad_request",
  "upstream_failed",
  "upstream_timeout",
  "ledger_unavailable",
  "websocket",
] as const;
export type Refusal = (typeof REFUSALS)[number];

interface RefusalShape {
  readonly status: number;
  readonly anthropic: string;
  readonly openai: string;
  /** Whether the same call may succeed later; told to SDKs by `x-should-retry`. */
  readonly retryable: boolean;
}

const SHAPES: Readonly<Record<Refusal, RefusalShape>> = {
  unauthenticated: shape(401, "authentication_error", "invalid_request_error", false),
  not_configured: shape(503, "api_error", "server_error", false),
  too_large: shape(413, "request_too_large", "invalid_request_error", false),
  bad_request: shape(400, "invalid_request_error", "invalid_request_error", false),
  upstream_failed: shape(502, "api_error", "server_error", true),
  upstream_timeout: shape(504, "timeout_error", "server_error", true),
  ledger_unavailable: shape(503, "overloaded_error", "server_error", true),
  websocket: shape(426, "invalid_request_error", "invalid_request_error", false),
};

function shape(status: number, anthropic: string, openai: string, retryable: boolean): RefusalShape {
  return { status, anthropic, openai, retryable };
}

export interface DialectError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly retryable: boolean;
}

/** The error as a complete answer in the caller's dialect. */
export function dialectError(dialect: Dialect, refusal: Refusal, message: string): DialectError {
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
  return dialect === "anthropic"
    ? { type: "error", error: { type: types.anthropic, message } }
    : { error: { message, type: types.openai, param: null, code: refusal } };
}
