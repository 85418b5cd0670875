import type { FastifyReply } from "fastify";

/** A server-sent event stream to one client. Nothing is buffered but what the socket takes. */
export interface SseStream {
  readonly closed: AbortSignal;
  /**
   * Sends a message; resolves when the socket can take more. A client that takes nothing for `STALLED_MS` is cut off; it
   * resumes by its last id.
   */
  send(message: {
    readonly event: string;
    readonly data: unknown;
    readonly id?: string | null;
  }): Promise<void>;
  /** A comment line, so that both ends notice a dead connection. Dropped while the socket is full. */
  ping(): void;
  end(): void;
}

interface OpenParams {
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export const STALLED_MS = 30_000;

/** Takes the reply over and starts the stream, with the headers that hooks have set so far. */
export function openSse(reply: FastifyReply, { sleep }: Readonly<OpenParams>): SseStream {
  const headers = reply.getHeaders();
  reply.hijack();
  const { raw } = reply;
  const closed = new AbortController();
  const close = (): void => closed.abort();
  raw.on("close", close);
  raw.on("error", close);
  raw.writeHead(200, {
    ...headers,
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    // A proxy that collects the answer would hold every event back.
    "x-accel-buffering": "no",
  } as Record<string, string>);
  raw.flushHeaders();

  const drained = async (): Promise<void> => {
    const waiting = new AbortController();
    const stop = (): void => waiting.abort();
    raw.once("drain", stop);
    closed.signal.addEventListener("abort", stop, { once: true });
    const stalled = await sleep(STALLED_MS, waiting.signal).then(
      () => true,
      () => false,
    );
    raw.off("drain", stop);
    closed.signal.removeEventListener("abort", stop);
    if (stalled) raw.destroy();
  };

  return {
    closed: closed.signal,
    send: async ({ event, data, id }) => {
      if (closed.signal.aborted) return;
      const idLine = id === undefined || id === null ? "" : `id: ${id}\n`;
      if (!raw.write(`event: ${event}\n${idLine}data: ${JSON.stringify(data)}\n\n`)) await drained();
    },
    ping: () => {
      if (!closed.signal.aborted && !raw.writableNeedDrain) raw.write(": ping\n\n");
    },
    end: () => {
      if (!closed.signal.aborted) raw.end();
    },
  };
}
