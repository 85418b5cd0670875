import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Untranslatable } from "../pipeline/translation.ts";
import { answerOf, eventsOf, type Answer } from "./answer.ts";
import type { Codec, Stamp } from "./codec.ts";
import { answer, conversation, FIELDS, NAMES, shapes, tool } from "./codecs-fixture.ts";
import { CODECS } from "./codecs.ts";
import { NO_SAMPLING, type AssistantPart, type Conversation, type UserPart } from "./conversation.ts";
import { createEventSplitter } from "./server-sent-events.ts";

/*
 * What every dialect has to keep: a conversation or an answer that is written in it and read back means the same. As all
 * translations go through the neutral form, this holds every direction together.
 */
const codecs = Object.values(CODECS).map((codec): [string, Codec] => [codec.spoken, codec]);
const STAMP: Stamp = { id: "0123456789abcdef", createdAt: 1_700_000_000 };

/** What must not be lost, apart from where one turn ends and the next begins, and where images of results stand. */
function meaningOf({ turns: all, ...rest }: Conversation): object {
  const items = all.flatMap(({ role, parts }) =>
    parts.flatMap((part): unknown[] => {
      switch (part.type) {
        case "text":
          return [`${role}: ${part.text}`];
        case "image":
        case "file":
          return [];
        case "thinking":
          return [];
        case "tool_call":
          return [{ call: part.id, name: part.name, input: JSON.parse(part.input) as unknown }];
        case "tool_result":
          return [
            {
              result: part.callId,
              text: part.content.flatMap((one) => (one.type === "text" ? [one.text] : [])).join("\n"),
            },
          ];
      }
    }),
  );
  const images = all
    .flatMap(({ parts }): readonly (UserPart | AssistantPart)[] => parts)
    .flatMap((one): readonly (UserPart | AssistantPart)[] =>
      one.type === "tool_result" ? one.content : [one],
    )
    .filter(({ type }) => type === "image");
  return {
    items: items.filter((item) => typeof item !== "string" || !item.startsWith("user: From the result of")),
    images: images
      .map((one) =>
        one.type === "image" ? (one.source.kind === "url" ? one.source.url : one.source.data) : "",
      )
      .sort(),
    ...rest,
    system: rest.system.map((one) => one.text).join(""),
    from: null,
    streamUsage: null,
    tools: rest.tools.map((one) => ({ ...one, strict: one.strict ?? false })),
  };
}

function meaningOfAnswer({ parts, stop, usage, model }: Answer): object {
  return {
    parts: parts.map((one) =>
      one.type === "tool_call" ? { ...one, input: JSON.parse(one.input) as unknown } : one,
    ),
    stop,
    model,
    usage: [usage.input, usage.output, usage.cacheRead, usage.reasoning],
  };
}

const asked: Conversation = {
  from: "messages",
  model: "some-model",
  stream: true,
  streamUsage: true,
  system: [],
  turns: [],
  tools: NAMES.map(tool),
  toolChoice: null,
  parallelTools: null,
  maxTokens: 100,
  stop: [],
  sampling: NO_SAMPLING,
  thinking: null,
  format: null,
  verbosity: null,
  cacheKey: null,
};

describe.each(codecs)("%s", (_, codec) => {
  test("keeps the meaning of a conversation", () => {
    fc.assert(
      fc.property(conversation, (said) => {
        const { body, operation } = codec.writeRequest(said);
        const read = codec.readRequest(JSON.parse(JSON.stringify(body)), {
          model: said.model,
          operation,
          query: "?alt=sse",
        });
        expect(meaningOf(read)).toEqual(meaningOf(said));
      }),
      { numRuns: 200 },
    );
  });

  test("keeps the meaning of an answer", () => {
    fc.assert(
      fc.property(answer, (said) => {
        const document = JSON.parse(JSON.stringify(codec.writeAnswer(said, asked, STAMP))) as Record<
          string,
          unknown
        >;
        expect(meaningOfAnswer(codec.readAnswer(document))).toEqual(meaningOfAnswer(said));
      }),
      { numRuns: 200 },
    );
  });

  test("keeps the meaning of a stream, wherever its bytes are cut", () => {
    fc.assert(
      fc.property(
        answer,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 }),
        (said, cuts) => {
          const writer = codec.createStreamWriter(asked, STAMP);
          const bytes = Buffer.from(eventsOf(said).map(writer.push).join(""));
          const splitter = createEventSplitter();
          const reader = codec.createStreamReader();
          const places = [
            0,
            ...cuts.map((cut) => Math.floor(cut * bytes.length)).sort((a, b) => a - b),
            bytes.length,
          ];
          const events = places
            .slice(1)
            .flatMap((end, index) => splitter.push(bytes.subarray(places[index], end)));
          const read = answerOf([...[...events, ...splitter.end()].flatMap(reader.push), ...reader.end()]);
          expect(read === null ? null : meaningOfAnswer(read)).toEqual(meaningOfAnswer(said));
        },
      ),
      { numRuns: 200 },
    );
  });

  test("passes over what it does not know", () => {
    const reader = codec.createStreamReader();
    for (const data of [
      '{"type":"ping"}',
      '{"type":"something_new","index":0,"delta":{}}',
      "{}",
      '{"choices":[]}',
    ])
      expect(reader.push({ event: null, data }).filter(({ type }) => type !== "start")).toEqual([]);
    expect(reader.end()).toEqual([]);
  });

  test("refuses what it cannot read, and never breaks over it", () => {
    const own = { messages: [], contents: [], input: "hi", max_tokens: 1 };
    const field = fc.constantFrom(...FIELDS);
    const wrong = fc.dictionary(field, fc.oneof(fc.jsonValue({ maxDepth: 4 }), shapes), { maxKeys: 4 });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          wrong.map((fields) => ({ ...own, ...fields })),
        ),
        (body) => {
          try {
            const read = codec.readRequest(body, { model: "m", operation: null, query: "" });
            for (const other of Object.values(CODECS)) other.writeRequest(read);
          } catch (error) {
            expect(error).toBeInstanceOf(Untranslatable);
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test("reads any JSON in a stream without breaking", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.jsonValue({ maxDepth: 5 }), shapes), { maxLength: 5 }), (values) => {
        const reader = codec.createStreamReader();
        const writer = codec.createStreamWriter(asked, STAMP);
        const events = [
          ...values.flatMap((value) => reader.push({ event: null, data: JSON.stringify(value) })),
          ...reader.end(),
        ];
        expect(() => events.map(writer.push)).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });
});
