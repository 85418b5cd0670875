import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../src/store/testing.ts";
import { ANSWER_TEXT, startFaultyUpstream } from "../support/faulty-upstream.ts";
import { keyTerms, seedRun, startGateway } from "../support/gateway-under-test.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  await seedRun(db.database);
});
afterAll(() => db.drop());

async function setup(budgetMicros: number | null = null) {
  const upstream = await startFaultyUpstream();
  const subject = await startGateway({
    database: db.database,
    settings: {
      providers: { openai: { baseUrl: upstream.origin }, anthropic: { baseUrl: upstream.origin } },
      retry: { baseMs: 20 },
      timeouts: { idleMs: 500 },
    },
  });
  onTestFinished(async () => {
    await subject.close();
    await upstream.close();
  });
  const { key } = await subject.gateway.keys.create(
    keyTerms({ name: "sdk", budgets: { dayMicros: budgetMicros, monthMicros: null, taskMicros: null } }),
    "test",
  );
  const openai = new OpenAI({ baseURL: `${subject.url}/v1`, apiKey: key });
  const anthropic = new Anthropic({ baseURL: subject.url, apiKey: key });
  const messages = [{ role: "user" as const, content: "hi" }];
  const chat = () => openai.chat.completions.create({ model: "gpt-5", messages });
  const message = () => anthropic.messages.create({ model: "claude-sonnet-4-5", max_tokens: 10, messages });
  const chatStream = async () => {
    let text = "";
    const stream = await openai.chat.completions.create({ model: "gpt-5", messages, stream: true });
    for await (const part of stream) text += part.choices[0]?.delta.content ?? "";
    return text;
  };
  const messageStream = async () => {
    let text = "";
    const stream = await anthropic.messages.create({
      model: "claude-sonnet-4-5",
      max_tokens: 10,
      messages,
      stream: true,
    });
    for await (const event of stream)
      if (event.type === "content_block_delta" && event.delta.type === "text_delta") text += event.delta.text;
    return text;
  };
  return { upstream, chat, message, chatStream, messageStream };
}

describe("the vendors' own SDKs", () => {
  test("get answers, streaming and not", async () => {
    const { chat, message, chatStream, messageStream } = await setup();
    expect((await chat()).choices[0]?.message.content).toBe(ANSWER_TEXT);
    expect((await message()).content[0]).toMatchObject({ text: ANSWER_TEXT });
    expect(await chatStream()).toBe(ANSWER_TEXT);
    expect(await messageStream()).toBe(ANSWER_TEXT);
  });

  test("do not multiply our tries", async () => {
    const { upstream, chat, message } = await setup();
    upstream.plan({ do: "status", status: 500 });
    await expect(chat()).rejects.toMatchObject({ status: 500 });
    await expect(message()).rejects.toMatchObject({ status: 500 });
    expect(upstream.calls).toHaveLength(6);
    upstream.plan({ do: "reset" });
    await expect(chat()).rejects.toBeInstanceOf(OpenAI.InternalServerError);
  });

  test.each(["cut", "stall", "early-end", "malformed"] as const)(
    "see a stream with %s as failed",
    async (fault) => {
      const { upstream, chatStream, messageStream } = await setup();
      upstream.plan({ do: fault });
      await expect(chatStream()).rejects.toBeInstanceOf(Error);
      await expect(messageStream()).rejects.toBeInstanceOf(Error);
      expect(upstream.calls).toHaveLength(2);
    },
  );

  test("are told the name of an exhausted budget, once", async () => {
    const { upstream, chat, message } = await setup(0);
    await expect(chat()).rejects.toMatchObject({
      status: 429,
      code: "insufficient_quota",
      message: expect.stringMatching(/day budget of key K\d+ "sdk" is used up/),
    });
    await expect(message()).rejects.toMatchObject({
      status: 429,
      message: expect.stringContaining("billing_error"),
    });
    expect(upstream.calls).toHaveLength(0);
  });
});
