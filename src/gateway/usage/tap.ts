import type { IncomingHttpHeaders } from "node:http";
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import type { Transform } from "node:stream";
import type { UsageFormat } from "../endpoints.ts";
import { formatOf } from "./formats.ts";
import { blindObserver, createDocumentObserver, createStreamObserver } from "./observers.ts";
import type { Observation, Observer } from "./usage.ts";

/** Reads a copy of an answer's bytes, decoded where they are compressed, while the bytes themselves go on unchanged. */
export interface Tap {
  push(chunk: Buffer): void;
  /** Whether what has come so far cannot be read; never known at once where it is compressed. */
  isMalformed(): boolean;
  /** Calls back at once where nothing has to be decoded first. */
  finish(done: (observation: Observation) => void): void;
}

interface TapParams {
  readonly usage: UsageFormat;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** The tap that fits an answer. */
export function createTap({ usage, status, headers }: Readonly<TapParams>): Tap {
  const format = status >= 200 && status < 300 ? formatOf(usage) : null;
  if (format === null) return direct(blindObserver);
  const observer = isEventStream(headers) ? createStreamObserver(format) : createDocumentObserver(format);
  const encoding = (headers["content-encoding"] ?? "identity").trim().toLowerCase();
  if (encoding === "identity") return direct(observer);
  const decoder = decoderOf(encoding);
  return decoder === null ? direct(blindObserver) : decoded(decoder, observer);
}

export function isEventStream(headers: IncomingHttpHeaders): boolean {
  return (headers["content-type"] ?? "").toLowerCase().includes("text/event-stream");
}

function direct(observer: Observer): Tap {
  return {
    push: observer.push,
    isMalformed: observer.isMalformed,
    finish: (done) => done(observer.finish()),
  };
}

function decoderOf(encoding: string): Transform | null {
  switch (encoding) {
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "deflate":
      return createInflate();
    case "br":
      return createBrotliDecompress();
    case "zstd":
      return createZstdDecompress();
    default:
      return null;
  }
}

function decoded(decoder: Transform, observer: Observer): Tap {
  let broken = false;
  decoder.on("data", observer.push);
  decoder.on("error", () => {
    broken = true;
  });
  return {
    isMalformed: () => false,
    push: (chunk) => {
      if (!broken) decoder.write(chunk);
    },
    finish: (done) => {
      const settle = (): void => done(observer.finish());
      if (broken) return settle();
      decoder.once("end", settle).once("error", settle);
      decoder.end();
    },
  };
}
