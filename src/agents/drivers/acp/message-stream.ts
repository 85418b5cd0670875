import type { Readable, Writable } from "node:stream";
import type { AnyMessage, Stream } from "@agentclientprotocol/sdk";

/** Longest message taken; tool results with files and images can be large. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** Output that is not the protocol is forgiven up to this size: some programs greet on standard output. */
const MAX_STRAY_BYTES = 64 * 1024;
const MAX_STRAY_SHOWN = 200;

interface MessageStreamParams {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Notifications, in the order of arrival. */
  readonly onNotification: (method: string, params: unknown) => void;
  /** First line that is not a protocol message, cut; called at most once. */
  readonly onStray: (text: string) => void;
  /** The output can no longer be read as the protocol; reading has stopped. Called at most once. */
  readonly onBroken: (detail: string) => void;
  /** Standard output ended. */
  readonly onEnd: () => void;
}

/**
 * The protocol's messages over a program's pipes, with bounded memory whatever the program prints: a line that does not
 * start like a message is dropped as it comes, a message may have 16 MiB, stray output 64 KiB.
 * Answers to questions that nobody asked are dropped too. (The SDK's own reader accepts and logs all of these.)
 * Notifications are handed over directly: the SDK dispatches them later than the answer of the turn they belong to.
 */
export function openMessageStream(params: Readonly<MessageStreamParams>): Stream {
  const asked = new Set<unknown>();
  let finish = (): void => {};
  const readable = new ReadableStream<AnyMessage>(
    {
      start: (controller) => {
        const lines = createLineReader({
          ...params,
          onMessage: (message) => {
            if ("method" in message && !("id" in message))
              params.onNotification(message.method, message.params);
            else if ("method" in message || asked.delete(message.id)) controller.enqueue(message);
          },
          onBroken: (detail) => {
            finish();
            params.onBroken(detail);
          },
        });
        finish = () => {
          finish = () => {};
          params.stdout.off("data", lines.push);
          // Goes on discarding, so that a flooding program meets no full pipe and the host no full memory.
          params.stdout.resume();
          controller.close();
        };
        params.stdout.on("data", lines.push);
        params.stdout.on("error", () => {});
        params.stdout.once("close", () => {
          finish();
          params.onEnd();
        });
      },
      cancel: () => finish(),
    },
    { highWaterMark: Number.POSITIVE_INFINITY },
  );
  params.stdin.on("error", () => {});
  const writable = new WritableStream<AnyMessage>({
    write: (message) => {
      if ("method" in message && "id" in message) asked.add(message.id);
      return new Promise((resolve, reject) => {
        params.stdin.write(`${JSON.stringify(message)}\n`, (error) =>
          error === null || error === undefined ? resolve() : reject(error),
        );
      });
    },
  });
  return { readable, writable };
}

interface LineReaderParams {
  readonly onMessage: (message: AnyMessage & { readonly id?: unknown }) => void;
  readonly onStray: (text: string) => void;
  readonly onBroken: (detail: string) => void;
}

const NEWLINE = 0x0a;
const OPENING_BRACE = 0x7b;
const BLANKS = new Set([0x20, 0x09, 0x0d]);

function createLineReader(params: Readonly<LineReaderParams>): { push(chunk: Buffer): void } {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  /** What the current line is: not begun, a candidate for a message, or stray. */
  let line: "empty" | "message" | "stray" = "empty";
  let strayBytes = 0;
  let strayShown = false;
  let broken = false;

  const breakOff = (detail: string): void => {
    broken = true;
    pending = [];
    params.onBroken(detail);
  };
  const stray = (part: Buffer): void => {
    strayBytes += part.length;
    if (!strayShown) {
      strayShown = true;
      params.onStray(part.toString("utf8", 0, MAX_STRAY_SHOWN));
    }
    if (strayBytes > MAX_STRAY_BYTES)
      breakOff(`It printed more than ${MAX_STRAY_BYTES / 1024} KiB that are not the Agent Client Protocol.`);
  };
  const take = (part: Buffer): void => {
    if (line === "empty") {
      const first = part.findIndex((byte) => !BLANKS.has(byte));
      if (first === -1) return;
      line = part[first] === OPENING_BRACE ? "message" : "stray";
    }
    if (line === "stray") return stray(part);
    pendingBytes += part.length;
    if (pendingBytes > MAX_MESSAGE_BYTES)
      return breakOff(`It sent a message of more than ${MAX_MESSAGE_BYTES / 1024 / 1024} MiB.`);
    pending.push(part);
  };
  const endLine = (): void => {
    if (line === "message") {
      const bytes = pending.length === 1 ? (pending[0] ?? Buffer.alloc(0)) : Buffer.concat(pending);
      const message = parseMessage(bytes.toString("utf8"));
      if (message === null) stray(bytes);
      else params.onMessage(message);
    }
    pending = [];
    pendingBytes = 0;
    line = "empty";
  };
  return {
    push: (chunk) => {
      let start = 0;
      while (!broken) {
        const end = chunk.indexOf(NEWLINE, start);
        if (end === -1) {
          if (start < chunk.length) take(chunk.subarray(start));
          return;
        }
        if (end > start) take(chunk.subarray(start, end));
        if (!broken) endLine();
        start = end + 1;
      }
    },
  };
}

/** A JSON-RPC message by its shape, or null. */
function parseMessage(text: string): AnyMessage | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return isMessage(value) ? value : null;
}

function isMessage(value: unknown): value is AnyMessage {
  if (typeof value !== "object" || value === null || !("jsonrpc" in value) || value.jsonrpc !== "2.0")
    return false;
  if ("method" in value) return typeof value.method === "string";
  return "id" in value && ("result" in value || "error" in value);
}
