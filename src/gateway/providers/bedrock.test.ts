import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { createEventStreamConverter } from "./aws-event-stream.ts";
import { bedrockRequest } from "./bedrock.ts";
import { signAws } from "./sign-aws.ts";

function message(headers: Readonly<Record<string, string>>, payload: string): Buffer {
  const head = Buffer.concat(
    Object.entries(headers).map(([name, value]) => {
      const size = Buffer.alloc(3);
      size.writeUInt8(7, 0);
      size.writeUInt16BE(Buffer.byteLength(value), 1);
      return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), size, Buffer.from(value)]);
    }),
  );
  const total = 16 + head.length + Buffer.byteLength(payload);
  const prelude = Buffer.alloc(12);
  prelude.writeUInt32BE(total, 0);
  prelude.writeUInt32BE(head.length, 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  const all = Buffer.concat([prelude, head, Buffer.from(payload)]);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(all), 0);
  return Buffer.concat([all, sum]);
}

const chunk = (event: object): Buffer =>
  message(
    { ":message-type": "event", ":event-type": "chunk" },
    JSON.stringify({ bytes: Buffer.from(JSON.stringify(event)).toString("base64") }),
  );

describe("the event stream", () => {
  const bytes = Buffer.concat([chunk({ type: "message_start" }), chunk({ type: "ping", text: "日本" })]);
  const expected =
    'event: message_start\ndata: {"type":"message_start"}\n\nevent: ping\ndata: {"type":"ping","text":"日本"}\n\n';

  test.each([1, 7, 1_000])("becomes server-sent events, in chunks of %d bytes", (size) => {
    const converter = createEventStreamConverter();
    let text = "";
    for (let at = 0; at < bytes.length; at += size)
      text += converter.push(bytes.subarray(at, at + size)).toString();
    expect(text + converter.end().toString()).toBe(expected);
  });

  test("an exception becomes an error event", () => {
    const thrown = message(
      { ":message-type": "exception", ":exception-type": "throttlingException" },
      '{"message":"slow down"}',
    );
    expect(createEventStreamConverter().push(thrown).toString()).toContain("throttlingException: slow down");
  });

  test("broken or cut bytes are not taken for an answer", () => {
    const broken = Buffer.from(bytes);
    broken[30] = (broken[30] ?? 0) ^ 1;
    expect(() => createEventStreamConverter().push(broken)).toThrow();
    const cut = createEventStreamConverter();
    cut.push(bytes.subarray(0, -3));
    expect(() => cut.end()).toThrow();
  });
});

test("a request loses model and stream, and gains version and betas", () => {
  const body = Buffer.from('{"model":"x","stream":true,"max_tokens":5,"unknown":{"a":1}}');
  const made = bedrockRequest(body, "one-2026, two");
  expect(made?.operation).toBe("invoke-with-response-stream");
  expect(JSON.parse(made?.body.toString() ?? "")).toEqual({
    anthropic_version: "bedrock-2023-05-31",
    max_tokens: 5,
    unknown: { a: 1 },
    anthropic_beta: ["one-2026", "two"],
  });
  expect(bedrockRequest(Buffer.from("[1]"), undefined)).toBeNull();
});

test("a signature covers the call", async () => {
  const sign = (body: string) =>
    signAws({
      url: "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-v2:0/invoke",
      method: "POST",
      body: Buffer.from(body),
      credentials: {
        accessKeyId: "AKID",
        secretAccessKey: "secret",
        sessionToken: "token",
        region: "us-east-1",
      },
      at: new Date("2026-01-02T03:04:05.678Z"),
    });
  const headers = await sign("{}");
  expect(headers["authorization"]).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKID\/20260102\/us-east-1\/bedrock\/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=[0-9a-f]{64}$/,
  );
  expect(headers["x-amz-date"]).toBe("20260102T030405Z");
  expect((await sign('{"a":1}'))["authorization"]).not.toBe(headers["authorization"]);
});
