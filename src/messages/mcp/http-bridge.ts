import type { FastifyReply, FastifyRequest } from "fastify";

/** A Fastify request as the web-standard one that the MCP handler takes; its parsed body goes beside it. */
export function toWebRequest(request: FastifyRequest, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value === undefined || name === "authorization" || name === "cookie") continue;
    for (const one of Array.isArray(value) ? value : [value]) headers.append(name, one);
  }
  // Only the path means anything to the handler; the caller's Host header was checked by the server.
  return new Request(`http://localhost${request.raw.url ?? "/"}`, {
    method: request.method,
    headers,
    signal,
  });
}

/**
 * Writes a web-standard response to a hijacked reply, chunk by chunk. By hand instead of `Readable.fromWeb`, which throws
 * outside of any handler when the client goes away in the middle of a stream.
 */
export async function writeWebResponse(
  response: Response,
  reply: FastifyReply,
  signal: AbortSignal,
): Promise<void> {
  reply.raw.writeHead(response.status, Object.fromEntries(response.headers));
  if (response.body === null) {
    reply.raw.end();
    return;
  }
  const reader = response.body.getReader();
  const cancel = (): void => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (!reply.raw.write(part.value)) await drained(reply, signal);
    }
    reply.raw.end();
  } catch {
    reply.raw.destroy();
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

function drained(reply: FastifyReply, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      reply.raw.off("drain", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    reply.raw.once("drain", done);
    signal.addEventListener("abort", done, { once: true });
  });
}
