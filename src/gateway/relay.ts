import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import type { Dispatcher } from "undici";
import { AppError, errnoOf, type Clock } from "../base/index.ts";
import { dialectError, dialectErrorEvent, type Dialect, type Refusal } from "./dialect.ts";
import { responseHeaders } from "./headers.ts";
import { isEventStream, type Tap } from "./usage/tap.ts";
import type { Observation } from "./usage/usage.ts";

/**
 * How a call ended. `ok`: the whole answer passed. `rejected`: the provider answered with an error, which passed.
 * `failed`: no answer, or the answer itself says inside its stream that it failed. `cut`: the answer broke off.
 * `aborted`: the caller went away.
 */
export const CALL_OUTCOMES = ["ok", "rejected", "failed", "cut", "aborted"] as const;
export type CallOutcome = (typeof CALL_OUTCOMES)[number];

export interface RelayResult {
  readonly outcome: CallOutcome;
  /** What the caller got; null where it got no status line. */
  readonly status: number | null;
  /** Milliseconds from the start of the relay to the first byte of the answer's body; null where none came. */
  readonly firstByteMs: number | null;
  /** Whether the request reached a connection, so that the provider may have worked on it. */
  readonly sent: boolean;
  /** One sentence of ours, never a provider's text; null when all went well. */
  readonly error: string | null;
  /** Null where no answer came. */
  readonly observation: Observation | null;
}

export interface RelayParams {
  readonly dispatcher: Dispatcher;
  readonly provider: string;
  readonly dialect: Dialect;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: string[];
  readonly body: Buffer | null;
  readonly response: ServerResponse;
  readonly createTap: (status: number, headers: IncomingHttpHeaders) => Tap;
  readonly totalMs: number;
  readonly clock: Clock;
}

class CallerGone extends Error {}
class TotalTimeout extends Error {}

/**
 * Sends a request to a provider and its answer to the caller, byte for byte, with back-pressure both ways. A caller that
 * goes away aborts the provider's work at once. An answer that breaks off, or a stream that ends without its last event,
 * ends as an error for the caller: an error event of its dialect, then a destroyed connection. Never rejects.
 */
export function relay(params: Readonly<RelayParams>): Promise<RelayResult> {
  const { response, dialect, clock } = params;
  const startedMs = clock.monotonicMs();
  const timer = new AbortController();

  return new Promise((resolve) => {
    let controller: Dispatcher.DispatchController | null = null;
    let abortReason: Error | null = null;
    let status: number | null = null;
    let streaming = false;
    let encoded = false;
    let tap: Tap | null = null;
    let firstByteMs: number | null = null;
    let sent = false;
    let settled = false;

    const abort = (reason: Error): void => {
      abortReason ??= reason;
      controller?.abort(abortReason);
    };
    const settle = (
      outcome: CallOutcome,
      error: string | null,
      observation: Observation | null = null,
    ): void => {
      if (settled) return;
      settled = true;
      timer.abort();
      resolve({ outcome, status, firstByteMs, sent, error, observation });
    };
    const observe = (done: (observation: Observation | null) => void): void => {
      if (tap === null) done(null);
      else tap.finish(done);
    };

    /** The answer broke off after its head had gone to the caller. */
    const cut = (refusal: Refusal, message: string, observation: Observation | null): void => {
      settle("cut", message, observation);
      if (streaming && !encoded && response.writable)
        response.write(dialectErrorEvent(dialect, refusal, message), () => response.destroy());
      else response.destroy();
    };

    const fail = (error: Error | null): void => {
      if (settled) return;
      if (error instanceof CallerGone)
        return observe((seen) => settle("aborted", "The caller went away.", seen));
      const { refusal, message } = describe(params.provider, error);
      if (response.headersSent) return observe((seen) => cut(refusal, message, seen));
      const answer = dialectError(dialect, refusal, message);
      status = answer.status;
      settle("failed", message);
      response.writeHead(answer.status, answer.headers).end(answer.body);
    };

    const end = (observation: Observation): void => {
      if (settled) return;
      if (!observation.ended && streaming)
        return cut(
          "upstream_failed",
          `The stream of provider "${params.provider}" ended early.`,
          observation,
        );
      response.end();
      if (status !== null && status >= 400)
        return settle("rejected", `Provider "${params.provider}" answered ${status}.`, observation);
      if (observation.failed)
        return settle("failed", `Provider "${params.provider}" failed in the stream.`, observation);
      settle("ok", null, observation);
    };

    response.on("close", () => {
      if (settled || response.writableFinished) return;
      // Where the request still waits for a connection there is nothing to abort, but the call is over.
      if (controller === null) settle("aborted", "The caller went away.");
      abort(new CallerGone());
    });
    response.on("error", () => {});
    response.on("drain", () => controller?.resume());
    clock.sleep(params.totalMs, timer.signal).then(
      () => (controller === null ? fail(new TotalTimeout()) : abort(new TotalTimeout())),
      () => {},
    );

    params.dispatcher.dispatch(
      { method: params.method, path: params.path, headers: params.headers, body: params.body },
      {
        onRequestStart: (started) => {
          controller = started;
          if (settled || abortReason !== null) return started.abort(abortReason ?? new CallerGone());
          sent = true;
        },
        onResponseStart: (started, code, headers) => {
          if (code < 200 || settled) return;
          controller = started;
          status = code;
          streaming = isEventStream(headers);
          encoded = headers["content-encoding"] !== undefined && headers["content-encoding"] !== "identity";
          tap = params.createTap(code, headers);
          response.writeHead(code, responseHeaders(headers));
          if (streaming) response.flushHeaders();
        },
        onResponseData: (_, chunk) => {
          if (settled) return;
          firstByteMs ??= clock.monotonicMs() - startedMs;
          if (!response.write(chunk)) controller?.pause();
          tap?.push(chunk);
        },
        onResponseEnd: () => tap?.finish(end),
        onResponseError: (_, error) => fail(abortReason ?? error),
      },
    );
  });
}

function describe(provider: string, error: Error | null): { refusal: Refusal; message: string } {
  const name = `Provider "${provider}"`;
  if (error instanceof TotalTimeout)
    return { refusal: "upstream_timeout", message: `${name} took longer than the longest allowed time.` };
  if (error instanceof AppError) return { refusal: "upstream_failed", message: error.message };
  const code = errnoOf(error);
  switch (code) {
    case "UND_ERR_CONNECT_TIMEOUT":
      return { refusal: "upstream_timeout", message: `${name} did not accept a connection in time.` };
    case "UND_ERR_HEADERS_TIMEOUT":
      return { refusal: "upstream_timeout", message: `${name} did not answer in time.` };
    case "UND_ERR_BODY_TIMEOUT":
      return { refusal: "upstream_timeout", message: `${name} fell silent in the middle of its answer.` };
    case "UND_ERR_INVALID_ARG":
      return {
        refusal: "bad_request",
        message: "The request has a header or path that cannot be passed on.",
      };
    default:
      return {
        refusal: "upstream_failed",
        message: `${name} could not be reached (${code ?? "broken answer"}).`,
      };
  }
}
