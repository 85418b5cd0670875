import type { Codec } from "../codec.ts";
import { createStreamReader, readAnswer } from "./read-answer.ts";
import { readRequest } from "./read-request.ts";
import { createStreamWriter, writeAnswer } from "./write-answer.ts";
import { writeRequest } from "./write-request.ts";

/** Anthropic's messages. */
export const messagesCodec: Codec = {
  spoken: "messages",
  dialect: "anthropic",
  readRequest,
  writeRequest,
  readAnswer,
  createStreamReader,
  writeAnswer,
  createStreamWriter,
};
