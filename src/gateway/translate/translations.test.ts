import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { streamText } from "../../../test/support/model-server.ts";
import { systemClock, systemRandom } from "../../base/index.ts";
import { Untranslatable } from "../pipeline/translation.ts";
import { createEventSplitter } from "./server-sent-events.ts";
import { createTranslations } from "./translations.ts";
import type { Spoken } from "./conversation.ts";

const find = createTranslations({ clock: systemClock, random: systemRandom });
const STREAM = { "content-type": "text/event-stream" };
const DOCUMENT = { "content-type": "application/json" };

function open(from: Spoken, to: Spoken, body: object, model = "some-model") {
  const translation = find(from, to);
  if (translation === null) throw new Error(`no translation from ${from} to ${to}`);
  return translation(Buffer.from(JSON.stringify(body)), { model, operation: null, query: "" });
}

const requestOf = (from: Spoken, to: Spoken, body: object, model?: string): unknown =>
  JSON.parse(open(from, to, body, model).body.toString());

const hello = { messages: [{ role: "user", content: "hi" }], max_tokens: 10 };

/** The answer as the caller gets it, the provider's bytes cut at the given places. */
function answered(
  from: Spoken,
  to: Spoken,
  text: string,
  options: { body?: object; status?: number; streams?: boolean; cuts?: readonly number[] } = {},
): string {
  const { body = hello, status = 200, streams = true, cuts = [] } = options;
  const converter = open(from, to, body).answer(status, streams ? STREAM : DOCUMENT);
  const bytes = Buffer.from(text);
  const places = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  const out = places.slice(1).map((end, index) => converter.push(bytes.subarray(places[index], end)));
  return Buffer.concat([...out, converter.end()]).toString();
}

function eventsIn(text: string): readonly Record<string, unknown>[] {
  const splitter = createEventSplitter();
  return [...splitter.push(Buffer.from(text)), ...splitter.end()]
    .filter(({ data }) => data !== "[DONE]")
    .map(({ data }) => JSON.parse(data) as Record<string, unknown>);
}

const chunk = (delta: object, finish: string | null = null, more: object = {}): string =>
  `data: ${JSON.stringify({ id: "chatcmpl-1", model: "m", choices: [{ index: 0, delta, finish_reason: finish }], ...more })}\n\n`;
const call = (index: number, text: string, head: { id: string; name: string } | null = null): string =>
  chunk({
    tool_calls: [
      {
        index,
        ...(head === null ? {} : { id: head.id, type: "function" }),
        function: { ...(head === null ? {} : { name: head.name }), arguments: text },
      },
    ],
  });
const CHAT_USAGE = {
  prompt_tokens: 100,
  completion_tokens: 20,
  prompt_tokens_details: { cached_tokens: 40 },
  completion_tokens_details: { reasoning_tokens: 5 },
};
const CHAT_STREAM = [
  chunk({ role: "assistant", content: "" }),
  chunk({ reasoning_content: "Ich denke, " }),
  chunk({ reasoning_content: "日本" }),
  chunk({ content: "Grüße" }),
  chunk({ content: " dir" }),
  call(0, "", { id: "call_a", name: "read" }),
  call(0, '{"path":'),
  call(1, '{"x"', { id: "call_b", name: "list" }),
  call(0, '"a.txt"}'),
  call(1, ":1}"),
  chunk({}, "tool_calls"),
  `data: ${JSON.stringify({ id: "chatcmpl-1", model: "m", choices: [], usage: CHAT_USAGE })}\n\n`,
  "data: [DONE]\n\n",
].join("");

describe("a chat stream for a caller of messages", () => {
  const body = { ...hello, stream: true };
  test("becomes blocks one after another, parallel calls included, with usage at its end", () => {
    const events = eventsIn(answered("messages", "chat_completions", CHAT_STREAM, { body }));
    const starts = events.filter(({ type }) => type === "content_block_start");
    expect(starts.map((event) => event["content_block"])).toEqual([
      { type: "thinking", thinking: "", signature: "" },
      { type: "text", text: "" },
      { type: "tool_use", id: "call_a", name: "read", input: {} },
      { type: "tool_use", id: "call_b", name: "list", input: {} },
    ]);
    const written = (index: number): string =>
      events
        .filter((event) => event["index"] === index && event["type"] === "content_block_delta")
        .map(({ delta }) =>
          Object.values(delta as object)
            .slice(1)
            .join(""),
        )
        .join("");
    expect(written(0)).toMatch(/^Ich denke, 日本miyabi\.1\./);
    expect([1, 2, 3].map(written)).toEqual(["Grüße dir", '{"path":"a.txt"}', '{"x":1}']);
    // One block at a time.
    const order = events.flatMap(({ type, index }) =>
      type === "content_block_start" || type === "content_block_stop"
        ? [`${String(index)} ${String(type)}`]
        : [],
    );
    expect(order).toEqual(
      [0, 1, 2, 3].flatMap((index) => [`${index} content_block_start`, `${index} content_block_stop`]),
    );
    expect(events.at(-2)).toMatchObject({
      type: "message_delta",
      delta: { stop_reason: "tool_use" },
      usage: {
        input_tokens: 60,
        cache_read_input_tokens: 40,
        output_tokens: 20,
        output_tokens_details: { thinking_tokens: 5 },
      },
    });
    expect(events.at(-1)).toEqual({ type: "message_stop" });
  });

  test("is the same wherever the bytes are cut", () => {
    const whole = answered("messages", "chat_completions", CHAT_STREAM, { body }).replaceAll(/msg_\w+/g, "");
    const length = Buffer.byteLength(CHAT_STREAM);
    fc.assert(
      fc.property(fc.array(fc.nat(length), { maxLength: 30 }), (cuts) => {
        const cut = answered("messages", "chat_completions", CHAT_STREAM, { body, cuts });
        expect(cut.replaceAll(/msg_\w+/g, "")).toBe(whole);
      }),
      { numRuns: 50 },
    );
  });

  test("is a document where the caller wants one", () => {
    expect(JSON.parse(answered("messages", "chat_completions", CHAT_STREAM))).toMatchObject({
      type: "message",
      content: [
        { type: "thinking", thinking: "Ich denke, 日本" },
        { type: "text", text: "Grüße dir" },
        { type: "tool_use", id: "call_a", name: "read", input: { path: "a.txt" } },
        { type: "tool_use", id: "call_b", name: "list", input: { x: 1 } },
      ],
      stop_reason: "tool_use",
    });
  });

  test("without an end is an error, without [DONE] it is none", () => {
    const cut = CHAT_STREAM.slice(0, CHAT_STREAM.indexOf('"finish_reason":"tool_calls"') - 200);
    expect(() => answered("messages", "chat_completions", cut, { body })).toThrow("without its end");
    const undone = CHAT_STREAM.replace("data: [DONE]\n\n", "");
    expect(answered("messages", "chat_completions", undone, { body })).toContain("message_stop");
  });

  test("that fails in the middle ends with an error of the caller's dialect", () => {
    const failing = `${chunk({ content: "a" })}data: {"error":{"message":"Too many","type":"rate_limit_exceeded"}}\n\n`;
    const events = eventsIn(answered("messages", "chat_completions", failing, { body }));
    expect(events.at(-1)).toEqual({
      type: "error",
      error: { type: "rate_limit_error", message: "Too many" },
    });
    expect(() => answered("messages", "chat_completions", failing)).toThrow();
  });
});

describe("servers that speak a dialect loosely", () => {
  const body = { ...hello, stream: true };
  const contentOf = (text: string): unknown =>
    (JSON.parse(answered("messages", "chat_completions", text)) as { content: unknown }).content;

  test("number their calls otherwise, or not at all", () => {
    const both = [
      { type: "tool_use", id: "a", name: "read", input: { x: 1 } },
      { type: "tool_use", id: "b", name: "list", input: {} },
    ];
    const made = (index: number | null, id: string, name: string, text: string): string =>
      chunk({
        tool_calls: [{ ...(index === null ? {} : { index }), id, function: { name, arguments: text } }],
      });
    const end = chunk({}, "stop");
    // Every call at the same place; the id in every piece.
    const same = made(0, "a", "read", '{"x":') + made(0, "a", "", "1}") + made(0, "b", "list", "{}") + end;
    const unnumbered = made(null, "a", "read", '{"x":1}') + made(null, "b", "list", "") + end;
    expect(contentOf(same)).toEqual(both);
    expect(contentOf(unnumbered)).toEqual(both);
    expect(answered("messages", "chat_completions", same, { body })).toContain('"stop_reason":"tool_use"');
  });

  test("think in another field, tell usage with their last words, and speak after their calls", () => {
    const text =
      chunk({ reasoning: "hm" }) +
      call(0, "{}", { id: "a", name: "read" }) +
      chunk({ content: "Reading." }, "tool_calls", { usage: CHAT_USAGE });
    expect(contentOf(text)).toMatchObject([
      { type: "thinking", thinking: "hm" },
      { type: "tool_use", id: "a" },
      { type: "text", text: "Reading." },
    ]);
    expect(answered("messages", "chat_completions", text, { body })).toContain('"input_tokens":60');
  });

  test("tell an answer of responses with its last event only", () => {
    const output = [
      { type: "message", content: [{ type: "output_text", text: "Hi" }] },
      { type: "function_call", call_id: "a", name: "read", arguments: "{}" },
    ];
    const event = {
      type: "response.completed",
      response: { id: "resp_1", model: "m", status: "completed", output },
    };
    const text = `data: ${JSON.stringify(event)}\n\n`;
    expect(JSON.parse(answered("messages", "responses", text))).toMatchObject({
      content: [
        { type: "text", text: "Hi" },
        { type: "tool_use", id: "a" },
      ],
      stop_reason: "tool_use",
    });
  });

  test("answer with a document where a stream was asked for", () => {
    const document = {
      id: "c",
      model: "m",
      choices: [{ message: { content: "Hi" }, finish_reason: "stop" }],
    };
    const text = answered("messages", "chat_completions", JSON.stringify(document), { body, streams: false });
    expect(eventsIn(text).map(({ type }) => type)).toEqual([
      "message_start",
      "content_block_start",
      "content_block_delta",
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
  });
});

test.each([
  ["chat_completions", "messages", "/v1/messages"],
  ["messages", "chat_completions", "/v1/chat/completions"],
] as const)("a stream for %s of %s has all its text", (from, to, path) => {
  const text = answered(from, to, streamText(path, "m"), { body: { ...hello, stream: true } });
  const deltas = eventsIn(text).flatMap((event) =>
    from === "messages"
      ? [(event["delta"] as { text?: string } | undefined)?.text ?? ""]
      : [(event["choices"] as { delta: { content?: string } }[])[0]?.delta.content ?? ""],
  );
  expect(deltas.join("")).toBe(from === "messages" ? "Hello" : 'Grüße 日本\\"usage\\"');
});

describe("errors", () => {
  test("of a provider keep its words and get the caller's shape", () => {
    const anthropic = '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}';
    const to = (from: Spoken, body: string, status: number, provider: Spoken): unknown =>
      JSON.parse(answered(from, provider, body, { status, streams: false }));
    expect(to("chat_completions", anthropic, 529, "messages")).toEqual({
      error: { message: "Overloaded", type: "server_error", param: null, code: "server_is_overloaded" },
    });
    const openai =
      '{"error":{"message":"No such model","type":"invalid_request_error","code":"model_not_found","param":"model"}}';
    expect(to("messages", openai, 404, "chat_completions")).toEqual({
      type: "error",
      error: { type: "not_found_error", message: "No such model" },
    });
    expect(to("messages", "<html>", 502, "chat_completions")).toMatchObject({
      error: { type: "api_error", message: "The provider answered 502." },
    });
  });

  test("of a conversation that is too long are known by the words that clients look for", () => {
    const openai =
      '{"error":{"message":"This model\'s maximum context length is 128000 tokens.","code":"context_length_exceeded"}}';
    const anthropic =
      '{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 2 tokens > 1"}}';
    expect(answered("messages", "chat_completions", openai, { status: 400, streams: false })).toContain(
      "prompt is too long",
    );
    expect(answered("chat_completions", "messages", anthropic, { status: 400, streams: false })).toContain(
      '"code":"context_length_exceeded"',
    );
  });

  test.each([
    ["chat_completions", { n: 2 }, /^n:/],
    ["chat_completions", { logit_bias: { 1: 1 } }, /^logit_bias:/],
    ["chat_completions", { frequency_penalty: 1 }, /^frequency_penalty:/],
    ["chat_completions", { response_format: { type: "json_object" } }, /^response_format/],
    [
      "chat_completions",
      { messages: [{ role: "user", content: [{ type: "input_audio" }] }] },
      /^messages\.0\.content\.0\.type "input_audio"/,
    ],
    ["chat_completions", { messages: 1 }, /^messages: /],
    ["messages", { mcp_servers: [{}] }, /^mcp_servers:/],
    [
      "messages",
      { tools: [{ type: "web_search_20250305", name: "web_search" }] },
      /^tools\.0 "web_search_20250305"/,
    ],
    ["messages", { messages: [{ role: "user", content: [{ type: "hologram" }] }] }, /"hologram"/],
  ] as const)("%s with %j says what cannot be carried", (from, more, message) => {
    const to = from === "messages" ? "chat_completions" : "messages";
    const ask = (): unknown => requestOf(from, to, { ...hello, ...more });
    expect(ask).toThrow(Untranslatable);
    expect(ask).toThrow(message);
  });

  test("of a body that is no JSON, or has no end of nesting", () => {
    const translation = find("messages", "chat_completions");
    expect(() => translation?.(Buffer.from("{"), { model: "m", operation: null, query: "" })).toThrow(
      "not JSON",
    );
  });
});
