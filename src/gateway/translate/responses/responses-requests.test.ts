import { describe, expect, test } from "vitest";
import { PNG, SCHEMA, answer, hello, request } from "../requests-fixture.ts";

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
