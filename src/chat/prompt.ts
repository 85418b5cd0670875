import type { ChatMessage } from "../contract/index.ts";
import type { Attachment } from "./attachments.ts";
import type { ModelMessage } from "./model-call.ts";
import { systemPrompt, type Persona } from "./persona.ts";

const GO_ON =
  "Your answer was interrupted by a technical fault. Go on exactly where it breaks off, in the middle of a word if need be. Repeat nothing and say nothing about the interruption.";

export interface PromptParts {
  readonly persona: Persona | null;
  /** The branch that the answer follows, oldest first. */
  readonly path: readonly ChatMessage[];
  /** By message. */
  readonly attachments: ReadonlyMap<string, readonly Attachment[]>;
  /** What of the answer exists already, after an interruption. */
  readonly begun: string;
}

/** What a model is asked: persona, the branch without commands and what they did, and the rest of an interrupted answer. */
export function promptOf({ persona, path, attachments, begun }: Readonly<PromptParts>): ModelMessage[] {
  const system = systemPrompt(persona);
  const messages: ModelMessage[] = system === null ? [] : [{ role: "system", content: system }];
  for (const [index, message] of path.entries()) {
    if (message.role === "note" || path[index + 1]?.role === "note") continue;
    if (message.role === "user") {
      messages.push({ role: "user", content: contentOf(message.content, attachments.get(message.id) ?? []) });
    } else if (message.content !== "") messages.push({ role: "assistant", content: message.content });
  }
  if (begun !== "") messages.push({ role: "assistant", content: begun }, { role: "user", content: GO_ON });
  return messages;
}

function contentOf(text: string, attachments: readonly Attachment[]): ModelMessage["content"] {
  const texts = attachments
    .filter(({ mediaType }) => mediaType === "text/plain")
    .map(({ name, content }) => `<file name="${name}">\n${content.toString("utf8")}\n</file>`);
  const whole = [...texts, ...(text === "" ? [] : [text])].join("\n\n");
  const images = attachments.filter(({ mediaType }) => mediaType !== "text/plain");
  if (images.length === 0) return whole;
  return [
    ...(whole === "" ? [] : [{ type: "text" as const, text: whole }]),
    ...images.map(({ mediaType, content }) => ({
      type: "image_url" as const,
      image_url: { url: `data:${mediaType};base64,${content.toString("base64")}` },
    })),
  ];
}
