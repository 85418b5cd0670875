import type { Dialect } from "../dialect.ts";
import type { JsonObject } from "../usage/usage.ts";
import type { Answer, AnswerEvent } from "./answer.ts";
import type { Conversation, Spoken } from "./conversation.ts";
import type { ServerSentEvent } from "./server-sent-events.ts";

/** What a request says outside its body. */
export interface Asked {
  /** As the provider that is asked knows it. */
  readonly model: string;
  /** Of Gemini's path, e.g. `streamGenerateContent`; null elsewhere. */
  readonly operation: string | null;
  /** Of the caller's URL, with its question mark, or empty. */
  readonly query: string;
}

/** What an answer needs that no provider tells. */
export interface Stamp {
  /** For answers without an id, and parts of them. */
  readonly id: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
}

/** Reads a provider's stream. */
export interface StreamReader {
  push(event: ServerSentEvent): readonly AnswerEvent[];
  /** The stream is over. Gives nothing where its own end has come; without one the answer has no `finish`. */
  end(): readonly AnswerEvent[];
}

/** Writes a stream for a caller, as text. Events after `finish` or `fault` do not come. */
export interface StreamWriter {
  push(event: AnswerEvent): string;
}

/** One dialect, both ways. */
export interface Codec {
  readonly spoken: Spoken;
  readonly dialect: Dialect;
  /** @throws Untranslatable */
  readRequest(body: unknown, asked: Asked): Conversation;
  /** @throws Untranslatable */
  writeRequest(conversation: Conversation): { readonly body: object; readonly operation: string | null };
  readAnswer(document: JsonObject): Answer;
  createStreamReader(): StreamReader;
  writeAnswer(answer: Answer, conversation: Conversation, stamp: Stamp): object;
  createStreamWriter(conversation: Conversation, stamp: Stamp): StreamWriter;
}
