import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { ANSWER_TEXT, startFaultyUpstream } from "../../../test/support/faulty-upstream.ts";
import { ask, seedRun, startGateway } from "../../../test/support/gateway-under-test.ts";
import { createTestDatabase, type TestDatabase } from "../../store/testing.ts";
import { Untranslatable, type FindTranslation } from "./translation.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  await seedRun(db.database);
});
afterAll(() => db.drop());

/** Marks what passes through it, so that the seam can be seen without a real translation. */
const marking: FindTranslation = (from, to) =>
  from !== "messages" || to !== "chat_completions"
    ? null
    : (body, { model }) => {
        if (body.includes("poem")) throw new Untranslatable("Poems cannot be said there.");
        const { stream } = JSON.parse(body.toString()) as { stream?: boolean };
        return {
          body: Buffer.from(JSON.stringify({ model, stream, marked: true })),
          operation: null,
          answer: (status, headers) => {
            let whole = "";
            const streams = headers["content-type"] === "text/event-stream";
            return {
              headers: { "x-marked": String(status) },
              push: (chunk) => {
                if (streams) return Buffer.from(chunk.toString().toUpperCase());
                whole += chunk.toString();
                return Buffer.alloc(0);
              },
              end: () => Buffer.from(streams ? "" : JSON.stringify({ was: whole })),
            };
          },
        };
      };

async function setup() {
  const upstream = await startFaultyUpstream();
  const subject = await startGateway({
    database: db.database,
    settings: {
      providers: { mine: { kind: "openai-compatible", baseUrl: upstream.origin, models: ["qwen"] } },
      retry: { attempts: 0 },
    },
    over: { findTranslation: marking },
  });
  onTestFinished(async () => {
    await subject.close();
    await upstream.close();
  });
  const message = (over: object = {}) =>
    ask(subject.url, "/v1/messages?beta=true", { model: "qwen", ...over });
  return { upstream, subject, message };
}

describe("a call whose provider speaks another dialect", () => {
  test("is translated there and back, its usage read before", async () => {
    const { upstream, subject, message } = await setup();
    const answer = await message();
    expect(upstream.calls[0]).toMatchObject({
      path: "/v1/chat/completions",
      body: '{"model":"qwen","marked":true}',
    });
    expect(answer).toMatchObject({ status: 200, headers: { "x-marked": "200" } });
    expect(JSON.parse(answer.text)).toMatchObject({ was: expect.stringContaining(ANSWER_TEXT) });
    expect(answer.headers["content-length"]).toBe(String(answer.text.length));
    await subject.gateway.costSince(new Date());
    const { rows } = await db.database.query(
      "select endpoint, provider, tokens_in::int as input from miyabi.model_calls order by recorded_at desc limit 1",
    );
    expect(rows[0]).toEqual({ endpoint: "messages", provider: "mine", input: 10 });
  });

  test("streams, and ends as an error of the caller's dialect where the provider breaks off", async () => {
    const { upstream, message } = await setup();
    expect(await message({ stream: true })).toMatchObject({
      clean: true,
      text: expect.stringContaining("HELLO"),
    });
    upstream.plan({ do: "cut" });
    const cut = await message({ stream: true });
    expect(cut.clean).toBe(false);
    expect(cut.text).toMatch(/event: error\ndata: \{"type":"error"/);
  });

  test("gets errors translated, and is told what cannot be said", async () => {
    const { upstream, message } = await setup();
    upstream.plan({ do: "status", status: 400 });
    expect(await message()).toMatchObject({ status: 400, text: expect.stringMatching(/^\{"was":/) });
    const untranslatable = await message({ system: "poem" });
    expect(untranslatable).toMatchObject({ status: 400 });
    expect(JSON.parse(untranslatable.text)).toMatchObject({
      type: "error",
      error: { type: "invalid_request_error", message: "Poems cannot be said there." },
    });
  });

  test("is shown as translated in the matrix", async () => {
    const { subject } = await setup();
    const mine = subject.gateway.providers().find((one) => one.name === "mine");
    expect(mine?.endpoints).toMatchObject({
      chat_completions: "native",
      messages: "translated",
      generate_content: "none",
    });
  });
});
