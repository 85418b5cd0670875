import {
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from "node:http";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { messageOf } from "../../base/index.ts";
import { endToEndHeaders } from "./headers.ts";

interface RelayParams {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly headers: OutgoingHttpHeaders;
  readonly maxBodyBytes: number;
  /** An already opened connection to use instead of one to `url`'s host. */
  readonly socket?: Socket;
}

/** A model may think for a long time without a byte; beyond this the connection counts as dead. */
const SILENCE_MS = 15 * 60_000;

/** Ends a request with a short text. Does nothing where an answer has begun. */
export function refuse(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // What is left of the body is not read: the connection cannot serve another request.
  response.writeHead(status, { "content-type": "application/json", connection: "close" });
  response.end(JSON.stringify({ error: { type: "miyabi_sandbox", message } }));
}

/**
 * How the body is delimited, exactly as it came in. Left to Node, the body of a GET would follow its headers unframed, and the
 * gateway could read it as a second request with a path and headers of the agent's choice.
 */
function framingOf(request: IncomingMessage): OutgoingHttpHeaders {
  if (request.headers["transfer-encoding"] !== undefined) return { "transfer-encoding": "chunked" };
  return { "content-length": request.headers["content-length"] ?? "0" };
}

/**
 * Passes one request on and its answer back, both as streams; a client that goes away cancels the request upstream.
 * Resolves when both directions are done; never rejects.
 */
export async function relay(params: Readonly<RelayParams>): Promise<void> {
  const { request, response, url, socket } = params;
  const cancel = new AbortController();
  const onClose = (): void => cancel.abort();
  response.once("close", onClose);
  let tooLarge = false;
  let received = 0;
  const limit = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      received += chunk.length;
      tooLarge = received > params.maxBodyBytes;
      if (tooLarge) done(new Error("body too large"));
      else done(null, chunk);
    },
  });
  try {
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      const upstream = (url.protocol === "https:" ? httpsRequest : httpRequest)(
        url,
        {
          method: request.method ?? "GET",
          headers: { ...params.headers, ...framingOf(request), host: url.host },
          signal: cancel.signal,
          ...(socket === undefined ? {} : { createConnection: () => socket }),
        },
        resolve,
      );
      upstream.setTimeout(SILENCE_MS, () => upstream.destroy(new Error("no answer")));
      upstream.on("error", reject);
      upstream.flushHeaders();
      // An upstream that answers early and closes makes sending fail; its answer is what counts.
      pipeline(request, limit, upstream).catch((error: unknown) => {
        if (tooLarge) reject(error);
      });
    });
    const incoming = await answer;
    response.writeHead(incoming.statusCode ?? 502, endToEndHeaders(incoming.headers));
    response.flushHeaders();
    await pipeline(incoming, response);
  } catch (error) {
    if (cancel.signal.aborted) response.destroy();
    else if (tooLarge) refuse(response, 413, `A request may have ${params.maxBodyBytes} bytes at most.`);
    else refuse(response, 502, `${url.host} did not answer: ${messageOf(error)}`);
  } finally {
    response.off("close", onClose);
    cancel.abort();
    socket?.destroy();
  }
}
