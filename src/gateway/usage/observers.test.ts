import { describe, expect, test } from "vitest";
import { streamText } from "../../../test/support/model-server.ts";
import { formatOf } from "./formats.ts";
import { createStreamObserver } from "./observers.ts";
import type { Observation } from "./usage.ts";

function observe(usage: "messages" | "chat" | "responses", text: string, chunkBytes: number): Observation {
  const format = formatOf(usage);
  if (format === null) throw new Error("no format");
  const observer = createStreamObserver(format);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += chunkBytes) observer.push(bytes.subarray(at, at + chunkBytes));
  return observer.finish();
}

describe.each([1, 7, 100, 1e6])("in chunks of %d bytes", (chunkBytes) => {
  test("reads the same usage whatever the chunking and line ends", () => {
    const text = streamText("/v1/messages", "claude-sonnet-4-5");
    const expected = { ended: true, complete: true, failed: false, usage: { input: 2_140, output: 25 } };
    expect(observe("messages", text, chunkBytes)).toMatchObject(expected);
    expect(observe("messages", text.replaceAll("\n", "\r\n"), chunkBytes)).toMatchObject(expected);
  });

  test("a stream without its last event has not ended", () => {
    const text = streamText("/v1/messages", "claude-sonnet-4-5").replace(/event: message_stop[^]*/, "");
    expect(observe("messages", text, chunkBytes).ended).toBe(false);
  });

  test("a chat without [DONE] has ended when its choices are finished", () => {
    const text = streamText("/v1/chat/completions", "gpt-5").replace("data: [DONE]\n\n", "");
    expect(observe("chat", text, chunkBytes)).toMatchObject({ ended: true, complete: true });
    expect(
      observe("chat", 'data: {"choices":[{"delta":{},"finish_reason":null}]}\n\n', chunkBytes).ended,
    ).toBe(false);
  });
});

test("error events and malformed data are read for what they are", () => {
  expect(observe("messages", 'data: {"type":"error","error":{}}\n\n', 10)).toMatchObject({
    ended: true,
    failed: true,
  });
  expect(observe("chat", 'data: {"error":{"message":"x"}}\n\n', 10)).toMatchObject({
    ended: true,
    failed: true,
  });
  expect(observe("responses", 'data: {"type":"response.completed", broken\n\n', 10)).toMatchObject({
    ended: false,
    complete: false,
  });
  expect(observe("responses", "", 10).ended).toBe(false);
});
