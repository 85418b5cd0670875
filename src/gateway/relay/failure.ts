import { AppError, errnoOf } from "../../base/index.ts";
import type { Refusal } from "../dialect.ts";

/** Why a try at a provider brought nothing that the caller could get. */
export interface Failure {
  /**
   * `status`: an error status. `unreachable`: no connection. `timeout`: nothing came in time. `broken`: the connection
   * broke before the first byte. `empty`, `malformed`, `type`: an answer that is none.
   */
  readonly kind: "status" | "unreachable" | "timeout" | "broken" | "empty" | "malformed" | "type" | "request";
  /** The provider's status line, where it sent one. */
  readonly status: number | null;
  /** What the provider asked for; null: nothing. */
  readonly retryAfterMs: number | null;
  /** The provider said that trying again is useless. */
  readonly final: boolean;
  readonly refusal: Refusal;
  /** One sentence of ours, never a provider's text. */
  readonly message: string;
  /** Whether the request reached a connection, so that the provider may have worked on it. */
  readonly sent: boolean;
}

const named = (provider: string): string => `Provider "${provider}"`;

const NOTHING_SAID = { status: null, retryAfterMs: null, final: false } as const;

/** A request that cannot be sent; `message` is for the caller. */
export function requestFailure(message: string): Failure {
  return { ...NOTHING_SAID, kind: "request", refusal: "not_supported", message, sent: false };
}

export function statusFailure(
  provider: string,
  status: number,
  said: { readonly retryAfterMs: number | null; readonly final: boolean },
): Failure {
  return {
    kind: "status",
    status,
    ...said,
    refusal: status === 429 ? "rate_limited" : "upstream_failed",
    message: `${named(provider)} answered ${status}.`,
    sent: true,
  };
}

export function answerFailure(
  provider: string,
  status: number,
  kind: "empty" | "malformed" | "type",
): Failure {
  const what = {
    empty: "sent an empty answer",
    malformed: "sent an answer that cannot be read",
    type: "sent something that is no answer of a model",
  }[kind];
  return {
    ...NOTHING_SAID,
    kind,
    status,
    refusal: "upstream_failed",
    message: `${named(provider)} ${what}.`,
    sent: true,
  };
}

export function timeoutFailure(provider: string, which: "first-byte" | "total", sent: boolean): Failure {
  const what =
    which === "total" ? "took longer than the longest allowed time" : "did not begin to answer in time";
  return {
    ...NOTHING_SAID,
    kind: "timeout",
    refusal: "upstream_timeout",
    message: `${named(provider)} ${what}.`,
    sent,
  };
}

/** What an error of the connection means. */
export function connectionFailure(provider: string, error: Error, sent: boolean): Failure {
  const failure = (kind: Failure["kind"], refusal: Refusal, message: string): Failure => ({
    ...NOTHING_SAID,
    kind,
    refusal,
    message,
    sent,
  });
  if (error instanceof AppError) return failure("broken", "upstream_failed", error.message);
  const code = errnoOf(error);
  switch (code) {
    case "UND_ERR_CONNECT_TIMEOUT":
      return failure(
        "unreachable",
        "upstream_timeout",
        `${named(provider)} did not accept a connection in time.`,
      );
    case "UND_ERR_BODY_TIMEOUT":
      return failure(
        "timeout",
        "upstream_timeout",
        `${named(provider)} fell silent in the middle of its answer.`,
      );
    case "UND_ERR_INVALID_ARG":
      return failure("request", "bad_request", "The request has a header or path that cannot be passed on.");
    default:
      return failure(
        sent ? "broken" : "unreachable",
        "upstream_failed",
        `${named(provider)} could not be reached (${code ?? "broken answer"}).`,
      );
  }
}
