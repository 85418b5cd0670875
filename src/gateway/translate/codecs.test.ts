import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Untranslatable } from "../pipeline/translation.ts";
import { UNKNOWN_USAGE } from "../usage/usage.ts";
import { answerOf, eventsOf, type Answer } from "./answer.ts";
import type { Codec, Stamp } from "./codec.ts";
import { CODECS } from "./codecs.ts";
import {
  NO_SAMPLING,
  type AssistantPart,
  type Conversation,
  type Source,
  type Tool,
  type Turn,
  type UserPart,
} from "./conversation.ts";
import { createEventSplitter } from "./server-sent-events.ts";

/*
 * What every dialect has to keep: a conversation or an answer that is written in it and read back means the same. As all
 * translations go through the neutral form, this holds every direction together.
 */
const codecs = Object.values(CODECS).map((codec): [string, Codec] => [codec.spoken, codec]);
const STAMP: Stamp = { id: "0123456789abcdef", createdAt: 1_700_000_000 };

const word = fc.constantFrom(
  "Hallo",
  "日本語",
  "a\nb",
  "data: x\n\n",
  '{"quoted":"\\"}',
  "🙂",
  "a\u2028b",
  "end ",
);
const text = fc.record({
  type: fc.constant("text" as const),
  text: fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(" ")),
});
const source = fc.constantFrom<Source>(
  { kind: "base64", mediaType: "image/png", data: "iVBORw0KGgo=" },
  { kind: "url", url: "https://example.com/a.png", mediaType: null },
);
const image = source.map((from) => ({ type: "image" as const, source: from, detail: null }));
const json = fc.dictionary(
  fc.constantFrom("path", "q", "日本"),
  fc.oneof(word, fc.integer(), fc.constant(null), fc.array(word, { maxLength: 2 })),
);
const NAMES = ["read_file", "mcp__fs__list", "x"] as const;
const tool = (name: string): Tool => ({
  name,
  description: `Does ${name}`,
  schema: { type: "object", properties: { path: { type: "string" } } },
  strict: null,
  takes: "json",
  group: null,
});

/** What the user says, what the assistant does, and the results of its calls. */
const exchange = fc
  .record({
    said: fc.array(fc.oneof(text, image), { minLength: 1, maxLength: 3 }),
    answer: fc.option(text, { nil: null }),
    calls: fc.array(
      fc.record({
        name: fc.constantFrom(...NAMES),
        input: json,
        result: text,
        shows: fc.option(image, { nil: null }),
      }),
      { maxLength: 3 },
    ),
  })
  .filter(({ answer, calls }) => answer !== null || calls.length > 0);

const turns = fc.array(exchange, { minLength: 1, maxLength: 3 }).map((exchanges) =>
  exchanges.flatMap(({ said, answer, calls }, round): Turn[] => [
    { role: "user", parts: said },
    {
      role: "assistant",
      parts: [
        ...(answer === null ? [] : [answer]),
        ...calls.map(({ name, input }, index) => ({
          type: "tool_call" as const,
          id: `call_${round}_${index}`,
          name,
          input: JSON.stringify(input),
        })),
      ],
    },
    ...(calls.length === 0
      ? []
      : [
          {
            role: "user" as const,
            parts: calls.map(({ result, shows }, index) => ({
              type: "tool_result" as const,
              callId: `call_${round}_${index}`,
              content: shows === null ? [result] : [result, shows],
              isError: false,
            })),
          },
        ]),
  ]),
);

const conversation = fc.record({
  from: fc.constant("messages" as const),
  model: fc.constant("some-model"),
  stream: fc.boolean(),
  streamUsage: fc.constant(true),
  system: fc.array(text, { maxLength: 1 }),
  turns,
  tools: fc.constant(NAMES.map(tool)),
  toolChoice: fc.constantFrom<Conversation["toolChoice"]>(
    null,
    { type: "auto" },
    { type: "any" },
    { type: "none" },
    { type: "tool", name: "x" },
  ),
  parallelTools: fc.constant(null),
  maxTokens: fc.integer({ min: 16, max: 9_000 }),
  stop: fc.constant([]),
  sampling: fc.constantFrom(NO_SAMPLING, { ...NO_SAMPLING, temperature: 0.5 }),
  thinking: fc.constant(null),
  format: fc.constant(null),
  verbosity: fc.constant(null),
  cacheKey: fc.constant(null),
} satisfies { [Key in keyof Conversation]: fc.Arbitrary<Conversation[Key]> });

/** What must not be lost, apart from where one turn ends and the next begins, and where images of results stand. */
function meaningOf({ turns: all, ...rest }: Conversation): object {
  const items = all.flatMap(({ role, parts }) =>
    parts.flatMap((part): unknown[] => {
      switch (part.type) {
        case "text":
          return [`${role}: ${part.text}`];
        case "image":
        case "file":
          return [];
        case "thinking":
          return [];
        case "tool_call":
          return [{ call: part.id, name: part.name, input: JSON.parse(part.input) as unknown }];
        case "tool_result":
          return [
            {
              result: part.callId,
              text: part.content.flatMap((one) => (one.type === "text" ? [one.text] : [])).join("\n"),
            },
          ];
      }
    }),
  );
  const images = all
    .flatMap(({ parts }): readonly (UserPart | AssistantPart)[] => parts)
    .flatMap((one): readonly (UserPart | AssistantPart)[] =>
      one.type === "tool_result" ? one.content : [one],
    )
    .filter(({ type }) => type === "image");
  return {
    items: items.filter((item) => typeof item !== "string" || !item.startsWith("user: From the result of")),
    images: images
      .map((one) =>
        one.type === "image" ? (one.source.kind === "url" ? one.source.url : one.source.data) : "",
      )
      .sort(),
    ...rest,
    system: rest.system.map((one) => one.text).join(""),
    from: null,
    streamUsage: null,
    tools: rest.tools.map((one) => ({ ...one, strict: one.strict ?? false })),
  };
}

const part = fc.oneof(
  text,
  fc.record({ name: fc.constantFrom(...NAMES), input: json }).map(({ name, input }) => ({
    type: "tool_call" as const,
    id: "",
    name,
    input: JSON.stringify(input),
  })),
);
const answer: fc.Arbitrary<Answer> = fc
  .record({
    parts: fc.array(part, { minLength: 1, maxLength: 4 }),
    cached: fc.nat(50),
    reasoning: fc.nat(20),
  })
  .map(({ parts, cached, reasoning }) => ({
    id: "id1",
    model: "some-model",
    // Calls come last, as in every dialect that keeps them apart from the text.
    parts: [
      ...parts.filter(({ type }) => type === "text").slice(0, 1),
      ...parts
        .filter((one) => one.type === "tool_call")
        .map((one, index) => ({ ...one, id: `call_${index}` })),
    ],
    stop: parts.some(({ type }) => type === "tool_call") ? ("tool" as const) : ("end" as const),
    stopSequence: null,
    usage: { ...UNKNOWN_USAGE, input: 100 + cached, output: 30, cacheRead: cached, reasoning },
  }))
  .filter(({ parts }) => parts.length > 0);

function meaningOfAnswer({ parts, stop, usage, model }: Answer): object {
  return {
    parts: parts.map((one) =>
      one.type === "tool_call" ? { ...one, input: JSON.parse(one.input) as unknown } : one,
    ),
    stop,
    model,
    usage: [usage.input, usage.output, usage.cacheRead, usage.reasoning],
  };
}

const asked: Conversation = {
  from: "messages",
  model: "some-model",
  stream: true,
  streamUsage: true,
  system: [],
  turns: [],
  tools: NAMES.map(tool),
  toolChoice: null,
  parallelTools: null,
  maxTokens: 100,
  stop: [],
  sampling: NO_SAMPLING,
  thinking: null,
  format: null,
  verbosity: null,
  cacheKey: null,
};

const FIELDS = [
  ...["messages", "input", "contents", "tools", "tool_choice", "toolConfig", "system", "systemInstruction"],
  ...[
    "instructions",
    "thinking",
    "reasoning",
    "generationConfig",
    "response_format",
    "text",
    "stop",
    "stream",
  ],
] as const;
/** Objects with the fields of all dialects, filled with anything. */
const shapes = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.jsonValue({ maxDepth: 1 }),
    tie("object"),
    fc.array(tie("object"), { maxLength: 3 }),
  ),
  object: fc.dictionary(
    fc.constantFrom(
      ...[
        "type",
        "role",
        "content",
        "parts",
        "text",
        "index",
        "delta",
        "item",
        "output",
        "choices",
        "tool_calls",
      ],
      ...[
        "function",
        "name",
        "arguments",
        "id",
        "call_id",
        "source",
        "data",
        "candidates",
        "finish_reason",
        "usage",
      ],
    ),
    fc.oneof(
      tie("value"),
      fc.constantFrom(
        "user",
        "assistant",
        "tool",
        "text",
        "message",
        "function",
        "function_call",
        "content_block_start",
      ),
      fc.constantFrom(
        "response.output_item.done",
        "response.completed",
        "content_block_delta",
        "message_stop",
      ),
    ),
    { maxKeys: 5 },
  ),
})).object;

describe.each(codecs)("%s", (_, codec) => {
  test("keeps the meaning of a conversation", () => {
    fc.assert(
      fc.property(conversation, (said) => {
        const { body, operation } = codec.writeRequest(said);
        const read = codec.readRequest(JSON.parse(JSON.stringify(body)), {
          model: said.model,
          operation,
          query: "?alt=sse",
        });
        expect(meaningOf(read)).toEqual(meaningOf(said));
      }),
      { numRuns: 200 },
    );
  });

  test("keeps the meaning of an answer", () => {
    fc.assert(
      fc.property(answer, (said) => {
        const document = JSON.parse(JSON.stringify(codec.writeAnswer(said, asked, STAMP))) as Record<
          string,
          unknown
        >;
        expect(meaningOfAnswer(codec.readAnswer(document))).toEqual(meaningOfAnswer(said));
      }),
      { numRuns: 200 },
    );
  });

  test("keeps the meaning of a stream, wherever its bytes are cut", () => {
    fc.assert(
      fc.property(
        answer,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 }),
        (said, cuts) => {
          const writer = codec.createStreamWriter(asked, STAMP);
          const bytes = Buffer.from(eventsOf(said).map(writer.push).join(""));
          const splitter = createEventSplitter();
          const reader = codec.createStreamReader();
          const places = [
            0,
            ...cuts.map((cut) => Math.floor(cut * bytes.length)).sort((a, b) => a - b),
            bytes.length,
          ];
          const events = places
            .slice(1)
            .flatMap((end, index) => splitter.push(bytes.subarray(places[index], end)));
          const read = answerOf([...[...events, ...splitter.end()].flatMap(reader.push), ...reader.end()]);
          expect(read === null ? null : meaningOfAnswer(read)).toEqual(meaningOfAnswer(said));
        },
      ),
      { numRuns: 200 },
    );
  });

  test("passes over what it does not know", () => {
    const reader = codec.createStreamReader();
    for (const data of [
      '{"type":"ping"}',
      '{"type":"something_new","index":0,"delta":{}}',
      "{}",
      '{"choices":[]}',
    ])
      expect(reader.push({ event: null, data }).filter(({ type }) => type !== "start")).toEqual([]);
    expect(reader.end()).toEqual([]);
  });

  test("refuses what it cannot read, and never breaks over it", () => {
    const own = { messages: [], contents: [], input: "hi", max_tokens: 1 };
    const field = fc.constantFrom(...FIELDS);
    const wrong = fc.dictionary(field, fc.oneof(fc.jsonValue({ maxDepth: 4 }), shapes), { maxKeys: 4 });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          wrong.map((fields) => ({ ...own, ...fields })),
        ),
        (body) => {
          try {
            const read = codec.readRequest(body, { model: "m", operation: null, query: "" });
            for (const other of Object.values(CODECS)) other.writeRequest(read);
          } catch (error) {
            expect(error).toBeInstanceOf(Untranslatable);
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test("reads any JSON in a stream without breaking", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.jsonValue({ maxDepth: 5 }), shapes), { maxLength: 5 }), (values) => {
        const reader = codec.createStreamReader();
        const writer = codec.createStreamWriter(asked, STAMP);
        const events = [
          ...values.flatMap((value) => reader.push({ event: null, data: JSON.stringify(value) })),
          ...reader.end(),
        ];
        expect(() => events.map(writer.push)).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });
});
