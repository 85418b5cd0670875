import { parseJson } from "../../base/index.ts";
import type { Dialect } from "../dialect.ts";
import { objectOf } from "../usage/usage.ts";

/** Kinds of errors that every dialect can tell apart, each with the status that it usually has. */
const KINDS = {
  invalid: {
    status: 400,
    anthropic: "invalid_request_error",
    openai: "invalid_request_error",
    google: "INVALID_ARGUMENT",
  },
  /** The conversation is too long for the model; clients react to it by making it shorter. */
  context: {
    status: 400,
    anthropic: "invalid_request_error",
    openai: "invalid_request_error",
    google: "INVALID_ARGUMENT",
  },
  authentication: {
    status: 401,
    anthropic: "authentication_error",
    openai: "invalid_request_error",
    google: "UNAUTHENTICATED",
  },
  permission: {
    status: 403,
    anthropic: "permission_error",
    openai: "invalid_request_error",
    google: "PERMISSION_DENIED",
  },
  not_found: {
    status: 404,
    anthropic: "not_found_error",
    openai: "invalid_request_error",
    google: "NOT_FOUND",
  },
  too_large: {
    status: 413,
    anthropic: "request_too_large",
    openai: "invalid_request_error",
    google: "INVALID_ARGUMENT",
  },
  quota: {
    status: 402,
    anthropic: "billing_error",
    openai: "insufficient_quota",
    google: "RESOURCE_EXHAUSTED",
  },
  rate_limit: {
    status: 429,
    anthropic: "rate_limit_error",
    openai: "rate_limit_exceeded",
    google: "RESOURCE_EXHAUSTED",
  },
  timeout: { status: 504, anthropic: "timeout_error", openai: "server_error", google: "DEADLINE_EXCEEDED" },
  overloaded: { status: 529, anthropic: "overloaded_error", openai: "server_error", google: "UNAVAILABLE" },
  server: { status: 500, anthropic: "api_error", openai: "server_error", google: "INTERNAL" },
} as const;
export type FaultKind = keyof typeof KINDS;

/** An error of a provider in nobody's dialect. */
export interface Fault {
  readonly kind: FaultKind;
  /** The provider's own words. */
  readonly message: string;
  /** The field that is wrong; null: the provider does not say. */
  readonly param: string | null;
  /** OpenAI's code; null elsewhere. */
  readonly code: string | null;
}

const TOO_LONG =
  /prompt is too long|context[ _-]?(?:length|window)|maximum context|input is too long|too many tokens|exceeds the maximum number of tokens/i;
const WORDS: readonly (readonly [RegExp, FaultKind])[] = [
  [/authentication|unauthenticated|invalid_api_key/i, "authentication"],
  [/permission/i, "permission"],
  [/not_?found/i, "not_found"],
  [/too_large/i, "too_large"],
  [/insufficient_quota|billing/i, "quota"],
  [/rate_limit|resource_exhausted|too_many_requests/i, "rate_limit"],
  [/timeout|deadline/i, "timeout"],
  [/overloaded|unavailable|slow_down/i, "overloaded"],
  [/invalid/i, "invalid"],
];
const LONGEST_TEXT = 2_000;

/** Reads an error of any dialect. `status`: null inside a stream. */
export function faultOf(value: unknown, status: number | null): Fault {
  const whole = objectOf(Array.isArray(value) ? value[0] : value);
  const inner = typeof whole["error"] === "string" ? { message: whole["error"] } : objectOf(whole["error"]);
  const said = Object.keys(inner).length > 0 ? inner : whole;
  const texts = ["message", "detail", "msg"].map((name) => said[name]);
  const message = texts.find((text): text is string => typeof text === "string" && text !== "");
  const names = ["code", "type", "status"]
    .map((name) => said[name])
    .filter((name) => typeof name === "string");
  return {
    kind: kindOf(names.join(" "), message ?? "", status),
    message: message ?? (status === null ? "The provider failed." : `The provider answered ${status}.`),
    param: typeof said["param"] === "string" ? said["param"] : null,
    code: typeof said["code"] === "string" ? said["code"] : null,
  };
}

/** Reads the body of an error answer, which need not be JSON. */
export function faultOfBody(body: string, status: number): Fault {
  const value = parseJson(body);
  const isText = value === undefined && body.trim() !== "" && !body.trimStart().startsWith("<");
  return faultOf(isText ? { message: body.trim().slice(0, LONGEST_TEXT) } : value, status);
}

function kindOf(names: string, message: string, status: number | null): FaultKind {
  if (
    (status === null || status === 400 || status === 413) &&
    (/context_length/.test(names) || TOO_LONG.test(message))
  )
    return "context";
  if (status === 429) return /insufficient_quota|billing/.test(names) ? "quota" : "rate_limit";
  if (status === 503) return "overloaded";
  const byStatus = Object.entries(KINDS).find(([, kind]) => kind.status === status)?.[0];
  if (byStatus !== undefined) return byStatus === "invalid" ? "invalid" : (byStatus as FaultKind);
  if (status !== null) return status < 500 ? "invalid" : "server";
  return WORDS.find(([word]) => word.test(names))?.[1] ?? "server";
}

/** The error as a dialect's clients expect it. */
export function faultObject(dialect: Dialect, fault: Fault, status: number | null): object {
  const kind = KINDS[fault.kind];
  switch (dialect) {
    case "anthropic": {
      // Claude Code makes its conversation shorter when it reads these words.
      const message = fault.kind === "context" ? `prompt is too long: ${fault.message}` : fault.message;
      return { type: "error", error: { type: kind.anthropic, message } };
    }
    case "openai":
      return {
        error: { message: fault.message, type: kind.openai, param: fault.param, code: openAiCode(fault) },
      };
    case "google":
      return { error: { code: status ?? kind.status, message: fault.message, status: kind.google } };
  }
}

/** What OpenAI's clients look at first. */
export function openAiCode(fault: Fault): string | null {
  switch (fault.kind) {
    case "context":
      return "context_length_exceeded";
    case "quota":
      return "insufficient_quota";
    case "rate_limit":
      return "rate_limit_exceeded";
    case "overloaded":
      return "server_is_overloaded";
    case "server":
    case "timeout":
      return "server_error";
    default:
      return fault.code;
  }
}
