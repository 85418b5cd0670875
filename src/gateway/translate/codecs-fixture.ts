import fc from "fast-check";
import { UNKNOWN_USAGE } from "../usage/usage.ts";
import type { Answer } from "./answer.ts";
import { NO_SAMPLING, type Conversation, type Source, type Tool, type Turn } from "./conversation.ts";

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
export const NAMES = ["read_file", "mcp__fs__list", "x"] as const;
export const tool = (name: string): Tool => ({
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

export const conversation = fc.record({
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

const part = fc.oneof(
  text,
  fc.record({ name: fc.constantFrom(...NAMES), input: json }).map(({ name, input }) => ({
    type: "tool_call" as const,
    id: "",
    name,
    input: JSON.stringify(input),
  })),
);
export const answer: fc.Arbitrary<Answer> = fc
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

export const FIELDS = [
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
export const shapes = fc.letrec((tie) => ({
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
