import { loadTokenizer } from "../trim/count-tokens.ts";
import { tokensOf } from "../trim/message-view.ts";
import type { JsonObject } from "../usage/usage.ts";

/** Fields that a model gets to see, in all dialects. */
const SHOWN = new Set([
  ...["system", "messages", "tools", "tool_choice"],
  ...["instructions", "input", "text"],
  ...["systemInstruction", "system_instruction", "contents", "toolConfig", "tool_config"],
]);
/** What follows is taken to be like it: counting holds up every other call, a million characters for some 30 ms. */
const MOST_COUNTED = 1_000_000;

/** About how many tokens a request has, by the o200k vocabulary; others differ by up to a third. */
export async function estimateTokens(request: JsonObject): Promise<number> {
  const count = await loadTokenizer();
  let characters = 0;
  let tokens = 0;
  const bounded = (text: string): number => {
    const counted = text.slice(0, Math.max(0, MOST_COUNTED - characters));
    characters += counted.length;
    const known = counted === "" ? 0 : count(counted);
    tokens += known;
    return known + Math.ceil(((text.length - counted.length) * tokens) / Math.max(1, characters));
  };
  return Object.entries(request).reduce(
    (sum, [name, value]) => (SHOWN.has(name) ? sum + tokensOf(value, bounded) : sum),
    0,
  );
}
