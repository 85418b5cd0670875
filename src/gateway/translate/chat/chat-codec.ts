import type { Codec } from "../codec.ts";
import { createStreamReader, readAnswer } from "./read-answer.ts";
import { readRequest } from "./read-request.ts";
import { createStreamWriter, writeAnswer } from "./write-answer.ts";
import { writeRequest } from "./write-request.ts";

/** OpenAI's chat completions, which most other servers speak as well. */
export const chatCodec: Codec = {
  spoken: "chat_completions",
  dialect: "openai",
  readRequest,
  writeRequest,
  readAnswer,
  createStreamReader,
  writeAnswer,
  createStreamWriter,
};
