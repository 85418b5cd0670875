import { parseJson } from "../../base/index.ts";
import { objectOf } from "../usage/usage.ts";

/** Deeper requests are not cached: nothing good is that deep. */
const DEEPEST = 200;
/** Fields that hold the id of a tool call, in all dialects. */
const CALL_IDS = new Set(["tool_use_id", "tool_call_id", "call_id"]);
/** Types of objects whose `id` is that of a tool call. */
const CALL_TYPES = new Set(["tool_use", "server_tool_use", "function"]);

/**
 * A request without what says nothing about its answer: volatile fields removed, ids of tool calls numbered in the order
 * in which they appear, fields of objects sorted. Null: no JSON object, or too deep to look at.
 */
export function canonicalRequest(body: Buffer, volatileFields: readonly string[]): string | null {
  const parsed = parseJson(body.toString("utf8"));
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return null;
  const patterns = volatileFields.map((field) => field.split("."));
  const ids = new Map<string, string>();
  const numbered = (id: unknown): unknown => {
    if (typeof id !== "string") return id;
    const known = ids.get(id) ?? `#${ids.size + 1}`;
    ids.set(id, known);
    return known;
  };

  const walk = (value: unknown, open: readonly (readonly string[])[], depth: number): unknown => {
    if (depth > DEEPEST) throw new RangeError("too deep");
    if (Array.isArray(value)) {
      const inner = step(open, "*");
      return value.map((one) => walk(one, inner.open, depth + 1));
    }
    if (typeof value !== "object" || value === null) return value;
    const object = objectOf(value);
    const result: Record<string, unknown> = {};
    for (const name of Object.keys(object).sort()) {
      const { removed, open: inner } = step(open, name);
      if (removed) continue;
      result[name] =
        CALL_IDS.has(name) || (name === "id" && CALL_TYPES.has(String(object["type"])))
          ? numbered(object[name])
          : walk(object[name], inner, depth + 1);
    }
    return result;
  };

  try {
    return JSON.stringify(walk(parsed, patterns, 0));
  } catch {
    return null;
  }
}

/** What is left of the patterns one field further down, and whether one of them ends here. */
function step(
  open: readonly (readonly string[])[],
  name: string,
): { readonly removed: boolean; readonly open: readonly (readonly string[])[] } {
  const inner: (readonly string[])[] = [];
  let removed = false;
  for (const pattern of open) {
    const [head, ...rest] = pattern;
    // `**` stays open at every depth.
    if (head === "**") inner.push(pattern);
    const [next, after] = head === "**" ? [rest[0], rest.slice(1)] : [head, rest];
    if (next !== name && next !== "*") continue;
    if (after.length === 0) removed = true;
    else inner.push(after);
  }
  return { removed, open: inner };
}
