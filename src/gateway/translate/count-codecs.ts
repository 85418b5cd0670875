import type { CountEndpoint } from "../routing/count-targets.ts";
import { countOf, objectOf, type JsonObject } from "../usage/usage.ts";
import type { Codec } from "./codec.ts";
import { CODECS } from "./codecs.ts";

/** How one dialect counts the tokens of a request. */
export interface CountCodec {
  /** Of the requests that are counted. */
  readonly codec: Codec;
  /** What an operation of the path has to be. */
  readonly operation: string | null;
  /** The request that shall be counted. */
  readonly requestOf: (document: JsonObject) => JsonObject;
  /** What asks for the count of a request. */
  readonly askFor: (request: JsonObject, model: string) => JsonObject;
  /** Null: the answer names none. */
  readonly readCount: (answer: JsonObject) => number | null;
  readonly writeCount: (tokens: number) => JsonObject;
}

/** Those of the request's fields that a counting endpoint takes; others it refuses. */
const only =
  (...names: readonly string[]) =>
  (request: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(request).filter(([name]) => names.includes(name)));

const itself = (document: JsonObject): JsonObject => document;

export const COUNT_CODECS: Readonly<Record<CountEndpoint, CountCodec>> = {
  count_tokens: {
    codec: CODECS.messages,
    operation: null,
    requestOf: itself,
    askFor: only("model", "messages", "system", "tools", "tool_choice", "thinking"),
    readCount: (answer) => countOf(answer["input_tokens"]),
    writeCount: (tokens) => ({ input_tokens: tokens }),
  },
  responses_input_tokens: {
    codec: CODECS.responses,
    operation: null,
    requestOf: itself,
    askFor: only(
      ...[
        "model",
        "input",
        "instructions",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "reasoning",
        "text",
      ],
    ),
    readCount: (answer) => countOf(answer["input_tokens"]),
    writeCount: (tokens) => ({ object: "response.input_tokens", input_tokens: tokens }),
  },
  gemini_count_tokens: {
    codec: CODECS.generate_content,
    operation: "countTokens",
    // Instructions and tools are counted only where the whole request is in one field.
    requestOf: (document) => {
      const whole = document["generateContentRequest"] ?? document["generate_content_request"];
      return whole == null ? document : objectOf(whole);
    },
    askFor: (request, model) => ({ generateContentRequest: { model: `models/${model}`, ...request } }),
    readCount: (answer) => countOf(answer["totalTokens"]),
    writeCount: (tokens) => ({ totalTokens: tokens }),
  },
};
