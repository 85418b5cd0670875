import { beforeAll, describe, expect, test } from "vitest";
import { loadTokenizer, surelyFits, type CountText } from "./count-tokens.ts";
import { trimDialectOf } from "./dialects.ts";
import { findArray } from "./json-array.ts";
import { tokensOf } from "./message-view.ts";
import type { TrimTerms } from "./plan.ts";
import type { TrimDialect } from "./trim-dialect.ts";
import { CLEARED, createTrimBody, type TrimmedBody } from "./trim-body.ts";

let count: CountText;
beforeAll(async () => {
  count = await loadTokenizer();
});

type Part = Record<string, unknown>;

const TERMS: TrimTerms = {
  most: 2_000,
  least: 1_000,
  keepSteps: 1,
  whole: "step",
  noteTokens: 40,
  saving: null,
};
const LONG = "a line of a log that a tool has printed\n".repeat(100);

type Trimmable = "messages" | "chat_completions" | "responses" | "generate_content";

function dialect(name: Trimmable): TrimDialect {
  const found = trimDialectOf(name);
  if (found === null) throw new Error("no dialect");
  return found;
}

function trim(
  name: Trimmable,
  text: string,
  pinned: number[] = [],
  terms: Partial<TrimTerms> = {},
): TrimmedBody | null {
  const body = Buffer.from(text);
  const fields = JSON.parse(text) as Part;
  return createTrimBody(count)({
    body,
    fields,
    dialect: dialect(name),
    terms: { ...TERMS, ...terms },
    pinned: new Set(pinned),
  });
}

const use = (id: string): Part => ({
  role: "assistant",
  content: [
    { type: "thinking", thinking: "hm", signature: "sig==" },
    { type: "tool_use", id, name: "run", input: {} },
  ],
});
const used = (tool_use_id: string, content: unknown): Part => ({
  role: "user",
  content: [
    { type: "tool_result", tool_use_id, content, is_error: false, cache_control: { type: "ephemeral" } },
  ],
});

describe("edits", () => {
  test("of messages change the result alone; every other byte of the request stays", () => {
    const first = `{"role" : "user", "content":"find it", "x":1.0}`;
    const [a, b] = [JSON.stringify(use("t1")), JSON.stringify(used("t1", LONG))];
    const [c, d] = [JSON.stringify(use("t2")), JSON.stringify(used("t2", LONG))];
    const [e, f] = [JSON.stringify(use("t3")), JSON.stringify(used("t3", LONG))];
    const head = `{ "model":"m",  "big": 12345678901234567890, "messages": `;
    const tail = ` , "tools":[{"input_schema":{"minimum":1.0}}]}`;
    const trimmed = trim("messages", `${head}[${[first, a, b, c, d, e, f].join(" , ")}]${tail}`);
    const cleared = (id: string): string => JSON.stringify(used(id, CLEARED));
    expect(trimmed?.body.toString()).toBe(
      `${head}[${[first, a, cleared("t1"), c, cleared("t2"), e, f].join(",")}]${tail}`,
    );
  });

  test("of chat completions and responses keep the ids of calls", () => {
    const chat = {
      messages: [
        { role: "system", content: "be brief" },
        { role: "user", content: "go" },
        ...["c1", "c2", "c3"].flatMap((id) => [
          {
            role: "assistant",
            content: null,
            tool_calls: [{ id, type: "function", function: { name: "f", arguments: "{}" } }],
          },
          { role: "tool", tool_call_id: id, content: LONG },
        ]),
      ],
    };
    const sent = JSON.parse(
      trim("chat_completions", JSON.stringify(chat))?.body.toString() ?? "",
    ) as typeof chat;
    expect(sent.messages[3]).toEqual({ role: "tool", tool_call_id: "c1", content: CLEARED });
    expect(sent.messages.at(-1)).toEqual(chat.messages.at(-1));
    const items = {
      input: [
        { role: "user", content: [{ type: "input_text", text: "go" }] },
        ...["c1", "c2", "c3"].flatMap((call_id) => [
          { type: "reasoning", summary: [], encrypted_content: "xx" },
          { type: "function_call", call_id, name: "f", arguments: "{}" },
          { type: "function_call_output", call_id, output: LONG },
        ]),
      ],
    };
    const out = JSON.parse(trim("responses", JSON.stringify(items))?.body.toString() ?? "") as typeof items;
    expect(out.input[3]).toEqual({ type: "function_call_output", call_id: "c1", output: CLEARED });
    expect(trim("responses", JSON.stringify({ ...items, previous_response_id: "r1" }))).toBeNull();
    expect(trim("responses", '{"input":"a text"}')).toBeNull();
  });

  test("of Gemini's requests replace the answer of a function and nothing beside it", () => {
    const picture = { inlineData: { mimeType: "image/png", data: "A".repeat(9_000) } };
    const call = (id: object, part: object = {}) => ({
      role: "model",
      parts: [{ functionCall: { ...id, name: "read", args: {} }, thoughtSignature: "c2ln", ...part }],
    });
    const answer = (id: object, output: string) => ({
      role: "user",
      parts: [
        { functionResponse: { ...id, name: "read", response: { output }, parts: [picture] } },
        { text: "seen" },
      ],
    });
    const request = {
      systemInstruction: { parts: [{ text: "be brief" }] },
      contents: [
        { role: "user", parts: [{ text: "go" }] },
        ...[{ id: "x" }, { id: "y" }, { id: "z" }].flatMap((id) => [call(id), answer(id, LONG)]),
      ],
      generationConfig: { temperature: 1.0 },
    };
    const cleared = (text: string): string =>
      trim("generate_content", text, [], { most: 4_000, least: 3_500 })?.body.toString() ?? "";
    const sent = JSON.parse(cleared(JSON.stringify(request))) as typeof request;
    expect(sent.contents[2]).toEqual({
      role: "user",
      parts: [
        { functionResponse: { id: "x", name: "read", response: { output: CLEARED } } },
        { text: "seen" },
      ],
    });
    expect(sent).toEqual({
      ...request,
      contents: request.contents.map((one, index) => ([2, 4].includes(index) ? sent.contents[index] : one)),
    });
    const snake = JSON.stringify(request)
      .replaceAll("functionCall", "function_call")
      .replaceAll("functionResponse", "function_response");
    expect(cleared(snake)).toBe(
      JSON.stringify(sent)
        .replaceAll("functionCall", "function_call")
        .replaceAll("functionResponse", "function_response"),
    );
    expect(
      trim("generate_content", JSON.stringify({ ...request, cachedContent: "cachedContents/c1" })),
    ).toBeNull();
  });

  test("of Gemini's requests without ids keep calls and answers together, by name and order", () => {
    const said = "words and words ".repeat(300);
    const step = (name: string, answers: readonly string[]) => [
      {
        role: "model",
        parts: [...answers.map(() => ({ functionCall: { name, args: {} } })), { text: said }],
      },
      {
        role: "user",
        parts: answers.map((output) => ({ functionResponse: { name, response: { output } } })),
      },
    ];
    const request = {
      contents: [
        { role: "user", parts: [{ text: "go" }] },
        // Never answered: the next answer of `read` is not its.
        { role: "model", parts: [{ functionCall: { name: "read", args: {} } }] },
        { role: "user", parts: [{ text: "no, try again" }] },
        ...step("read", [LONG, `${LONG}!`]),
        ...step("read", ["small"]),
        ...step("list", [LONG]),
      ],
    };
    const trimmed = trim("generate_content", JSON.stringify(request), [5, 6]);
    const sent = JSON.parse(trimmed?.body.toString() ?? "") as typeof request;
    expect([...(trimmed?.plan.dropped ?? [])]).toEqual([1, 3, 4]);
    expect(sent.contents[0]?.parts.at(-1)).toMatchObject({ text: expect.stringMatching(/^\[Earlier turns/) });
    expect(sent.contents.slice(1)).toEqual([2, 5, 6, 7, 8].map((index) => request.contents[index]));
  });

  test("name an earlier call of Gemini by its number where it has no id", () => {
    const steps = ["a", "b", "b"].flatMap((what) => [
      { role: "model", parts: [{ functionCall: { name: "read", args: {} } }] },
      {
        role: "user",
        parts: [{ functionResponse: { name: "read", response: { output: `${what} ${LONG}` } } }],
      },
    ]);
    const text = JSON.stringify({ contents: [{ role: "user", parts: [{ text: "go" }] }, ...steps] });
    const saving = { fromTokens: 100, writeFactor: 1.25, advance: 0 };
    const result = trim("generate_content", text, [], { most: 1e6, saving });
    expect(result?.body.toString()).toContain("[The same result as that of call read #2 above.]");
  });

  test("that drop turns say so in the question before the gap, in its own form", () => {
    const long = "words and words ".repeat(400);
    const chat = (content: unknown): string =>
      JSON.stringify({
        messages: [
          { role: "user", content },
          ...["x", "y", "z"].map((id) => ({ role: "assistant", content: long + id })),
        ].flatMap((message, index) =>
          index === 0 ? [message] : [message, { role: "user", content: "go on" }],
        ),
      });
    const asText = trim("chat_completions", chat("start"), [6]);
    expect(asText?.body.toString()).toMatch(/"content":"start\\n\\n\[Earlier turns .*left out/);
    const asParts = trim("chat_completions", chat([{ type: "text", text: "start" }]));
    expect(asParts?.body.toString()).toMatch(/\{"type":"text","text":"\[Earlier turns/);
    expect(asParts?.plan.dropped.size).toBeGreaterThan(0);
  });

  test("that are not needed leave the very same buffer", () => {
    const body = Buffer.from('{"messages":[{"role":"user","content":"hi"}]}');
    const fields = JSON.parse(body.toString()) as Part;
    const made = createTrimBody(count)({
      body,
      fields,
      dialect: dialect("messages"),
      terms: TERMS,
      pinned: new Set(),
    });
    expect(made?.body).toBe(body);
  });
});

describe("counting", () => {
  test("is like the vocabulary's, also for Japanese and words that are special elsewhere", () => {
    expect(count("The quick brown fox")).toBe(4);
    expect(count("<|endoftext|>")).toBeGreaterThan(0);
    const text = "検索の結果がありません。".repeat(500);
    expect(count(text)).toBeGreaterThan(2_000);
    expect(count(text)).toBeLessThan(text.length * 1.3);
  });

  test("of a million of one character, or of one emoji, takes no second", () => {
    const startedMs = performance.now();
    expect(count("a".repeat(1_000_000))).toBeGreaterThan(100_000);
    expect(count("😀".repeat(50_000))).toBeGreaterThan(10_000);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });

  test("takes pictures for what they cost, not for their bytes", () => {
    const picture = { type: "image", source: { type: "base64", data: "A".repeat(500_000) } };
    expect(tokensOf({ role: "user", content: [picture] }, count)).toBeLessThan(2_000);
    const inline = { inlineData: { mimeType: "image/png", data: "A".repeat(500_000) } };
    expect(tokensOf({ role: "user", parts: [inline] }, count)).toBeLessThan(2_000);
    expect(surelyFits(Buffer.from('{"a":"b"}'), 100)).toBe(true);
    expect(surelyFits(Buffer.from('{"type":"image_url"}'), 100)).toBe(false);
  });
});

describe("the place of an array", () => {
  const at = (text: string, field = "messages"): readonly string[] | null => {
    const body = Buffer.from(text);
    return (
      findArray(body, field)?.elements.map(({ start, end }) => body.toString("utf8", start, end)) ?? null
    );
  };

  test("is found at the top level only, whatever stands in texts", () => {
    expect(
      at('{"a":{"messages":[1]},"t":"\\"messages\\":[2]","messages" : [ {"x":"],\\\\"} , [3, 4],"," ,5 ]}'),
    ).toEqual(['{"x":"],\\\\"}', "[3, 4]", '","', "5"]);
    expect(at('{"messages":[]}')).toEqual([]);
    expect(at('{"messages":"text"}')).toBeNull();
    expect(at('{"messages":[1],"messages":[2]}')).toBeNull();
    expect(at('["messages",[1]]')).toBeNull();
    expect(at('{"日本":["あ"],"messages":["い"]}')).toEqual(['"い"']);
  });
});
