import { createHash } from "node:crypto";
import type { AnswerEvent } from "./answer.ts";
import type { Conversation, Tool, ToolChoice, Turn } from "./conversation.ts";
import { objectOf } from "../usage/usage.ts";
import { cannotCarry } from "./untranslatable.ts";

/** A tool that its own provider runs (web search and the like). */
export interface HostedTool {
  readonly hosted: string;
  /** For the error that names it. */
  readonly field: string;
}

/**
 * The tools that can be carried. One that only its own provider can run is left out beside others, for a model without it
 * still does its work; alone or demanded it is what the caller wants.
 * @throws Untranslatable
 */
export function chosenTools(
  offered: readonly (Tool | HostedTool)[],
  choice: ToolChoice | null,
): Pick<Conversation, "tools" | "toolChoice"> {
  const tools = offered.filter((tool): tool is Tool => !("hosted" in tool));
  const hosted = offered.filter((tool): tool is HostedTool => "hosted" in tool);
  const demanded = choice?.type === "tool" ? hosted.find((tool) => tool.hosted === choice.name) : undefined;
  const missing = demanded ?? (tools.length === 0 ? hosted[0] : undefined);
  if (missing !== undefined) throw cannotCarry(missing.field);
  return { tools, toolChoice: tools.length === 0 ? null : choice };
}

/** What a dialect takes for names of tools and ids of their calls. */
const LONGEST_NAME = 64;
const LONGEST_ID = 64;

/** The conversation with names and ids that every provider takes, and the way back for the answer. */
export function withSafeNames(conversation: Conversation): {
  readonly conversation: Conversation;
  readonly back: (event: AnswerEvent) => AnswerEvent;
} {
  const original = new Map<string, string>();
  const safe = (name: string): string => {
    const fitting = fit(name, LONGEST_NAME);
    if (fitting !== name) original.set(fitting, name);
    return fitting;
  };
  const tools = conversation.tools.map((tool) => ({ ...tool, name: safe(tool.name) }));
  const { toolChoice } = conversation;
  return {
    conversation: {
      ...conversation,
      tools,
      toolChoice: toolChoice?.type === "tool" ? { type: "tool", name: safe(toolChoice.name) } : toolChoice,
      turns: conversation.turns.map((turn) => withSafeIds(turn, safe)),
    },
    back: (event) => {
      if (event.type !== "part" || event.part.type !== "tool_call") return event;
      const name = original.get(event.part.name);
      return name === undefined ? event : { type: "part", part: { ...event.part, name } };
    },
  };
}

function withSafeIds(turn: Turn, safe: (name: string) => string): Turn {
  switch (turn.role) {
    case "system":
      return turn;
    case "user":
      return {
        role: "user",
        parts: turn.parts.map((part) =>
          part.type === "tool_result" ? { ...part, callId: fit(part.callId, LONGEST_ID) } : part,
        ),
      };
    case "assistant":
      return {
        role: "assistant",
        parts: turn.parts.map((part) =>
          part.type === "tool_call" ? { ...part, id: fit(part.id, LONGEST_ID), name: safe(part.name) } : part,
        ),
      };
  }
}

/** The same text always becomes the same one; two different ones stay different. */
function fit(text: string, longest: number): string {
  if (text.length <= longest && /^[\w-]+$/.test(text)) return text;
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 10);
  return `${text.replace(/[^\w-]/g, "_").slice(0, longest - digest.length - 1)}_${digest}`;
}

/** The input of a call as an object, which is what most dialects want; what a model wrote wrongly is kept in a field. */
export function inputObject(input: string): Readonly<Record<string, unknown>> {
  if (input.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(input);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Falls through: models do write broken JSON.
  }
  return { input };
}

/** The JSON schema of a tool, which has to be one of an object. */
export function objectSchema(schema: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return schema["type"] === undefined ? { type: "object", properties: {}, ...schema } : schema;
}

/** Schema and hint for a tool that takes free text, where only objects can be given. */
export const TEXT_INPUT = {
  type: "object",
  properties: { input: { type: "string", description: "The whole input of the tool, as plain text." } },
  required: ["input"],
  additionalProperties: false,
} as const;

/** A tool that takes free text, for providers that know objects only. `format`: OpenAI's grammar for it. */
export function textTool(
  tool: { readonly name: string; readonly description?: string | null | undefined },
  format: unknown,
): Tool {
  const grammar = objectOf(objectOf(format)["grammar"] ?? format)["definition"];
  const wanted = typeof grammar === "string" ? `\n\nThe input has to follow this grammar:\n${grammar}` : "";
  return {
    name: tool.name,
    description: `${tool.description ?? ""}${wanted}`,
    schema: TEXT_INPUT,
    strict: null,
    takes: "text",
    group: null,
  };
}

export function wrapText(input: string): string {
  return JSON.stringify({ input });
}

export function unwrapText(input: string): string {
  const { input: text } = inputObject(input);
  return typeof text === "string" ? text : input;
}

export function takesText(conversation: Conversation, name: string): boolean {
  return conversation.tools.some((tool) => tool.takes === "text" && tool.name === name);
}

/** The tools that a choice leaves. */
export function onlyAllowed(
  offered: readonly (Tool | HostedTool)[],
  names: readonly string[],
): readonly (Tool | HostedTool)[] {
  return offered.filter((tool) => names.includes("hosted" in tool ? tool.hosted : tool.name));
}

/** The text of a failed call, where a dialect cannot mark it. */
export function errorText(text: string): string {
  return /^\W*(?:tool_use_)?error/i.test(text) ? text : `Error: ${text}`;
}
