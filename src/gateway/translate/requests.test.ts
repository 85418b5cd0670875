import { describe, expect, test } from "vitest";
import { systemClock, systemRandom } from "../../base/index.ts";
import { Untranslatable } from "../pipeline/translation.ts";
import type { Spoken } from "./conversation.ts";
import { withoutForeignProofs } from "./foreign-proofs.ts";
import { createTranslations } from "./translations.ts";

const find = createTranslations({ clock: systemClock, random: systemRandom });

function open(from: Spoken, to: Spoken, body: object, model = "some-model") {
  const translated = find(from, to)?.(Buffer.from(JSON.stringify(body)), {
    model,
    operation: "generateContent",
    query: "",
  });
  if (translated === undefined) throw new Error(`no translation from ${from} to ${to}`);
  return translated;
}

const request = (from: Spoken, to: Spoken, body: object, model?: string): unknown =>
  JSON.parse(open(from, to, body, model).body.toString());

function answer(from: Spoken, to: Spoken, body: object, document: object): unknown {
  const converter = open(from, to, body).answer(200, { "content-type": "application/json" });
  converter.push(Buffer.from(JSON.stringify(document)));
  return JSON.parse(converter.end().toString());
}

const PNG = "iVBORw0KGgo=";
const SCHEMA = { type: "object", properties: { path: { type: "string" } } };
const hello = [{ role: "user", content: "hi" }];

describe("messages to chat completions", () => {
  test("keep system, tools, images, results with their errors, and what is said after them", () => {
    const body = {
      max_tokens: 100,
      temperature: 0.3,
      stop_sequences: ["END"],
      system: [
        { type: "text", text: "x-anthropic-billing-header: cch=1" },
        { type: "text", text: "Be short.", cache_control: { type: "ephemeral" } },
      ],
      metadata: { user_id: "u" },
      tools: [
        {
          name: "shot",
          description: "Takes one",
          input_schema: SCHEMA,
          cache_control: { type: "ephemeral" },
        },
      ],
      tool_choice: { type: "any", disable_parallel_tool_use: true },
      messages: [
        {
          role: "user",
          content: [
            { type: "image", source: { type: "base64", media_type: "image/png", data: PNG } },
            { type: "text", text: "Look" },
          ],
        },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "hm", signature: "real" },
            { type: "tool_use", id: "toolu_1", name: "shot", input: { path: "a" } },
            { type: "tool_use", id: "toolu_2", name: "shot", input: {} },
          ],
        },
        {
          role: "user",
          content: [
            {
              type: "tool_result",
              tool_use_id: "toolu_1",
              content: [
                { type: "text", text: "here" },
                { type: "image", source: { type: "url", url: "https://x.test/a.png" } },
              ],
            },
            { type: "tool_result", tool_use_id: "toolu_2", content: "no such file", is_error: true },
            { type: "text", text: "Go on" },
          ],
        },
      ],
    };
    expect(request("messages", "chat_completions", body)).toEqual({
      model: "some-model",
      max_tokens: 100,
      temperature: 0.3,
      stop: ["END"],
      tools: [{ type: "function", function: { name: "shot", description: "Takes one", parameters: SCHEMA } }],
      tool_choice: "required",
      parallel_tool_calls: false,
      messages: [
        { role: "system", content: "Be short." },
        {
          role: "user",
          content: [
            { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } },
            { type: "text", text: "Look" },
          ],
        },
        {
          role: "assistant",
          content: null,
          tool_calls: [
            { id: "toolu_1", type: "function", function: { name: "shot", arguments: '{"path":"a"}' } },
            { id: "toolu_2", type: "function", function: { name: "shot", arguments: "{}" } },
          ],
        },
        { role: "tool", tool_call_id: "toolu_1", content: "here" },
        { role: "tool", tool_call_id: "toolu_2", content: "Error: no such file" },
        {
          role: "user",
          content: [
            { type: "text", text: "From the result of tool call toolu_1:" },
            { type: "image_url", image_url: { url: "https://x.test/a.png" } },
            { type: "text", text: "Go on" },
          ],
        },
      ],
    });
  });

  test("ask OpenAI's thinking models as these want to be asked, and others without the field", () => {
    const body = {
      max_tokens: 9_000,
      temperature: 1,
      thinking: { type: "enabled", budget_tokens: 8_000 },
      messages: hello,
    };
    expect(request("messages", "chat_completions", body, "gpt-5")).toMatchObject({
      max_completion_tokens: 9_000,
      reasoning_effort: "medium",
    });
    expect(request("messages", "chat_completions", body, "gpt-5")).not.toHaveProperty("temperature");
    expect(request("messages", "chat_completions", body, "qwen3")).not.toHaveProperty("reasoning_effort");
  });

  test("give back thinking to the server that thought it, and to no other", () => {
    const thought = {
      id: "c",
      model: "m",
      choices: [{ message: { content: "yes", reasoning_content: "hm" }, finish_reason: "stop" }],
    };
    const said = answer("messages", "chat_completions", { max_tokens: 1, messages: hello }, thought) as {
      content: object[];
    };
    const again = {
      max_tokens: 1,
      messages: [...hello, { role: "assistant", content: said.content }, ...hello],
    };
    expect(request("messages", "chat_completions", again)).toMatchObject({
      messages: [{}, { role: "assistant", content: "yes", reasoning_content: "hm" }, {}],
    });
    const elsewhere = request("messages", "responses", again);
    expect(JSON.stringify(elsewhere)).not.toContain("hm");
    const home = withoutForeignProofs(Buffer.from(JSON.stringify(again))).toString();
    expect(JSON.parse(home)).toMatchObject({
      messages: [{}, { content: [{ type: "text", text: "yes" }] }, {}],
    });
  });
});

describe("chat completions to messages", () => {
  test("have a limit, cache marks where an agent works, and turns that Anthropic takes", () => {
    const body = {
      messages: [
        { role: "system", content: "Be short." },
        { role: "developer", content: "And kind." },
        { role: "user", content: "a" },
        { role: "user", content: "b" },
        {
          role: "assistant",
          content: "",
          tool_calls: [{ id: "call.1", type: "function", function: { name: "read", arguments: '{"path":' } }],
        },
        { role: "tool", tool_call_id: "call.1", content: "ok" },
        { role: "system", content: "Hurry." },
      ],
      tools: [{ type: "function", function: { name: "read" } }],
      tool_choice: { type: "function", function: { name: "read" } },
      temperature: 1.7,
      reasoning_effort: "high",
      seed: 1,
      user: "u",
    };
    const sent = request("chat_completions", "messages", body, "claude-sonnet-4-5") as {
      messages: { content: { id?: string }[] }[];
    };
    const id = sent.messages[1]?.content[0]?.id;
    expect(id).toMatch(/^call_1_\w+$/);
    expect(sent).toEqual({
      model: "claude-sonnet-4-5",
      max_tokens: 32_000,
      // A demanded tool and thinking exclude one another.
      temperature: 1,
      system: [
        { type: "text", text: "Be short." },
        { type: "text", text: "And kind.", cache_control: { type: "ephemeral" } },
      ],
      tools: [{ name: "read", input_schema: { type: "object", properties: {} } }],
      tool_choice: { type: "tool", name: "read" },
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "a" },
            { type: "text", text: "b" },
          ],
        },
        {
          role: "assistant",
          content: [{ type: "tool_use", id, name: "read", input: { input: '{"path":' } }],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: id, content: [{ type: "text", text: "ok" }] },
            {
              type: "text",
              text: "<system-reminder>\nHurry.\n</system-reminder>",
              cache_control: { type: "ephemeral" },
            },
          ],
        },
      ],
    });
  });

  test.each([
    ["claude-sonnet-4-5", { thinking: { type: "enabled", budget_tokens: 16_000 } }],
    ["claude-opus-4-1-20250805", { thinking: { type: "enabled", budget_tokens: 16_000 } }],
    ["claude-opus-4-20250514", { thinking: { type: "enabled", budget_tokens: 16_000 } }],
    ["anthropic.claude-3-7-sonnet-20250219-v1:0", { thinking: { type: "enabled", budget_tokens: 16_000 } }],
    ["claude-opus-4-6", { thinking: { type: "adaptive" }, output_config: { effort: "high" } }],
    ["anthropic/claude-sonnet-5", { thinking: { type: "adaptive" }, output_config: { effort: "high" } }],
  ])("ask %s to think in its own way", (model, fields) => {
    const body = { messages: hello, reasoning_effort: "high", temperature: 0.2 };
    const sent = request("chat_completions", "messages", body, model);
    expect(sent).toMatchObject(fields);
    expect(sent).not.toHaveProperty("temperature");
  });

  test("of instructions alone are asked by the user", () => {
    expect(
      request("chat_completions", "messages", { messages: [{ role: "system", content: "Say hi." }] }),
    ).toMatchObject({
      messages: [{ role: "user", content: [{ type: "text", text: "Say hi." }] }],
    });
  });
});

describe("responses", () => {
  const tools = [
    { type: "namespace", name: "mcp__fs__", tools: [{ type: "function", name: "list", parameters: SCHEMA }] },
    {
      type: "custom",
      name: "apply_patch",
      description: "Patches.",
      format: { type: "grammar", syntax: "lark", definition: "start: x" },
    },
    { type: "web_search" },
  ];
  const body = {
    instructions: "Be short.",
    store: false,
    tools,
    input: [
      { type: "message", role: "developer", content: [{ type: "input_text", text: "And kind." }] },
      { role: "user", content: "hi" },
      { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "sealed by OpenAI" },
      { type: "custom_tool_call", call_id: "c1", name: "apply_patch", input: "*** Begin" },
      { type: "function_call", call_id: "c2", name: "list", namespace: "mcp__fs__", arguments: "{}" },
      { type: "custom_tool_call_output", call_id: "c1", output: "Done" },
      {
        type: "function_call_output",
        call_id: "c2",
        output: [{ type: "input_image", image_url: `data:image/png;base64,${PNG}` }],
      },
      {
        type: "additional_tools",
        role: "developer",
        tools: [{ type: "function", name: "late", parameters: SCHEMA }],
      },
    ],
  };

  test("of Codex keep tools in groups, tools that take text and tools among the input", () => {
    const sent = request("responses", "messages", body) as {
      tools: { name: string; description?: string }[];
    };
    expect(sent.tools.map(({ name }) => name)).toEqual(["mcp__fs__list", "apply_patch", "late"]);
    expect(sent.tools[1]?.description).toContain("start: x");
    expect(sent).toMatchObject({
      system: [{ text: "Be short." }, { text: "And kind." }],
      messages: [
        { role: "user" },
        {
          role: "assistant",
          content: [
            { type: "tool_use", id: "c1", name: "apply_patch", input: { input: "*** Begin" } },
            { type: "tool_use", id: "c2", name: "mcp__fs__list", input: {} },
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "c1", content: [{ type: "text", text: "Done" }] },
            {
              type: "tool_result",
              tool_use_id: "c2",
              content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: PNG } }],
            },
          ],
        },
      ],
    });
  });

  test("get calls of such tools as they named them", () => {
    const document = {
      id: "msg_1",
      model: "m",
      content: [
        { type: "tool_use", id: "c1", name: "apply_patch", input: { input: "*** Begin\n" } },
        { type: "tool_use", id: "c2", name: "mcp__fs__list", input: { path: "." } },
      ],
      stop_reason: "tool_use",
      usage: { input_tokens: 1, output_tokens: 2 },
    };
    expect(answer("responses", "messages", body, document)).toMatchObject({
      object: "response",
      status: "completed",
      output: [
        { type: "custom_tool_call", call_id: "c1", name: "apply_patch", input: "*** Begin\n" },
        {
          type: "function_call",
          call_id: "c2",
          name: "list",
          namespace: "mcp__fs__",
          arguments: '{"path":"."}',
        },
      ],
      usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
    });
  });

  test.each([
    [{ previous_response_id: "resp_1" }, "previous_response_id"],
    [{ conversation: "conv_1" }, "conversation"],
    [{ background: true }, "background"],
    [{ input: [{ type: "item_reference", id: "x" }] }, 'input.0.type "item_reference"'],
    [
      { input: [{ role: "user", content: [{ type: "input_image", file_id: "f" }] }] },
      "input.0.content.0.file_id",
    ],
    [{ input: "hi", tools: [{ type: "file_search" }] }, 'tools.0 "file_search"'],
  ])("with %j cannot be translated", (more, field) => {
    expect(() => request("responses", "messages", { ...body, ...more })).toThrow(field);
  });

  test("cannot be asked for stop sequences, by the field's name of the caller", () => {
    expect(() => request("chat_completions", "responses", { messages: hello, stop: "x" })).toThrow(/^stop:/);
    expect(() =>
      request("messages", "responses", { max_tokens: 1, messages: hello, stop_sequences: ["x"] }),
    ).toThrow(/^stop_sequences:/);
  });

  test("that stopped for length or were refused say so in every dialect", () => {
    const incomplete = {
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
      output: [],
    };
    const ask = { max_tokens: 1, messages: hello };
    expect(answer("messages", "responses", ask, incomplete)).toMatchObject({ stop_reason: "max_tokens" });
    expect(answer("chat_completions", "responses", ask, incomplete)).toMatchObject({
      choices: [{ finish_reason: "length" }],
    });
    const refused = {
      status: "completed",
      output: [{ type: "message", content: [{ type: "refusal", refusal: "No." }] }],
    };
    expect(answer("messages", "responses", ask, refused)).toMatchObject({
      stop_reason: "refusal",
      content: [{ type: "text", text: "No." }],
    });
  });
});

describe("generateContent", () => {
  test("takes schemas, thinking and forced tools of others, and signs calls that were made elsewhere", () => {
    const body = {
      messages: [
        { role: "user", content: "hi" },
        {
          role: "assistant",
          tool_calls: [{ id: "c1", type: "function", function: { name: "read", arguments: "{}" } }],
        },
        { role: "tool", tool_call_id: "c1", content: "ok" },
      ],
      tools: [{ type: "function", function: { name: "read", parameters: SCHEMA } }],
      tool_choice: { type: "function", function: { name: "read" } },
      reasoning_effort: "low",
      response_format: { type: "json_schema", json_schema: { name: "x", schema: SCHEMA } },
    };
    expect(request("chat_completions", "generate_content", body, "gemini-3-pro")).toEqual({
      contents: [
        { role: "user", parts: [{ text: "hi" }] },
        {
          role: "model",
          parts: [
            {
              functionCall: { id: "c1", name: "read", args: {} },
              thoughtSignature: "skip_thought_signature_validator",
            },
          ],
        },
        {
          role: "user",
          parts: [{ functionResponse: { id: "c1", name: "read", response: { output: "ok" } } }],
        },
      ],
      tools: [{ functionDeclarations: [{ name: "read", parametersJsonSchema: SCHEMA }] }],
      toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["read"] } },
      generationConfig: {
        responseMimeType: "application/json",
        responseJsonSchema: SCHEMA,
        thinkingConfig: { includeThoughts: true, thinkingLevel: "low" },
      },
    });
  });

  test("is understood in both spellings, with its own types and calls without ids", () => {
    const body = {
      system_instruction: { parts: [{ text: "Be short." }] },
      generation_config: { max_output_tokens: 50, thinking_config: { thinking_budget: 0 } },
      tools: [
        {
          function_declarations: [
            { name: "read_it", parameters: { type: "OBJECT", properties: { my_path: { type: "STRING" } } } },
          ],
        },
      ],
      contents: [
        { role: "user", parts: [{ text: "hi" }, { inline_data: { mime_type: "image/png", data: PNG } }] },
        {
          role: "model",
          parts: [
            { function_call: { name: "read_it", args: { my_path: "a" } } },
            { function_call: { name: "read_it", args: {} } },
          ],
        },
        {
          role: "user",
          parts: [
            { function_response: { name: "read_it", response: { output: "1" } } },
            { function_response: { name: "read_it", response: { error: "2" } } },
          ],
        },
      ],
    };
    expect(request("generate_content", "messages", body, "claude-sonnet-4-5")).toMatchObject({
      max_tokens: 50,
      system: [{ text: "Be short." }],
      thinking: { type: "disabled" },
      tools: [
        { name: "read_it", input_schema: { type: "object", properties: { my_path: { type: "string" } } } },
      ],
      messages: [
        { content: [{ text: "hi" }, { type: "image", source: { data: PNG } }] },
        { content: [{ id: "call_1_0", input: { my_path: "a" } }, { id: "call_1_1" }] },
        { content: [{ tool_use_id: "call_1_0" }, { tool_use_id: "call_1_1", is_error: true }] },
      ],
    });
  });

  test("keeps Google's signatures through a conversation in another dialect", () => {
    const document = {
      candidates: [
        {
          content: {
            parts: [
              { text: "hm", thought: true },
              { functionCall: { name: "read", args: { path: "a" } }, thoughtSignature: "sig" },
            ],
          },
          finishReason: "STOP",
        },
      ],
    };
    const tools = [{ name: "read", input_schema: SCHEMA }];
    const said = answer(
      "messages",
      "generate_content",
      { max_tokens: 9, messages: hello, tools },
      document,
    ) as {
      content: { type: string; id?: string }[];
      stop_reason: string;
    };
    expect(said.content.map(({ type }) => type)).toEqual(["thinking", "tool_use"]);
    expect(said.stop_reason).toBe("tool_use");
    const result = { type: "tool_result", tool_use_id: said.content[1]?.id, content: "ok" };
    const again = {
      max_tokens: 9,
      tools,
      messages: [...hello, { role: "assistant", content: said.content }, { role: "user", content: [result] }],
    };
    expect(request("messages", "generate_content", again, "gemini-3-pro")).toMatchObject({
      contents: [{}, { parts: [{ functionCall: { name: "read" }, thoughtSignature: "sig" }] }, {}],
    });
  });

  test("that blocks a prompt has refused", () => {
    const blocked = {
      promptFeedback: { blockReason: "SAFETY" },
      usageMetadata: { promptTokenCount: 3, totalTokenCount: 3 },
    };
    expect(answer("chat_completions", "generate_content", { messages: hello }, blocked)).toMatchObject({
      choices: [{ finish_reason: "content_filter" }],
      usage: { prompt_tokens: 3, completion_tokens: 0 },
    });
  });
});

test("names that are too long for a provider come back as they were", () => {
  const name = `mcp__${"a".repeat(70)}__read`;
  const body = { max_tokens: 9, messages: hello, tools: [{ name, input_schema: SCHEMA }] };
  const sent = request("messages", "chat_completions", body) as { tools: { function: { name: string } }[] };
  const short = sent.tools[0]?.function.name ?? "";
  expect(short).toMatch(/^[\w-]{1,64}$/);
  const called = {
    id: "c",
    choices: [
      {
        message: { tool_calls: [{ id: "1", function: { name: short, arguments: "{}" } }] },
        finish_reason: "tool_calls",
      },
    ],
  };
  expect(answer("messages", "chat_completions", body, called)).toMatchObject({
    content: [{ type: "tool_use", name }],
  });
});

test.each([1_000_000, 20_000])("a body of %d levels is refused, or taken", (depth) => {
  const deep = `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
  const body = Buffer.from(`{"contents":[],"system":${deep}}`);
  const ask = (): unknown =>
    find("generate_content", "messages")?.(body, { model: "m", operation: null, query: "" });
  expect(ask).toThrow(Untranslatable);
});
