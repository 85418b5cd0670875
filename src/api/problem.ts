import { STATUS_CODES } from "node:http";
import type { FastifyReply } from "fastify";
import { AppError, ERROR_KINDS, toAppError, type ErrorCode, type Log } from "../base/index.ts";
import type { Problem } from "../contract/index.ts";

/** The body of an error answer (RFC 9457). A bug shows no details: they are in the log. */
export function problemOf(error: AppError): Problem {
  const kind = ERROR_KINDS[error.code];
  const isBug = error.code === "internal.bug";
  return {
    type: `urn:miyabi:error:${error.code}`,
    title: STATUS_CODES[kind.status] ?? "Error",
    status: kind.status,
    code: error.code,
    detail: isBug ? "Something went wrong inside. The control plane's log has the details." : error.message,
    fix: isBug ? "miyabi logs --system" : error.fix,
    retryable: kind.retryable,
    details: isBug ? {} : { ...error.details },
  };
}

const FRAMEWORK_CODES: Readonly<Record<number, { readonly code: ErrorCode; readonly fix: string | null }>> = {
  400: { code: "input.invalid", fix: "Send a body of valid JSON." },
  404: { code: "not_found", fix: "/api/docs lists what there is." },
  405: { code: "api.method_not_allowed", fix: "/api/docs lists what there is." },
  413: { code: "input.too_large", fix: "Send less; the largest body has 1 MiB." },
  414: { code: "input.too_large", fix: "Send a shorter address." },
  415: { code: "api.media_type", fix: "Send `Content-Type: application/json`." },
  431: { code: "input.too_large", fix: "Send shorter headers." },
};

/** An error of Fastify, which knows only statuses, in our codes; every other thrown value as `toAppError` has it. */
function translate(thrown: unknown): AppError {
  if (thrown instanceof AppError || !(thrown instanceof Error) || !("statusCode" in thrown))
    return toAppError(thrown);
  const known = FRAMEWORK_CODES[Number(thrown.statusCode)];
  if (known === undefined) return toAppError(thrown);
  return new AppError({ code: known.code, message: thrown.message, fix: known.fix, cause: thrown });
}

/** Answers with a problem. What is our fault is logged, once, here. */
export function sendProblem(reply: FastifyReply, thrown: unknown, log: Log): FastifyReply {
  const error = translate(thrown);
  const problem = problemOf(error);
  if (problem.status >= 500)
    log[problem.retryable ? "warn" : "error"](
      {
        code: error.code,
        request: `${reply.request.method} ${reply.request.routeOptions.url ?? ""}`,
        error: error.message,
        stack: error.cause instanceof Error ? error.cause.stack : error.stack,
      },
      "request failed",
    );
  if (error.code === "api.unauthenticated") void reply.header("www-authenticate", "Bearer");
  if (problem.retryable) void reply.header("retry-after", "1");
  const { allowed } = error.details;
  if (error.code === "api.method_not_allowed" && Array.isArray(allowed))
    void reply.header("allow", allowed.join(", "));
  return (
    reply
      .code(problem.status)
      .header("content-type", "application/problem+json; charset=utf-8")
      // A file that is missing now may be there after the next build.
      .header("cache-control", "no-store")
      .send(JSON.stringify(problem))
  );
}
