import type { EventView, Reason } from "../../../../src/contract/index.ts";

const MAX_LENGTH = 200;

export interface FactWords {
  /** Word of a key, or the second argument where there is none. */
  readonly word: (key: string, otherwise: string) => string;
  readonly say: (reason: Pick<Reason, "code" | "message" | "params">) => string;
  readonly separator: string;
}

/**
 * `Running → Waiting, The check failed.`: the facts of an event on one line, in the viewer's words. A reason stands
 * as its sentence; a field or a value that has no word stands as it was recorded.
 */
export function describeFacts({ type, data }: Pick<EventView, "type" | "data">, words: FactWords): string {
  const [domain = ""] = type.split(".");
  const { from, to, ...rest } = data;
  const show = (name: string, value: unknown): string => {
    if (isReason(value)) return words.say(value);
    if (typeof value === "string") {
      const branch = branchOf(name, domain);
      return branch === null ? value : words.word(`${branch}.${value}`, value);
    }
    return Array.isArray(value) ? value.map(String).join(words.separator) : (JSON.stringify(value) ?? "");
  };
  const parts: string[] = [];
  if (to !== undefined) {
    parts.push(from === undefined ? `→ ${show("to", to)}` : `${show("from", from)} → ${show("to", to)}`);
  }
  for (const [name, value] of Object.entries(rest)) {
    if (value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0))
      continue;
    const text = show(name, value);
    parts.push(isReason(value) ? text : `${words.word(`history.fact.${name}`, name)}: ${text}`);
  }
  const text = parts.join(words.separator);
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
}

/** Where the dictionaries keep the words of a field's values; null for one whose values are no words of ours. */
function branchOf(field: string, domain: string): string | null {
  switch (field) {
    case "from":
    case "to":
    case "state":
      return `state.${domain}`;
    case "kind":
      return "questions.kind";
    case "answer":
      return "questions.option";
    case "cause":
      return "history.cause";
    case "step":
    case "verdict":
      return field;
    default:
      return null;
  }
}

function isReason(value: unknown): value is Pick<Reason, "code" | "message" | "params"> {
  return (
    typeof value === "object" &&
    value !== null &&
    "code" in value &&
    typeof value.code === "string" &&
    "message" in value &&
    typeof value.message === "string" &&
    "params" in value &&
    typeof value.params === "object" &&
    value.params !== null
  );
}
