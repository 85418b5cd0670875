import { z } from "zod";

/** `personas/NAME.yaml`: how a model speaks. Unknown fields are refused. */
export const persona = z.strictObject({
  /** What people choose it by; unique without regard to case. */
  name: z
    .string()
    .trim()
    .min(1)
    .max(60)
    .regex(/^[^\s/@][^\n/]*$/, "a persona's name is one line without a slash"),
  /** One line for the list of personas. */
  summary: z.string().trim().max(200).default(""),
  /** How it speaks, in words for the model. */
  style: z.string().trim().min(1).max(8_000),
  /** Phrases that no answer may contain; the model is told, and answers are checked. */
  forbid: z.array(z.string().trim().min(1).max(200)).max(100).default([]),
  /** What it knows or keeps in mind. */
  notes: z.string().trim().max(20_000).default(""),
  /** Model, alias or route of the gateway for threads that choose none; null: the installation's. */
  model: z.string().trim().min(1).max(200).nullable().default(null),
  /** `reflect`: each answer is drafted, criticised and written anew. */
  chain: z.enum(["none", "reflect"]).default("none"),
});
export type Persona = z.infer<typeof persona>;

/** What a model is told before the conversation; null where there is nothing to tell. */
export function systemPrompt(chosen: Persona | null): string | null {
  if (chosen === null) return null;
  const parts = [
    `You are "${chosen.name}" and stay so in the whole conversation.`,
    `How you speak:\n${chosen.style}`,
    ...(chosen.notes === "" ? [] : [`What you keep in mind:\n${chosen.notes}`]),
    ...(chosen.forbid.length === 0
      ? []
      : [
          `Your answers never contain any of these phrases:\n${chosen.forbid.map((one) => `- ${one}`).join("\n")}`,
        ]),
  ];
  return parts.join("\n\n");
}
