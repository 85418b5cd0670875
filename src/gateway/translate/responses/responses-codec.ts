import type { Codec } from "../codec.ts";
import { createStreamReader, readAnswer } from "./read-answer.ts";
import { readRequest } from "./read-request.ts";
import { writeAnswer } from "./write-answer.ts";
import { writeRequest } from "./write-request.ts";
import { createStreamWriter } from "./write-stream.ts";

/** OpenAI's responses. */
export const responsesCodec: Codec = {
  spoken: "responses",
  dialect: "openai",
  readRequest,
  writeRequest,
  readAnswer,
  createStreamReader,
  writeAnswer,
  createStreamWriter,
};
