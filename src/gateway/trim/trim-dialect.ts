import { createHash } from "node:crypto";
import { objectOf, type JsonObject } from "../usage/usage.ts";
import type { CountText } from "./count-tokens.ts";
import { tokensOf, type MessageKind, type MessageView, type ResultView } from "./message-view.ts";

/** How trimming reads and edits the messages of one dialect. */
export interface TrimDialect {
  /** Name of the request's array of messages. */
  readonly field: string;
  /** Whether the whole conversation is in the request. */
  readonly isWhole: (fields: JsonObject) => boolean;
  readonly view: (message: JsonObject, count: CountText) => MessageView;
  /** Names calls and results that have no ids of their own; left out: all have. */
  readonly pair?: (views: readonly MessageView[]) => readonly MessageView[];
  /** The message with other texts for the results of these numbers; everything else of it stays. */
  readonly replace: (message: JsonObject, results: ReadonlyMap<number, string>) => JsonObject;
  /** A message of the user with one more text at its end. */
  readonly addText: (message: JsonObject, text: string) => JsonObject;
}

export const whole = (): boolean => true;

export function viewOf(
  message: JsonObject,
  count: CountText,
  parts: {
    readonly kind: MessageKind;
    readonly calls?: readonly unknown[];
    readonly results?: readonly ResultView[];
  },
): MessageView {
  return {
    kind: parts.kind,
    tokens: tokensOf(message, count),
    calls: (parts.calls ?? []).filter((id): id is string => typeof id === "string"),
    results: parts.results ?? [],
  };
}

export function resultOf(callId: unknown, content: unknown, count: CountText): ResultView {
  const digest = createHash("sha1")
    .update(JSON.stringify(content) ?? "")
    .digest("base64");
  return { callId: String(callId), tokens: tokensOf(content, count), digest };
}

export const listOf = (value: unknown): readonly JsonObject[] =>
  Array.isArray(value) ? value.map(objectOf) : [];
