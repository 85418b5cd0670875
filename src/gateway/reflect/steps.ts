import type { JsonObject } from "../usage/usage.ts";
import type { Reflectable } from "./reflect-dialects.ts";

const CRITIQUE = [
  "Look at your answer above as a strict and fair reviewer would, in the language of the conversation.",
  "List what is wrong, missing, unclear, unfounded or too long, the most important first, and say how to mend it.",
  "Check facts, figures, code and whether the request and the instructions were followed. Do not write the answer anew.",
  "If nothing needs to change, say only that.",
].join(" ");

const finalRequest = (critique: string): string =>
  [
    "This is a review of your answer above:",
    `<review>\n${critique}\n</review>`,
    "Now write the final answer to my request, in the same language and form that it asks for.",
    "Mend what the review is right about and keep what was good.",
    "Do not mention the draft or the review.",
  ].join("\n\n");

/** The request for a draft: what was asked, as a document. */
export function draftRequest({ fields, dialect }: Reflectable): JsonObject {
  return without(fields, dialect.onlyLast);
}

/** The request for a critique of the draft. */
export function critiqueRequest(request: Reflectable, draft: string): JsonObject {
  const { dialect, conversation } = request;
  return {
    ...draftRequest(request),
    [dialect.field]: [...conversation, dialect.say("assistant", draft), dialect.say("user", CRITIQUE)],
  };
}

/** The request for the answer that the caller gets; streamed where it asked for a stream. */
export function finalAnswerRequest(request: Reflectable, draft: string, critique: string): JsonObject {
  const { dialect, conversation, fields } = request;
  return {
    ...fields,
    [dialect.field]: [
      ...conversation,
      dialect.say("assistant", draft),
      dialect.say("user", finalRequest(critique)),
    ],
  };
}

function without(fields: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}
