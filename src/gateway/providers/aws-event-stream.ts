import { crc32 } from "node:zlib";
import { parseJson } from "../../base/index.ts";
import type { Converter } from "../relay/converter.ts";
import { objectOf, textOf } from "../usage/usage.ts";

const PRELUDE_BYTES = 12;
const CHECKSUM_BYTES = 4;
const LARGEST_MESSAGE = 16 * 1024 * 1024;
const STRING_TYPE = 7;

/**
 * Amazon's binary event stream as the server-sent events that are in it. Each message: total length, headers' length,
 * their checksum, headers, payload, checksum of all (big-endian).
 * https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html has the framing.
 */
export function createEventStreamConverter(): Converter {
  let rest: Buffer = Buffer.alloc(0);
  return {
    headers: { "content-type": "text/event-stream; charset=utf-8" },
    push: (chunk) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const events: Buffer[] = [];
      while (rest.length >= PRELUDE_BYTES) {
        const total = rest.readUInt32BE(0);
        if (total < PRELUDE_BYTES + CHECKSUM_BYTES || total > LARGEST_MESSAGE)
          throw new RangeError("a message of impossible size");
        if (crc32(rest.subarray(0, 8)) !== rest.readUInt32BE(8)) throw new RangeError("a broken prelude");
        if (rest.length < total) break;
        const message = rest.subarray(0, total);
        if (crc32(message.subarray(0, -CHECKSUM_BYTES)) !== message.readUInt32BE(total - CHECKSUM_BYTES))
          throw new RangeError("a broken message");
        events.push(eventOf(message));
        rest = rest.subarray(total);
      }
      return Buffer.concat(events);
    },
    end: () => {
      if (rest.length > 0) throw new RangeError("the stream ends inside a message");
      return Buffer.alloc(0);
    },
  };
}

function eventOf(message: Buffer): Buffer {
  const headersEnd = PRELUDE_BYTES + message.readUInt32BE(4);
  const headers = textHeaders(message.subarray(PRELUDE_BYTES, headersEnd));
  const payload = objectOf(parseJson(message.toString("utf8", headersEnd, message.length - CHECKSUM_BYTES)));
  if (headers.get(":message-type") === "exception") {
    const type = headers.get(":exception-type") ?? "exception";
    return sse("error", {
      type: "error",
      error: { type: "api_error", message: `${type}: ${textOf(payload["message"]) ?? ""}` },
    });
  }
  const bytes = payload["bytes"];
  if (typeof bytes !== "string") return Buffer.alloc(0);
  const text = Buffer.from(bytes, "base64").toString("utf8");
  const type = textOf(objectOf(parseJson(text))["type"]);
  if (type === null) throw new RangeError("an event without a type");
  return Buffer.from(`event: ${type}\ndata: ${text}\n\n`);
}

function sse(name: string, data: object): Buffer {
  return Buffer.from(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
}

function textHeaders(bytes: Buffer): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  let position = 0;
  while (position < bytes.length) {
    const nameEnd = position + 1 + bytes.readUInt8(position);
    const name = bytes.toString("utf8", position + 1, nameEnd);
    // The service sends texts only; the sizes of other types are not known here.
    if (bytes.readUInt8(nameEnd) !== STRING_TYPE) break;
    const valueEnd = nameEnd + 3 + bytes.readUInt16BE(nameEnd + 1);
    headers.set(name, bytes.toString("utf8", nameEnd + 3, valueEnd));
    position = valueEnd;
  }
  return headers;
}
