import { parseJson } from "../../base/index.ts";
import type { EndpointName } from "../endpoints.ts";
import { objectOf, type JsonObject } from "../usage/usage.ts";

/** How the steps of a chain are said in one dialect. */
export interface ReflectDialect {
  /** Name of the request's array of messages. */
  readonly field: string;
  /** The conversation; null: it is not in the request, or does not end with what a person said. */
  readonly conversation: (fields: JsonObject) => readonly unknown[] | null;
  readonly say: (role: "user" | "assistant", text: string) => JsonObject;
  /** The answer's text; empty: it has none. */
  readonly textOf: (answer: JsonObject) => string;
  /** Fields that only the last step has: they shape an answer for programs. */
  readonly onlyLast: readonly string[];
}

const listOf = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.map(objectOf) : []);
const textsOf = (parts: readonly JsonObject[], type: string): string =>
  parts
    .flatMap((part) => (part["type"] === type && typeof part["text"] === "string" ? [part["text"]] : []))
    .join("");

function endsWithUser(value: unknown): readonly unknown[] | null {
  if (!Array.isArray(value)) return null;
  const last = objectOf(value.at(-1));
  const isUser = last["role"] === "user" && (last["type"] ?? "message") === "message";
  return isUser ? (value as readonly unknown[]) : null;
}

const plain = (role: string, content: string): JsonObject => ({ role, content });

const messages: ReflectDialect = {
  field: "messages",
  conversation: (fields) => endsWithUser(fields["messages"]),
  say: plain,
  textOf: (answer) => textsOf(listOf(answer["content"]), "text"),
  onlyLast: ["stream"],
};

const chat: ReflectDialect = {
  field: "messages",
  conversation: (fields) => endsWithUser(fields["messages"]),
  say: plain,
  textOf: (answer) => {
    const { content } = objectOf(listOf(answer["choices"])[0]?.["message"]);
    return typeof content === "string" ? content : textsOf(listOf(content), "text");
  },
  onlyLast: ["stream", "stream_options", "response_format", "n"],
};

const responses: ReflectDialect = {
  field: "input",
  conversation: (fields) => {
    if (fields["previous_response_id"] != null || fields["conversation"] != null) return null;
    const { input } = fields;
    return typeof input === "string" ? [plain("user", input)] : endsWithUser(input);
  },
  say: plain,
  textOf: (answer) =>
    listOf(answer["output"])
      .map((item) => textsOf(listOf(item["content"]), "output_text"))
      .join(""),
  onlyLast: ["stream", "stream_options", "text", "background"],
};

const DIALECTS: Partial<Readonly<Record<EndpointName, ReflectDialect>>> = {
  messages,
  chat_completions: chat,
  responses,
};

/** Null: calls of this endpoint are no conversations, or none that we can write. */
export function reflectDialectOf(endpoint: EndpointName): ReflectDialect | null {
  return DIALECTS[endpoint] ?? null;
}

export interface Reflectable {
  readonly dialect: ReflectDialect;
  readonly fields: JsonObject;
  readonly conversation: readonly unknown[];
}

/** A request as a chain can work on it; null: it has tools, which a draft would have to call, or no conversation. */
export function reflectable(endpoint: EndpointName, body: Buffer): Reflectable | null {
  const dialect = reflectDialectOf(endpoint);
  if (dialect === null) return null;
  const fields = objectOf(parseJson(body.toString("utf8")));
  if (listOf(fields["tools"]).length > 0 || listOf(fields["functions"]).length > 0) return null;
  const conversation = dialect.conversation(fields);
  return conversation === null ? null : { dialect, fields, conversation };
}
