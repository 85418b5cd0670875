import type { Conversation, Effort } from "./conversation.ts";

/** OpenAI's models that think; its others refuse the field. */
const THINKS = /(?:^|\/)(?:o[1-9]|gpt-[5-9]|gpt-oss|codex)/;

export function thinksByName(model: string): boolean {
  return THINKS.test(model) && !/chat/.test(model);
}

/** The effort as OpenAI's dialects name it; null: nothing is to be said. */
export function openAiEffort({ thinking, model }: Conversation): Effort | null {
  if (thinking === null) return null;
  if (thinking.isKnown) return thinking.effort;
  if (!thinksByName(model)) return null;
  switch (thinking.effort) {
    case "none":
      // The least that every one of them takes.
      return "low";
    case "xhigh":
    case "max":
      return "high";
    default:
      return thinking.effort;
  }
}
