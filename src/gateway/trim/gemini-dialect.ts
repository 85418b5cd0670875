import { objectOf, type JsonObject } from "../usage/usage.ts";
import type { MessageView } from "./message-view.ts";
import { listOf, resultOf, viewOf, type TrimDialect } from "./trim-dialect.ts";

/** Google takes names of fields in both spellings. */
const CALL = ["functionCall", "function_call"] as const;
const RESPONSE = ["functionResponse", "function_response"] as const;

/** Ends the id of a call that has none but its name, until `numbered` says which one it is. */
const UNNUMBERED = " #";

function nameOf(names: readonly string[], part: JsonObject): string | undefined {
  return names.find((name) => part[name] != null);
}

function idOf(call: JsonObject): string {
  const { id } = call;
  return typeof id === "string" && id !== "" ? id : `${String(call["name"])}${UNNUMBERED}`;
}

/** Gemini: calls and results are parts; a result is an object, which may hold pictures beside it. */
export const geminiDialect: TrimDialect = {
  field: "contents",
  // What Google keeps cannot be trimmed by us, and may hold the calls of results that stand here.
  isWhole: (fields) => fields["cachedContent"] == null && fields["cached_content"] == null,
  view: (content, count) => {
    const parts = listOf(content["parts"]);
    if (content["role"] === "model")
      return viewOf(content, count, {
        kind: "assistant",
        calls: parts.flatMap((part) => {
          const name = nameOf(CALL, part);
          return name === undefined ? [] : [idOf(objectOf(part[name]))];
        }),
      });
    const results = parts.flatMap((part) => {
      const name = nameOf(RESPONSE, part);
      if (name === undefined) return [];
      const result = objectOf(part[name]);
      return [resultOf(idOf(result), [result["response"], result["parts"] ?? null], count)];
    });
    return viewOf(content, count, { kind: results.length === 0 ? "human" : "results", results });
  },
  pair: numbered,
  replace: (content, texts) => {
    let number = -1;
    const parts = listOf(content["parts"]).map((part) => {
      const name = nameOf(RESPONSE, part);
      if (name === undefined) return part;
      number += 1;
      const text = texts.get(number);
      if (text === undefined) return part;
      const { parts: _pictures, ...result } = objectOf(part[name]);
      return { ...part, [name]: { ...result, response: { output: text } } };
    });
    return { ...content, parts };
  },
  addText: (content, text) => ({ ...content, parts: [...listOf(content["parts"]), { text }] }),
};

/**
 * Clients may leave ids out and go by name and order: the third call of `read` is `read #3`, and the answers of `read` that
 * follow belong to its calls of the same step, in their order. What comes later never changes a number.
 */
function numbered(views: readonly MessageView[]): readonly MessageView[] {
  const isOpen = (id: string): boolean => id.endsWith(UNNUMBERED);
  if (!views.some((view) => view.calls.some(isOpen) || view.results.some(({ callId }) => isOpen(callId))))
    return views;
  const made = new Map<string, number>();
  const answered = new Map<string, number>();
  const next = (counts: Map<string, number>, id: string): string => {
    if (!isOpen(id)) return id;
    const number = (counts.get(id) ?? 0) + 1;
    counts.set(id, number);
    return `${id}${number}`;
  };
  return views.map((view, index) => {
    // Calls of an earlier step that have no answer by now will have none.
    if (view.kind === "assistant" && views[index - 1]?.kind !== "assistant")
      for (const [id, number] of made) answered.set(id, number);
    return {
      ...view,
      calls: view.calls.map((id) => next(made, id)),
      results: view.results.map((result) => ({ ...result, callId: next(answered, result.callId) })),
    };
  });
}
