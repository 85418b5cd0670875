import { expect, test } from "vitest";
import { createWireReader } from "./wire.ts";

const SIZED = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const CHUNKED =
  "POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n";
const EMPTY = "HTTP/1.1 204 No Content\r\n\r\n";

test.each([1, 2, 3, 7, 1_000])("messages are read in whatever pieces they come (%d bytes)", (size) => {
  const seen: string[] = [];
  let body = "";
  const read = createWireReader({
    head: (text) => seen.push(text.split("\r\n")[0] ?? ""),
    body: (piece) => (body += piece.toString()),
    end: () => {
      seen.push(body);
      body = "";
    },
  });
  const all = Buffer.from(SIZED + CHUNKED + EMPTY + SIZED);
  for (let at = 0; at < all.length; at += size) read(all.subarray(at, at + size));
  expect(seen).toEqual([
    "HTTP/1.1 200 OK",
    "hello",
    "POST /x HTTP/1.1",
    "abcde",
    "HTTP/1.1 204 No Content",
    "",
    "HTTP/1.1 200 OK",
    "hello",
  ]);
});
