import type { Endpoint, Tool } from "./tools/index.ts";

/** What nobody chats with. */
const OTHER =
  /embed|whisper|tts|dall-e|image|audio|realtime|transcribe|moderation|rerank|davinci|babbage|search|veo|imagen|aqa|computer-use|guard/i;
const SMALL = /mini|nano|lite|preview|haiku|flash|experimental|exp\b/i;

/** Best first, in the dialects in which a tool asks; the last one fits all. */
const FAMILIES: Readonly<Record<Endpoint, readonly RegExp[]>> = {
  messages: [/claude-sonnet/, /claude/, /./],
  responses: [/codex/, /^gpt-/, /./],
  chat_completions: [/^gpt-/, /coder|codex|devstral/, /claude-sonnet/, /gemini-.*pro/, /./],
  generate_content: [/gemini-.*pro/, /gemini/, /./],
};

/** Something has to stand there until a provider is configured. */
const NOTHING_OFFERED = "gpt-5";

const collator = new Intl.Collator("en", { numeric: true });

/** Models to chat with. */
export const chatModels = (offered: readonly string[]): readonly string[] =>
  offered.filter((model) => !OTHER.test(model));

/** The model to write where nobody has said one; null: the tool chooses by itself. */
export function chooseModel(tool: Tool, offered: readonly string[]): string | null {
  const models = chatModels(offered);
  if (tool.knows !== null && (models.length === 0 || models.some((model) => tool.knows?.test(model))))
    return null;
  return best(tool, models) ?? NOTHING_OFFERED;
}

/** The model with which a tool without a written one is tried: the cheapest kind of those that it knows. */
export function modelToTry(tool: Tool, offered: readonly string[]): string | null {
  const known = chatModels(offered).filter((model) => tool.knows?.test(model) ?? true);
  return known.find((model) => SMALL.test(model)) ?? known[0] ?? null;
}

function best(tool: Tool, models: readonly string[]): string | null {
  const newestFirst = models.toSorted((a, b) => collator.compare(b, a));
  for (const family of FAMILIES[tool.endpoint("")]) {
    const fitting = newestFirst.filter((model) => family.test(model));
    const found = fitting.find((model) => !SMALL.test(model)) ?? fitting[0];
    if (found !== undefined) return found;
  }
  return null;
}
