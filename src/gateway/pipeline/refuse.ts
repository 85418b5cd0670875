import type { IncomingMessage } from "node:http";
import { dialectError, type Dialect, type Refusal } from "../dialect.ts";
import type { AnswerSink } from "../relay/answer-sink.ts";
import type { Call, CallResult } from "./call.ts";

type Tried = Pick<CallResult, "target" | "attempts" | "sent" | "failedTries">;

export interface RefusalParams {
  readonly refusal: Refusal;
  /** For the caller: names the setting or budget and what to do. */
  readonly message: string;
  readonly retryAfterMs?: number | null;
  /** That was tried last. */
  readonly tried?: Tried;
}

/** Answers with an error in the caller's dialect; gives its status. Headers of an answer that has begun stay. */
export function answerError(
  on: { readonly request: IncomingMessage; readonly response: AnswerSink; readonly dialect: Dialect },
  refusal: Refusal,
  message: string,
  retryAfterMs: number | null = null,
): number {
  const answer = dialectError(on.dialect, refusal, message, retryAfterMs);
  if (on.response.headersSent || on.response.destroyed) {
    on.response.destroy();
    return answer.status;
  }
  // The rest of a body that nobody wants is read and dropped, so that the caller gets to see the answer.
  on.request.resume();
  on.response.writeHead(answer.status, answer.headers).end(answer.body);
  return answer.status;
}

/** Ends a call with an error of ours: `refused` where no provider was asked, else `failed`. */
export function refuse(call: Call, params: Readonly<RefusalParams>): CallResult {
  const status = answerError(call, params.refusal, params.message, params.retryAfterMs ?? null);
  const { attempts = 0, target = null, sent = false, failedTries = [] } = params.tried ?? {};
  return {
    outcome: attempts === 0 ? "refused" : "failed",
    refusal: params.refusal,
    status,
    firstByteMs: null,
    sent,
    error: params.message,
    observation: null,
    bytes: 0,
    target,
    attempts,
    failedTries,
    cache: null,
    budget: null,
    trimmed: call.trimmed,
  };
}

/** A call whose caller went away before any answer. */
export function abandoned(call: Call, tried: Tried): CallResult {
  const { target, attempts, sent, failedTries = [] } = tried;
  return {
    target,
    attempts,
    sent,
    failedTries,
    outcome: "aborted",
    refusal: null,
    status: null,
    firstByteMs: null,
    error: "The caller went away.",
    observation: null,
    bytes: 0,
    cache: null,
    budget: null,
    trimmed: call.trimmed,
  };
}
