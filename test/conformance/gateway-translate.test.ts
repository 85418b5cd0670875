import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createTranslations } from "../../src/gateway/index.ts";
import { systemClock, systemRandom } from "../../src/base/index.ts";
import { createTestDatabase, type TestDatabase } from "../../src/store/testing.ts";
import { ask, RUN_KEY, seedRun, startGateway } from "../support/gateway-under-test.ts";
import { PATHS, THOUGHT, TOOL_USAGE, type ToolDialectName } from "../support/tool-dialects.ts";
import { startToolModel } from "../support/tool-model.ts";

/*
 * The vendors' own clients do a task with two parallel tool calls at models whose providers speak another dialect.
 */
let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  await seedRun(db.database);
});
afterAll(() => db.drop());

/** `both`: a provider of which the settings are given. */
async function setup(both: object = {}) {
  const model = await startToolModel();
  const only = (endpoint: ToolDialectName) => ({
    kind: "openai-compatible",
    baseUrl: `${model.origin}/v1`,
    endpoints: [endpoint],
  });
  const subject = await startGateway({
    database: db.database,
    settings: {
      providers: {
        messages: only("messages"),
        chat_completions: only("chat_completions"),
        responses: only("responses"),
        generate_content: { kind: "google", baseUrl: model.origin },
        both: { kind: "openai", baseUrl: `${model.origin}/v1`, ...both },
      },
      retry: { attempts: 0 },
    },
    over: { findTranslation: createTranslations({ clock: systemClock, random: systemRandom }) },
  });
  onTestFinished(async () => {
    await subject.close();
    await model.close();
  });
  const openai = new OpenAI({ baseURL: `${subject.url}/v1`, apiKey: RUN_KEY, maxRetries: 0 });
  const anthropic = new Anthropic({ baseURL: subject.url, apiKey: RUN_KEY, maxRetries: 0 });
  return { model, subject, openai, anthropic };
}
type Bench = Awaited<ReturnType<typeof setup>>;

/** What came of the task, as its client saw it. */
interface Done {
  readonly calls: readonly unknown[];
  readonly thought: string;
  readonly stop: string | null | undefined;
  readonly text: string;
  readonly usage: readonly (number | null | undefined)[];
}

const SCHEMA = { type: "object" as const, properties: { path: { type: "string" } }, required: ["path"] };
const PROMPT = "Read both files.";
const SYSTEM = "You read files.";
const read = (path: unknown): string => `<${String(path)}>`;
const pathIn = (json: string): string => (JSON.parse(json) as { path: string }).path;

async function withMessages({ anthropic }: Bench, model: string, stream: boolean): Promise<Done> {
  const messages: Anthropic.MessageParam[] = [{ role: "user", content: PROMPT }];
  const ask = async (): Promise<Anthropic.Message> => {
    const params = {
      model,
      max_tokens: 1_000,
      system: SYSTEM,
      messages,
      tools: [{ name: "read_file", description: "Reads", input_schema: SCHEMA }],
    };
    return stream ? anthropic.messages.stream(params).finalMessage() : anthropic.messages.create(params);
  };
  const first = await ask();
  const calls = first.content.filter((block) => block.type === "tool_use");
  messages.push(
    { role: "assistant", content: first.content as Anthropic.ContentBlockParam[] },
    {
      role: "user",
      content: calls.map((call) => ({
        type: "tool_result" as const,
        tool_use_id: call.id,
        content: read((call.input as { path: string }).path),
      })),
    },
  );
  const last = await ask();
  const { usage } = last;
  return {
    calls: calls.map(({ name, input }) => [name, input]),
    thought: first.content.flatMap((block) => (block.type === "thinking" ? [block.thinking] : [])).join(""),
    stop: first.stop_reason,
    text: last.content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join(""),
    usage: [
      usage.input_tokens + (usage.cache_read_input_tokens ?? 0),
      usage.output_tokens,
      usage.cache_read_input_tokens,
      usage.output_tokens_details?.thinking_tokens,
    ],
  };
}

async function withChat({ openai }: Bench, model: string, stream: boolean): Promise<Done> {
  const messages: OpenAI.ChatCompletionMessageParam[] = [
    { role: "system", content: SYSTEM },
    { role: "user", content: PROMPT },
  ];
  let thought = "";
  const ask = async (): Promise<OpenAI.ChatCompletion> => {
    const params = {
      model,
      messages,
      tools: [
        {
          type: "function" as const,
          function: { name: "read_file", description: "Reads", parameters: SCHEMA },
        },
      ],
    };
    if (!stream) return openai.chat.completions.create(params);
    const streamed = openai.chat.completions.stream({ ...params, stream_options: { include_usage: true } });
    // The field is not OpenAI's own: its client hands it out piece by piece.
    streamed.on("chunk", ({ choices }) => {
      thought += (choices[0]?.delta as { reasoning_content?: string } | undefined)?.reasoning_content ?? "";
    });
    return streamed.finalChatCompletion();
  };
  const first = (await ask()).choices[0];
  if (first === undefined) throw new Error("no choice");
  const calls = (first.message.tool_calls ?? []).filter((call) => call.type === "function");
  messages.push(
    first.message,
    ...calls.map((call) => ({
      role: "tool" as const,
      tool_call_id: call.id,
      content: read(pathIn(call.function.arguments)),
    })),
  );
  const last = await ask();
  return {
    calls: calls.map((call) => [call.function.name, JSON.parse(call.function.arguments)]),
    thought: stream ? thought : String((first.message as { reasoning_content?: string }).reasoning_content),
    stop: first.finish_reason,
    text: last.choices[0]?.message.content ?? "",
    usage: [
      last.usage?.prompt_tokens,
      last.usage?.completion_tokens,
      last.usage?.prompt_tokens_details?.cached_tokens,
      last.usage?.completion_tokens_details?.reasoning_tokens,
    ],
  };
}

async function withResponses({ openai }: Bench, model: string, stream: boolean): Promise<Done> {
  const input: OpenAI.Responses.ResponseInput = [{ role: "user", content: PROMPT }];
  const ask = async (): Promise<OpenAI.Responses.Response> => {
    const params = {
      model,
      instructions: SYSTEM,
      input,
      store: false,
      include: ["reasoning.encrypted_content" as const],
      tools: [
        {
          type: "function" as const,
          name: "read_file",
          description: "Reads",
          parameters: SCHEMA,
          strict: false,
        },
      ],
    };
    return stream ? openai.responses.stream(params).finalResponse() : openai.responses.create(params);
  };
  const first = await ask();
  const calls = first.output.filter((item) => item.type === "function_call");
  input.push(
    ...(first.output as OpenAI.Responses.ResponseInput),
    ...calls.map((call) => ({
      type: "function_call_output" as const,
      call_id: call.call_id,
      output: read(pathIn(call.arguments)),
    })),
  );
  const last = await ask();
  return {
    calls: calls.map((call) => [call.name, JSON.parse(call.arguments)]),
    thought: first.output
      .flatMap((item) => (item.type === "reasoning" ? item.summary.map((part) => part.text) : []))
      .join(""),
    stop: first.status,
    text: last.output_text,
    usage: [
      last.usage?.input_tokens,
      last.usage?.output_tokens,
      last.usage?.input_tokens_details.cached_tokens,
      last.usage?.output_tokens_details.reasoning_tokens,
    ],
  };
}

interface GeminiPart {
  readonly text?: string;
  readonly thought?: boolean;
  readonly functionCall?: {
    readonly id?: string;
    readonly name: string;
    readonly args: { readonly path: string };
  };
}
interface GeminiChunk {
  readonly candidates: readonly {
    readonly content: { readonly parts: readonly GeminiPart[] };
    readonly finishReason?: string;
  }[];
  readonly usageMetadata?: Readonly<Record<string, number>>;
  readonly error?: { readonly message: string };
}

/** By plain HTTP, as Google's reference has it. */
async function withGemini({ subject }: Bench, model: string, stream: boolean): Promise<Done> {
  const contents: object[] = [{ role: "user", parts: [{ text: PROMPT }] }];
  const send = async (): Promise<{ parts: GeminiPart[]; last: GeminiChunk }> => {
    const operation = stream ? "streamGenerateContent?alt=sse" : "generateContent";
    const answer = await ask(
      subject.url,
      `/v1beta/models/${model}:${operation}`,
      {
        contents,
        system_instruction: { parts: [{ text: SYSTEM }] },
        tools: [
          {
            functionDeclarations: [
              {
                name: "read_file",
                description: "Reads",
                parameters: { type: "OBJECT", properties: { path: { type: "STRING" } } },
              },
            ],
          },
        ],
      },
      { "x-goog-api-key": RUN_KEY },
    );
    if (answer.status !== 200) {
      const { error } = JSON.parse(answer.text) as {
        error: { code: number; message: string; status: string };
      };
      throw Object.assign(new Error(error.message), {
        status: error.code,
        type: error.status === "INVALID_ARGUMENT" ? "invalid_request_error" : error.status,
      });
    }
    const chunks = (
      stream
        ? answer.text
            .split("\n\n")
            .filter((event) => event !== "")
            .map((event) => event.replace("data: ", ""))
        : [answer.text]
    ).map((text) => JSON.parse(text) as GeminiChunk);
    const failed = chunks.find((chunk) => chunk.error !== undefined);
    const last = chunks.at(-1);
    if (failed !== undefined || last === undefined) throw new Error(failed?.error?.message);
    return { parts: chunks.flatMap((chunk) => chunk.candidates[0]?.content.parts ?? []), last };
  };
  const first = await send();
  const calls = first.parts.flatMap(({ functionCall }) => (functionCall === undefined ? [] : [functionCall]));
  contents.push(
    { role: "model", parts: first.parts },
    {
      role: "user",
      parts: calls.map((call) => ({
        functionResponse: { id: call.id, name: call.name, response: { output: read(call.args.path) } },
      })),
    },
  );
  const { parts, last } = await send();
  const usage = last.usageMetadata ?? {};
  const textOf = (some: readonly GeminiPart[], thought: boolean): string =>
    some.map((part) => ((part.thought ?? false) === thought ? (part.text ?? "") : "")).join("");
  return {
    calls: calls.map(({ name, args }) => [name, args]),
    thought: textOf(first.parts, true),
    stop: first.last.candidates[0]?.finishReason,
    text: textOf(parts, false),
    usage: [
      usage["promptTokenCount"],
      (usage["candidatesTokenCount"] ?? 0) + (usage["thoughtsTokenCount"] ?? 0),
      usage["cachedContentTokenCount"],
      usage["thoughtsTokenCount"],
    ],
  };
}

const CLIENTS = {
  messages: withMessages,
  chat_completions: withChat,
  responses: withResponses,
  generate_content: withGemini,
} as const;
const STOPS = {
  messages: "tool_use",
  chat_completions: "tool_calls",
  responses: "completed",
  generate_content: "STOP",
} as const;
type Client = keyof typeof CLIENTS;
const names = Object.keys(CLIENTS) as Client[];
const directions = names.flatMap((client) =>
  names
    .filter((provider) => provider !== client)
    .flatMap((provider) => [[client, provider, "whole"] as const, [client, provider, "streamed"] as const]),
);

describe("a client of one dialect at a provider of another", () => {
  test.each(directions)("%s at %s does a task with tools, %s", async (client, provider, how) => {
    const bench = await setup();
    const startedAt = new Date();
    const done = await CLIENTS[client](bench, `${provider}/tool-model`, how === "streamed");
    const usage = [TOOL_USAGE.input, TOOL_USAGE.output, TOOL_USAGE.cacheRead, TOOL_USAGE.reasoning];
    expect(done).toEqual({
      calls: PATHS.map((path) => ["read_file", { path }]),
      thought: THOUGHT,
      stop: STOPS[client],
      text: `Read: ${PATHS.map(read).join(" and ")}`,
      usage,
    });
    expect(bench.model.calls.map((call) => [call.dialect, call.stream])).toEqual(
      Array.from({ length: 2 }, () => [provider, how === "streamed"]),
    );
    expect(bench.model.calls[1]?.results.map(([, text]) => text)).toEqual(PATHS.map(read));
    expect(JSON.stringify(bench.model.calls[0]?.body)).toContain(SYSTEM);
    await bench.subject.gateway.costSince(startedAt);
    const { rows } = await db.database.query(
      `select endpoint, provider, outcome, usage_complete, tokens_in::int, tokens_out::int, tokens_cache_read::int, tokens_reasoning::int
       from miyabi.model_calls where started_at >= $1`,
      [startedAt],
    );
    const row = {
      endpoint: client,
      provider,
      outcome: "ok",
      usage_complete: true,
      tokens_in: TOOL_USAGE.input,
      tokens_out: TOOL_USAGE.output,
      tokens_cache_read: TOOL_USAGE.cacheRead,
      tokens_reasoning: TOOL_USAGE.reasoning,
    };
    expect(rows).toEqual([row, row]);
  });

  test.each(directions.filter(([, , how]) => how === "whole"))(
    "%s at %s gets the provider's refusal in its own shape",
    async (client, provider) => {
      const bench = await setup();
      bench.model.fault = { status: 400 };
      const asked = CLIENTS[client](bench, `${provider}/tool-model`, false);
      await expect(asked).rejects.toMatchObject({
        status: 400,
        message: expect.stringContaining("the vendor says no"),
        type: "invalid_request_error",
      });
    },
  );

  test.each(directions.filter(([, , how]) => how === "streamed"))(
    "%s at %s sees a stream that fails in the middle as failed",
    async (client, provider) => {
      const bench = await setup();
      bench.model.fault = "in-stream";
      const asked = CLIENTS[client](bench, `${provider}/tool-model`, true);
      await expect(asked).rejects.toThrow("Overloaded");
    },
  );

  test.each(directions.filter(([, , how]) => how === "streamed"))(
    "%s at %s sees a stream that lacks its end as failed",
    async (client, provider) => {
      const bench = await setup();
      bench.model.fault = "early-end";
      const asked = CLIENTS[client](bench, `${provider}/tool-model`, true);
      await expect(asked).rejects.toBeInstanceOf(Error);
      expect(bench.model.calls).toHaveLength(1);
    },
  );
});

describe("a provider with several endpoints", () => {
  test("is asked at the one that can say what the caller says", async () => {
    const { model, subject, anthropic } = await setup({ endpoints: ["responses", "chat_completions"] });
    const params = {
      model: "both/tool-model",
      max_tokens: 9,
      messages: [{ role: "user" as const, content: "hi" }],
    };
    await anthropic.messages.create({ ...params, stop_sequences: ["END"] });
    await anthropic.messages.create(params);
    expect(model.calls.map(({ dialect }) => dialect)).toEqual(["chat_completions", "responses"]);
    expect(subject.gateway.providers().find(({ name }) => name === "both")?.endpoints).toMatchObject({
      chat_completions: "native",
      responses: "native",
      messages: "translated",
      generate_content: "translated",
      count_tokens: "estimated",
    });
  });

  test("says what of a request cannot be said to it", async () => {
    const { model, openai } = await setup({ endpoints: ["messages"] });
    const asked = openai.chat.completions.create({
      model: "both/m",
      n: 2,
      messages: [{ role: "user", content: "hi" }],
    });
    await expect(asked).rejects.toMatchObject({
      status: 400,
      message: expect.stringMatching(/n: this cannot be said/),
    });
    expect(model.calls).toHaveLength(0);
  });
});
