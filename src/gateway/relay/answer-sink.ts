import type { OutgoingHttpHeaders } from "node:http";
import { Writable } from "node:stream";

/** Where the answer to a call goes: the caller's connection, or whoever made the call inside the gateway. */
export interface AnswerSink extends Writable {
  readonly headersSent: boolean;
  writeHead(status: number, headers: OutgoingHttpHeaders): this;
}

/** Keeps an answer instead of sending it; one that grows too large breaks off. */
export class KeptAnswer extends Writable implements AnswerSink {
  headersSent = false;
  status: number | null = null;
  headers: OutgoingHttpHeaders = {};
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #size = 0;

  constructor(maxBytes: number) {
    super();
    this.#maxBytes = maxBytes;
    // Without a listener an answer that breaks off would be an uncaught error.
    this.on("error", () => {});
  }

  writeHead(status: number, headers: OutgoingHttpHeaders): this {
    this.headersSent = true;
    this.status = status;
    this.headers = headers;
    return this;
  }

  /** What has come. */
  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  text(): string {
    return this.bytes().toString("utf8");
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.#size += chunk.length;
    if (this.#size > this.#maxBytes) {
      this.#chunks = [];
      return done(new RangeError("The answer is too large to be kept."));
    }
    this.#chunks.push(chunk);
    done();
  }
}
