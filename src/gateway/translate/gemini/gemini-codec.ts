import type { Codec } from "../codec.ts";
import { createStreamReader, readAnswer } from "./read-answer.ts";
import { readRequest } from "./read-request.ts";
import { createStreamWriter, writeAnswer } from "./write-answer.ts";
import { writeRequest } from "./write-request.ts";

/** Google's generateContent. */
export const geminiCodec: Codec = {
  spoken: "generate_content",
  dialect: "google",
  readRequest,
  writeRequest,
  readAnswer,
  createStreamReader,
  writeAnswer,
  createStreamWriter,
};
