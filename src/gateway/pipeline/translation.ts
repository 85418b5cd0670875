import type { IncomingHttpHeaders } from "node:http";
import type { EndpointName, UsageFormat } from "../endpoints.ts";
import type { Converter } from "../relay/converter.ts";
import { COUNT_ENDPOINTS } from "../routing/count-targets.ts";

/** A call in the provider's dialect. */
export interface TranslatedCall {
  readonly body: Buffer;
  /** Of Gemini, whose paths name it; null elsewhere. */
  readonly operation: string | null;
  /** Turns the answer back: a document, a stream, or an error (status 400 and above). One for each answer. */
  answer(status: number, headers: IncomingHttpHeaders): Converter;
}

/**
 * How calls of one endpoint are made at another one: the request as the other endpoint wants it, with the wish for usage
 * where that has to be asked for. `model` is the provider's own name; null: the request names none. `operation` and `query`
 * are the caller's, see `Call`.
 * @throws Untranslatable where the other endpoint has no way to say it
 */
export type Translation = (
  body: Buffer,
  asked: { readonly model: string | null; readonly operation: string | null; readonly query: string },
) => TranslatedCall;

/** Null: there is none between the two. */
export type FindTranslation = (from: EndpointName, to: EndpointName) => Translation | null;

/** A request that another dialect cannot express; the message says what of it, for the caller. */
export class Untranslatable extends Error {}

/** Endpoints that answer with text, the richest first: what cannot be served by itself is translated into the first that can. */
const CONVERSATIONS = {
  messages: "messages",
  responses: "responses",
  chat_completions: "chat",
  generate_content: "gemini",
} as const satisfies Partial<Record<EndpointName, UsageFormat>>;

/** Endpoints into which calls of an endpoint can be translated, the best first; always the same list for the same. */
export function translationsOf(find: FindTranslation, from: EndpointName): readonly EndpointName[] {
  const lists = known.get(find) ?? new Map<EndpointName, readonly EndpointName[]>();
  known.set(find, lists);
  const list = lists.get(from) ?? intoWhich(find, from);
  lists.set(from, list);
  return list;
}

const known = new WeakMap<FindTranslation, Map<EndpointName, readonly EndpointName[]>>();

function intoWhich(find: FindTranslation, from: EndpointName): readonly EndpointName[] {
  return [...(Object.keys(CONVERSATIONS) as (keyof typeof CONVERSATIONS)[]), ...COUNT_ENDPOINTS].filter(
    (to) => to !== from && find(from, to) !== null,
  );
}

/** How answers of an endpoint that is translated into name their usage. */
export function usageOf(endpoint: EndpointName, usual: UsageFormat): UsageFormat {
  return Object.hasOwn(CONVERSATIONS, endpoint)
    ? CONVERSATIONS[endpoint as keyof typeof CONVERSATIONS]
    : usual;
}
