import type { IncomingMessage } from "node:http";

export type BodyOutcome =
  | { readonly outcome: "read"; readonly body: Buffer }
  /** The rest is not read; the connection must be closed after the answer. */
  | { readonly outcome: "too_large" }
  | { readonly outcome: "aborted" };

/** Reads a whole request body, whatever framing it has, and never holds more than `maxBytes`. */
export function readRequestBody(request: IncomingMessage, maxBytes: number): Promise<BodyOutcome> {
  const declared = Number(request.headers["content-length"] ?? "0");
  if (declared > maxBytes) return Promise.resolve({ outcome: "too_large" });
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (outcome: BodyOutcome): void => {
      request.off("data", onData).off("end", onEnd).off("close", onClose).off("error", onClose);
      // Without a listener a late reset of the connection would be an uncaught error.
      request.on("error", () => {});
      resolve(outcome);
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > maxBytes) {
        request.pause();
        return settle({ outcome: "too_large" });
      }
      chunks.push(chunk);
    };
    const onEnd = (): void =>
      settle({ outcome: "read", body: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks) });
    const onClose = (): void => settle({ outcome: "aborted" });
    request.on("data", onData).on("end", onEnd).on("close", onClose).on("error", onClose);
  });
}
