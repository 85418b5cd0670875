import { describe, expect, test } from "vitest";
import { Untranslatable } from "../pipeline/translation.ts";
import { withoutForeignProofs } from "./foreign-proofs.ts";
import { answer, findTranslation, hello, PNG, request, SCHEMA } from "./requests-fixture.ts";

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
    findTranslation("generate_content", "messages")?.(body, { model: "m", operation: null, query: "" });
  expect(ask).toThrow(Untranslatable);
});
