import { describe, expect, test } from "vitest";
import { PNG, SCHEMA, answer, hello, request } from "../requests-fixture.ts";

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
