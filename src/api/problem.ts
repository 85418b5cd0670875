import type { FastifyError, FastifyReply } from "fastify";
import { AppError, ERROR_KINDS, toAppError, type ErrorCode, type Log } from "../base/index.ts";
import type { Problem } from "../contract/index.ts";

/** The body of an error answer (RFC 9457). A bug shows no details: they are in the log. */
export function problemOf(error: AppError): Problem {
  const kind = ERROR_KINDS[error.code];
  const isBug = error.code === "internal.bug";
  return {
    type: `https://miyabi.invalid/errors/${error.code}`,
    title: error.code,
    status: kind.status,
    code: error.code,
    detail: isBug
      ? "Something went wrong inside. The log of the control plane has the details."
      : error.message,
    fix: isBug ? "miyabi logs --system" : error.fix,
    retryable: kind.retryable,
    details: isBug ? {} : { ...error.details },
  };
}

const FASTIFY_CODES: Readonly<Record<number, ErrorCode>> = {
  400: "input.invalid",
  404: "not_found",
  413: "input.too_large",
  415: "input.invalid",
};

/** Answers with a problem; what is our fault is logged once, here. */
export function sendProblem(reply: FastifyReply, thrown: unknown, log: Log): FastifyReply {
  const status = (thrown as FastifyError).statusCode;
  const known = status === undefined ? undefined : FASTIFY_CODES[status];
  const error =
    known !== undefined && !(thrown instanceof AppError)
      ? new AppError({ code: known, message: (thrown as Error).message })
      : toAppError(thrown);
  if (ERROR_KINDS[error.code].status >= 500)
    log.error(
      {
        code: error.code,
        error: error.message,
        stack: error.cause instanceof Error ? error.cause.stack : error.stack,
      },
      "request failed",
    );
  const problem = problemOf(error);
  return reply
    .code(problem.status)
    .header("content-type", "application/problem+json")
    .send(JSON.stringify(problem));
}
