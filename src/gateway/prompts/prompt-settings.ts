import { z } from "zod";

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, "gu").flags === "gu";
  } catch {
    return false;
  }
}

/** `gateway.prompts`: what is kept of the content of calls. */
export const promptSettings = z
  .strictObject({
    /** Whether requests and answers are kept, redacted. Off: nothing of them is written anywhere. */
    store: z.boolean().default(false),
    /** Keys whose calls are kept, by id (`K1`) or name; `runs`: those of agents. Null: all. */
    keys: z.array(z.string().min(1)).nullable().default(null),
    retentionDays: z.number().int().min(1).max(3_650).default(7),
    /** What is kept of a request, and of an answer; the middle of longer ones is left out. */
    maxTextBytes: z
      .number()
      .int()
      .min(1_024)
      .default(128 * 1024),
    /** Of all together; the oldest make room. */
    maxBytes: z
      .number()
      .int()
      .positive()
      .default(256 * 1024 * 1024),
    /** Regular expressions of what is redacted beside keys and passwords. */
    redact: z
      .array(z.string().min(1).max(500).refine(isPattern, "this is no regular expression"))
      .default([]),
  })
  .prefault({});
export type PromptSettings = z.infer<typeof promptSettings>;

/** The patterns, ready for use. */
export function patternsOf({ redact }: PromptSettings): readonly RegExp[] {
  return redact.map((text) => new RegExp(text, "gu"));
}
