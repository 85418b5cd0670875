import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";
import type { Clock } from "../../base/index.ts";
import { dialectErrorEvent, type Dialect } from "../dialect.ts";
import { responseHeaders } from "../headers.ts";
import { isEventStream, type Tap } from "../usage/tap.ts";
import type { Observation } from "../usage/usage.ts";
import type { Alarms } from "./alarms.ts";
import type { AnswerCopy } from "./answer-copy.ts";
import type { AnswerSink } from "./answer-sink.ts";
import type { Delivered } from "./answer.ts";
import type { Converter } from "./converter.ts";
import { answerFailure, connectionFailure, statusFailure, timeoutFailure, type Failure } from "./failure.ts";
import { retryAdvice } from "./retry-after.ts";
import type { EndedBy, Watch } from "./watch.ts";

export interface AttemptParams {
  readonly dispatcher: Dispatcher;
  readonly provider: string;
  readonly dialect: Dialect;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: string[];
  readonly body: Buffer | null;
  readonly response: AnswerSink;
  readonly watch: Watch;
  readonly createTap: (status: number, headers: IncomingHttpHeaders) => Tap;
  /** Takes a provider's own framing off its stream, so that events are left; null: there is none. */
  readonly createFraming: ((status: number, headers: IncomingHttpHeaders) => Converter | null) | null;
  /** Turns the provider's dialect into the caller's; null: they are the same. */
  readonly createConverter: ((status: number, headers: IncomingHttpHeaders) => Converter | null) | null;
  /** Whether a good answer is JSON or an event stream, so that anything else is a fault. */
  readonly checksType: boolean;
  /** Gets a copy of a good answer, as the caller gets it; null: nobody wants one. */
  readonly copy: AnswerCopy | null;
  /** Headers that we add to an answer. */
  readonly added: (status: number) => Readonly<Record<string, string>>;
  /** Asked while nothing has gone to the caller: whether another try follows. If not, an error of the provider passes. */
  readonly mayContinue: (failure: Failure) => boolean;
  readonly firstByteMs: number;
  readonly clock: Clock;
  readonly alarms: Alarms;
}

export type AttemptResult =
  | {
      readonly state: "delivered";
      readonly delivered: Delivered;
      /** What the provider did wrong, though the caller has got something of it; null: nothing. */
      readonly failure: Failure | null;
    }
  /** The caller has got nothing yet. */
  | { readonly state: "failed"; readonly failure: Failure };

/** Answers up to this size are held until they are whole, so that a broken one can be asked for again. */
const MOST_HELD_BYTES = 256 * 1024;
/** An error that nobody gets is read to its end up to this size, which keeps the connection; beyond, it is dropped. */
const MOST_DRAINED_BYTES = 64 * 1024;

class Ended extends Error {
  readonly why: EndedBy | "first-byte" | "unwanted";
  constructor(why: EndedBy | "first-byte" | "unwanted") {
    super(why);
    this.why = why;
  }
}
class Malformed extends Error {}

/**
 * One try at one provider: the request goes out, the answer to the caller, byte for byte where nothing converts it, with
 * back-pressure both ways. Nothing reaches the caller before the first byte of a stream, or the whole of a small answer,
 * is there. A caller that goes away aborts the provider's work at once. A stream that breaks off, is malformed, or ends
 * without its last event, ends as an error for the caller: an error event of its dialect, then a destroyed connection.
 * Never rejects.
 */
export function attempt(params: Readonly<AttemptParams>): Promise<AttemptResult> {
  const { response, watch, clock, provider } = params;
  const startedMs = clock.monotonicMs();
  let quiet = (): void => {};

  return new Promise((resolve) => {
    let controller: Dispatcher.DispatchController | null = null;
    let ended: Ended | null = null;
    let refused: Failure | null = null;
    let status = 0;
    let headers: IncomingHttpHeaders = {};
    let streaming = false;
    let unwanted = false;
    let committed = false;
    let tap: Tap | null = null;
    let framing: Converter | null = null;
    let converter: Converter | null = null;
    let firstByteMs: number | null = null;
    let bytes = 0;
    let sent = false;
    let settled = false;
    let held: Buffer[] = [];
    let heldBytes = 0;

    const finish = (result: AttemptResult): void => {
      if (settled) return;
      settled = true;
      quiet();
      watch.listener = null;
      resolve(result);
    };
    const deliver = (
      outcome: Delivered["outcome"],
      error: string | null,
      observation: Observation | null,
      failure: Failure | null = null,
    ): void =>
      finish({
        state: "delivered",
        failure,
        delivered: {
          outcome,
          error,
          observation,
          status: committed ? status : null,
          firstByteMs,
          sent,
          bytes,
        },
      });
    const fail = (failure: Failure): void => finish({ state: "failed", failure });
    const observe = (done: (observation: Observation | null) => void): void => {
      if (tap === null) done(null);
      else tap.finish(done);
    };

    const stop = (why: Ended["why"]): void => {
      ended ??= new Ended(why);
      // While the request waits for a connection there is nothing to abort, but the try is over.
      if (controller === null) broken(ended);
      else controller.abort(ended);
    };

    const commit = (length: number | null): void => {
      committed = true;
      const out = responseHeaders(headers);
      if (converter !== null || framing !== null) {
        for (const name of ["content-length", "content-encoding"]) delete out[name];
        const sized = length === null || streaming ? {} : { "content-length": String(length) };
        Object.assign(out, framing?.headers, converter?.headers, sized);
      }
      response.writeHead(status, { ...out, ...params.added(status) });
      if (status === 200) params.copy?.begin(String(out["content-type"] ?? "application/json"));
    };
    const write = (piece: Buffer): void => {
      params.copy?.push(piece);
      if (!response.write(piece)) controller?.pause();
    };
    /** The head goes out with the first piece, in one write. */
    const release = (): void => {
      commit(null);
      response.on("drain", () => controller?.resume());
      for (const piece of held) write(piece);
      held = [];
    };

    /** The whole answer in one piece. */
    const finishHeld = (): void => {
      commit(heldBytes);
      const [first] = held;
      const whole = held.length === 1 && first !== undefined ? first : Buffer.concat(held);
      held = [];
      params.copy?.push(whole);
      response.end(whole);
    };

    /** The answer broke off after its head had gone to the caller. */
    const cut = (failure: Failure, observation: Observation | null): void => {
      deliver("cut", failure.message, observation, failure);
      const encoded = converter === null && isEncoded(headers);
      if (streaming && !encoded && response.writable)
        response.write(dialectErrorEvent(params.dialect, failure.refusal, failure.message), () =>
          response.destroy(),
        );
      else response.destroy();
    };

    const broken = (error: Error): void => {
      if (settled) return;
      if (error instanceof Ended && error.why === "gone")
        return observe((seen) => deliver("aborted", "The caller went away.", seen));
      const failure =
        error instanceof Malformed
          ? answerFailure(provider, status, "malformed")
          : error instanceof Ended
            ? timeoutFailure(provider, error.why === "timeout" ? "total" : "first-byte", sent)
            : connectionFailure(provider, error, sent);
      if (committed) observe((seen) => cut(failure, seen));
      else fail(failure);
    };

    const give = (piece: Buffer): void => {
      if (piece.length === 0) return;
      if (committed) return write(piece);
      held.push(piece);
      heldBytes += piece.length;
      if (streaming || heldBytes > MOST_HELD_BYTES) release();
    };

    const take = (piece: Buffer): void => {
      tap?.push(piece);
      // What cannot be read is not passed on: a client would stumble over it as we did.
      if (streaming && tap?.isMalformed() === true) throw new Malformed();
      give(converter === null ? piece : converter.push(piece));
    };

    const end = (observation: Observation): void => {
      if (settled) return;
      if (committed && streaming && !observation.ended)
        return cut(
          {
            ...answerFailure(provider, status, "empty"),
            message: `The stream of provider "${provider}" ended early.`,
          },
          observation,
        );
      if (!committed && status < 400 && params.checksType) {
        if (bytes === 0 || (streaming && !observation.ended))
          return fail(answerFailure(provider, status, "empty"));
        if (observation.malformed) return fail(answerFailure(provider, status, "malformed"));
      }
      if (committed) response.end();
      else finishHeld();
      if (refused !== null) return deliver("rejected", refused.message, observation, refused);
      if (observation.failed)
        return deliver("failed", `Provider "${provider}" failed in the stream.`, observation);
      if (observation.malformed)
        return deliver("failed", `Provider "${provider}" sent an answer that cannot be read.`, observation);
      deliver("ok", null, observation);
    };

    watch.listener = stop;
    if (watch.ended !== null) return stop(watch.ended);
    quiet = params.alarms.set(params.firstByteMs, () => stop("first-byte"));

    params.dispatcher.dispatch(
      { method: params.method, path: params.path, headers: params.headers, body: params.body },
      {
        onRequestStart: (started) => {
          controller = started;
          if (settled || ended !== null) return started.abort(ended ?? new Ended("unwanted"));
          sent = true;
        },
        onResponseStart: (started, code, received) => {
          if (code < 200 || settled) return;
          controller = started;
          status = code;
          headers = received;
          if (status >= 400) {
            refused = statusFailure(
              provider,
              status,
              retryAdvice(headers, () => clock.now()),
            );
            if (params.mayContinue(refused)) {
              unwanted = true;
              return fail(refused);
            }
          }
          if (status < 300 && params.checksType && !isAnswer(headers)) {
            unwanted = true;
            return fail(answerFailure(provider, status, "type"));
          }
          framing = params.createFraming?.(status, headers) ?? null;
          streaming = status < 300 && (framing !== null || isEventStream(headers));
          tap = params.createTap(status, framing === null ? headers : { ...headers, ...framing.headers });
          converter = params.createConverter?.(status, headers) ?? null;
        },
        onResponseData: (_, chunk) => {
          bytes += chunk.length;
          if (unwanted && bytes > MOST_DRAINED_BYTES) controller?.abort(new Ended("unwanted"));
          if (settled) return;
          if (firstByteMs === null) {
            firstByteMs = clock.monotonicMs() - startedMs;
            quiet();
          }
          try {
            take(framing === null ? chunk : framing.push(chunk));
          } catch {
            controller?.abort(new Malformed());
          }
        },
        onResponseEnd: () => {
          if (settled) return;
          try {
            if (framing !== null) take(framing.end());
            if (converter !== null) give(converter.end());
          } catch {
            // A stream without its end cannot be converted either, and is told apart below.
            const malformed = (): void => broken(new Malformed());
            return tap === null
              ? malformed()
              : tap.finish((seen) => (streaming && !seen.ended ? end(seen) : malformed()));
          }
          tap?.finish(end);
        },
        onResponseError: (_, error) => broken(ended ?? error),
      },
    );
  });
}

function isEncoded(headers: IncomingHttpHeaders): boolean {
  const encoding = headers["content-encoding"];
  return encoding !== undefined && encoding !== "identity";
}

/** Whether an answer with a good status is what endpoints of models answer with; no type at all is let through. */
function isAnswer(headers: IncomingHttpHeaders): boolean {
  const type = headers["content-type"]?.toLowerCase() ?? "";
  return type === "" || /json|event-stream|amazon\.eventstream/.test(type);
}
