import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { installClient, openClientBench, type ClientBench } from "../support/client-bench.ts";
import { SCRIPTED_USAGE, type ModelAction } from "../support/scripted-model.ts";
import { PROVIDERS, type Speaks } from "./providers.ts";

// A conversation with a tool, as the vendors' own SDKs hold it: ask, call the tool, hand its result back, read the answer.

const COMMAND = "echo hello";
const RESULT = "hello";
const ANSWER = "All done.";
const SCRIPT: readonly ModelAction[] = [{ shell: COMMAND }, { say: ANSWER }];
const PROMPT = "Run the command.";
const PARAMETERS = {
  type: "object" as const,
  properties: { command: { type: "string" } },
  required: ["command"],
};

/** What came out of it. */
interface Held {
  readonly command: string;
  readonly answer: string;
  /** Tokens of both calls, as the SDK was told. */
  readonly input: number;
  readonly output: number;
}

type Hold = (bench: ClientBench, model: string, stream: boolean) => Promise<Held>;

const shellInput = z.object({ command: z.string() });

const overMessages: Hold = async (bench, model, stream) => {
  const client = new Anthropic({ baseURL: bench.gatewayUrl, apiKey: await bench.makeKey(), maxRetries: 0 });
  const ask = (messages: Anthropic.MessageParam[]): Promise<Anthropic.Message> => {
    const body = {
      model,
      max_tokens: 100,
      messages,
      tools: [{ name: "shell", description: "Runs a command", input_schema: PARAMETERS }],
    };
    return stream ? client.messages.stream(body).finalMessage() : client.messages.create(body);
  };
  const messages: Anthropic.MessageParam[] = [{ role: "user", content: PROMPT }];
  const first = await ask(messages);
  const call = first.content.find((block) => block.type === "tool_use");
  if (call === undefined) throw new Error(JSON.stringify(first));
  expect(first.stop_reason).toBe("tool_use");
  messages.push({ role: "assistant", content: first.content });
  messages.push({ role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: RESULT }] });
  const second = await ask(messages);
  expect(second.stop_reason).toBe("end_turn");
  return {
    command: shellInput.parse(call.input).command,
    answer: second.content.map((block) => (block.type === "text" ? block.text : "")).join(""),
    input: first.usage.input_tokens + second.usage.input_tokens,
    output: first.usage.output_tokens + second.usage.output_tokens,
  };
};

const overChat: Hold = async (bench, model, stream) => {
  const client = new OpenAI({
    baseURL: `${bench.gatewayUrl}/v1`,
    apiKey: await bench.makeKey(),
    maxRetries: 0,
  });
  const ask = (messages: OpenAI.ChatCompletionMessageParam[]): Promise<OpenAI.ChatCompletion> => {
    const body = {
      model,
      messages,
      tools: [{ type: "function" as const, function: { name: "shell", parameters: PARAMETERS } }],
    };
    return stream
      ? client.chat.completions
          .stream({ ...body, stream_options: { include_usage: true } })
          .finalChatCompletion()
      : client.chat.completions.create(body);
  };
  const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: PROMPT }];
  const first = await ask(messages);
  const said = first.choices[0]?.message;
  const call = said?.tool_calls?.[0];
  if (said === undefined || call?.type !== "function") throw new Error(JSON.stringify(first));
  expect(first.choices[0]?.finish_reason).toBe("tool_calls");
  messages.push(said, { role: "tool", tool_call_id: call.id, content: RESULT });
  const second = await ask(messages);
  expect(second.choices[0]?.finish_reason).toBe("stop");
  return {
    command: shellInput.parse(JSON.parse(call.function.arguments)).command,
    answer: second.choices[0]?.message.content ?? "",
    input: (first.usage?.prompt_tokens ?? 0) + (second.usage?.prompt_tokens ?? 0),
    output: (first.usage?.completion_tokens ?? 0) + (second.usage?.completion_tokens ?? 0),
  };
};

const overResponses: Hold = async (bench, model, stream) => {
  const client = new OpenAI({
    baseURL: `${bench.gatewayUrl}/v1`,
    apiKey: await bench.makeKey(),
    maxRetries: 0,
  });
  const ask = (input: OpenAI.Responses.ResponseInput): Promise<OpenAI.Responses.Response> => {
    const body = {
      model,
      input,
      tools: [{ type: "function" as const, name: "shell", parameters: PARAMETERS, strict: false }],
    };
    return stream ? client.responses.stream(body).finalResponse() : client.responses.create(body);
  };
  const input: OpenAI.Responses.ResponseInput = [{ role: "user", content: PROMPT }];
  const first = await ask(input);
  const call = first.output.find((item) => item.type === "function_call");
  if (call === undefined) throw new Error(JSON.stringify(first));
  const { type, call_id, name, arguments: words } = call;
  input.push({ type, call_id, name, arguments: words });
  input.push({ type: "function_call_output", call_id, output: RESULT });
  const second = await ask(input);
  expect(second.status).toBe("completed");
  return {
    command: shellInput.parse(JSON.parse(words)).command,
    answer: second.output_text,
    input: (first.usage?.input_tokens ?? 0) + (second.usage?.input_tokens ?? 0),
    output: (first.usage?.output_tokens ?? 0) + (second.usage?.output_tokens ?? 0),
  };
};

/** The ai SDK runs the tool and the second call by itself; one of its packages for each dialect. */
const AI_PACKAGES = {
  openai: "@ai-sdk/openai@4.0.118",
  "openai-chat": "@ai-sdk/openai@4.0.118",
  "openai-compatible": "@ai-sdk/openai-compatible@3.0.92",
  anthropic: "@ai-sdk/anthropic@4.0.105",
  google: "@ai-sdk/google@4.0.121",
} as const;

const held = z.object({
  command: z.string(),
  answer: z.string(),
  input: z.number(),
  output: z.number(),
});

const withAiSdk =
  (kind: keyof typeof AI_PACKAGES): Hold =>
  async (bench, model, stream) => {
    const npm = AI_PACKAGES[kind];
    const [ai, provider] = await Promise.all([installClient("ai@7.0.173"), installClient(npm)]);
    const task = {
      modules: { ai, provider },
      package: npm.replace(/@[\d.]+$/, ""),
      kind,
      baseURL: `${bench.gatewayUrl}/${kind === "google" ? "v1beta" : "v1"}`,
      model,
      stream,
      prompt: PROMPT,
      result: RESULT,
    };
    const program = `${import.meta.dirname}/../support/ai-sdk.mjs`;
    const key = await bench.makeKey();
    const run = await bench.run([process.execPath, program, JSON.stringify(task)], { GATEWAY_KEY: key });
    expect(run.code, run.stderr).toBe(0);
    return held.parse(JSON.parse(run.stdout));
  };

const CASES: readonly (readonly [string, string, string, Speaks, Hold])[] = [
  ["@anthropic-ai/sdk", "claude-sonnet-5", "messages", "everything", overMessages],
  ["@anthropic-ai/sdk", "gpt-5", "messages", "chat completions only", overMessages],
  ["@anthropic-ai/sdk", "gpt-5", "messages", "responses only", overMessages],
  ["openai", "gpt-5", "chat_completions", "everything", overChat],
  ["openai", "claude-sonnet-5", "chat_completions", "messages only", overChat],
  ["openai", "gpt-5", "chat_completions", "responses only", overChat],
  ["openai", "gpt-5", "responses", "everything", overResponses],
  ["openai", "gpt-5", "responses", "chat completions only", overResponses],
  ["openai", "claude-sonnet-5", "responses", "messages only", overResponses],
  ["ai with openai", "gpt-5", "responses", "everything", withAiSdk("openai")],
  ["ai with openai", "claude-sonnet-5", "responses", "messages only", withAiSdk("openai")],
  ["ai with openai.chat", "gpt-5", "chat_completions", "everything", withAiSdk("openai-chat")],
  ["ai with openai-compatible", "gpt-5", "chat_completions", "everything", withAiSdk("openai-compatible")],
  [
    "ai with openai-compatible",
    "claude-sonnet-5",
    "chat_completions",
    "messages only",
    withAiSdk("openai-compatible"),
  ],
  ["ai with anthropic", "claude-sonnet-5", "messages", "everything", withAiSdk("anthropic")],
  ["ai with anthropic", "gpt-5", "messages", "chat completions only", withAiSdk("anthropic")],
  ["ai with google", "gemini-2.5-pro", "generate_content", "everything", withAiSdk("google")],
  ["ai with google", "gpt-5", "generate_content", "chat completions only", withAiSdk("google")],
];

describe.each(CASES)("%s asks %s over %s, of a provider of %s", (_name, model, endpoint, speaks, hold) => {
  test.each([
    ["streaming", true],
    ["whole", false],
  ])("%s", async (_form, stream) => {
    const bench = await openClientBench(PROVIDERS[speaks], SCRIPT);
    onTestFinished(bench.cleanUp);
    expect(bench.support(endpoint)).toBe(speaks === "everything" ? "native" : "translated");
    expect(await hold(bench, model, stream)).toEqual({
      command: COMMAND,
      answer: ANSWER,
      input: 2 * SCRIPTED_USAGE.input,
      output: 2 * SCRIPTED_USAGE.output,
    });
    expect(await bench.ledger()).toEqual(
      [0, 1].map(() => expect.objectContaining({ status: 200, ...SCRIPTED_USAGE })),
    );
  });
});
