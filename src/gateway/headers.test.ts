import { describe, expect, test } from "vitest";
import { callerKeys, requestHeaders, responseHeaders } from "./headers.ts";

describe("requestHeaders", () => {
  test("drops hop-by-hop headers and those that Connection names, keeps order, spelling and repetitions", () => {
    const raw = [
      "Connection",
      "keep-alive, X-Hop",
      "X-Hop",
      "1",
      "TE",
      "trailers",
      "X-B",
      "1",
      "x-a",
      "2",
      "X-B",
      "3",
    ];
    expect(requestHeaders(raw, "keep-alive, X-Hop", {})).toEqual(["X-B", "1", "x-a", "2", "X-B", "3"]);
  });

  test("drops every key of the caller and replaces what the configuration sets", () => {
    const raw = [
      "Authorization",
      "Bearer k",
      "X-Api-Key",
      "k",
      "API-Key",
      "k",
      "Cookie",
      "c",
      "X-Team",
      "theirs",
    ];
    expect(requestHeaders(raw, undefined, { "x-team": "ours" })).toEqual(["x-team", "ours"]);
  });
});

test("responseHeaders keeps what belongs to the answer, not to the connection or to a cookie jar", () => {
  expect(
    responseHeaders({
      "content-length": "5",
      "content-encoding": "gzip",
      connection: "close, x-one",
      "x-one": "1",
      "transfer-encoding": "chunked",
      "set-cookie": ["a=b"],
      "anthropic-ratelimit-requests-remaining": "3",
    }),
  ).toEqual({
    "content-length": "5",
    "content-encoding": "gzip",
    "anthropic-ratelimit-requests-remaining": "3",
  });
});

test("callerKeys finds a key in either header, each once", () => {
  expect(callerKeys({ authorization: "bearer abc" }, "/v1/x")).toEqual(["abc"]);
  expect(callerKeys({ "x-api-key": "abc", authorization: "Bearer abc" }, "/v1/x")).toEqual(["abc"]);
  expect(callerKeys({ "x-api-key": "one", authorization: "Bearer two" }, "/v1/x")).toEqual(["one", "two"]);
  expect(callerKeys({ authorization: "Basic abc" }, "/v1/x")).toEqual([]);
});
