import { z } from "zod";
import type { Conversation, Tool, ToolChoice } from "../conversation.ts";
import { chosenTools, onlyAllowed, textTool, type HostedTool } from "../tools.ts";
import { cannotCarry } from "../untranslatable.ts";

const inner = z.looseObject({
  type: z.string(),
  name: z.string().nullish(),
  description: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
  format: z.unknown().optional(),
});
export const toolSchema = inner.extend({ tools: z.array(inner).nullish() });
type AskedTool = z.output<typeof toolSchema>;

const chosen = z.looseObject({
  type: z.string(),
  name: z.string().nullish(),
  namespace: z.string().nullish(),
});
export const choiceSchema = z.union([
  z.enum(["none", "auto", "required"]),
  chosen.extend({ mode: z.enum(["auto", "required"]).nullish(), tools: z.array(chosen).nullish() }),
]);
type AskedChoice = z.output<typeof choiceSchema>;

/** The one name that a tool of a namespace has where there are none. */
export function flatName(name: string, namespace: string | null | undefined): string {
  if (namespace == null || namespace === "") return name;
  return namespace.endsWith("_") ? namespace + name : `${namespace}__${name}`;
}

/** @throws Untranslatable */
export function toolsOf(
  tools: readonly AskedTool[],
  choice: AskedChoice | null,
): Pick<Conversation, "tools" | "toolChoice"> {
  const offered = tools.flatMap((tool, index) => readTool(tool, `tools.${index}`));
  if (choice === null) return chosenTools(offered, null);
  if (typeof choice === "string") return chosenTools(offered, choiceOf(choice));
  switch (choice.type) {
    case "function":
    case "custom":
      return chosenTools(offered, { type: "tool", name: flatName(choice.name ?? "", choice.namespace) });
    case "allowed_tools": {
      const names = (choice.tools ?? []).map((tool) => flatName(tool.name ?? tool.type, tool.namespace));
      return chosenTools(onlyAllowed(offered, names), choiceOf(choice.mode ?? "auto"));
    }
    default:
      throw cannotCarry(`tool_choice "${choice.type}"`);
  }
}

function choiceOf(mode: "none" | "auto" | "required"): ToolChoice {
  return { type: mode === "required" ? "any" : mode };
}

function readTool(tool: AskedTool, field: string): readonly (Tool | HostedTool)[] {
  if (tool.type !== "namespace") return [plainTool(tool, field)];
  return (tool.tools ?? []).map((one, index): Tool | HostedTool => {
    const read = plainTool(one, `${field}.tools.${index}`);
    if ("hosted" in read) return read;
    const group = { namespace: tool.name ?? "", name: read.name };
    return { ...read, name: flatName(read.name, tool.name), group };
  });
}

function plainTool(tool: z.output<typeof inner>, field: string): Tool | HostedTool {
  if (tool.type === "custom" && tool.name != null)
    return textTool({ name: tool.name, description: tool.description }, tool.format);
  if (tool.type !== "function" || tool.name == null)
    return { hosted: tool.name ?? tool.type, field: `${field} "${tool.type}"` };
  return {
    name: tool.name,
    description: tool.description ?? null,
    schema: tool.parameters ?? {},
    strict: tool.strict ?? null,
    takes: "json",
    group: null,
  };
}
