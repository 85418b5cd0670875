import { chatCodec } from "./chat/chat-codec.ts";
import type { Codec } from "./codec.ts";
import type { Spoken } from "./conversation.ts";
import { geminiCodec } from "./gemini/gemini-codec.ts";
import { messagesCodec } from "./messages/messages-codec.ts";
import { responsesCodec } from "./responses/responses-codec.ts";

/** Every dialect that can be translated into every other one. */
export const CODECS: Readonly<Record<Spoken, Codec>> = {
  messages: messagesCodec,
  chat_completions: chatCodec,
  responses: responsesCodec,
  generate_content: geminiCodec,
};
