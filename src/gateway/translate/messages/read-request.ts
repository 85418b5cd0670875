import { z } from "zod";
import type { Asked } from "../codec.ts";
import {
  EFFORTS,
  NO_SAMPLING,
  type Conversation,
  type Effort,
  type Thinking,
  type Tool,
} from "../conversation.ts";
import { chosenTools } from "../tools.ts";
import { isEmpty, never, parseBody, refuseFields, type Refused } from "../untranslatable.ts";
import { asBlocks, message, text, textPart, turnOf } from "./read-turns.ts";

const request = z.looseObject({
  messages: z.array(message),
  system: z.preprocess(asBlocks, z.array(text).nullish()),
  max_tokens: z.number().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: z.number().nullish(),
  stop_sequences: z.array(z.string()).nullish(),
  stream: z.boolean().nullish(),
  tools: z
    .array(
      z.looseObject({
        type: z.string().nullish(),
        name: z.string(),
        description: z.string().nullish(),
        input_schema: z.record(z.string(), z.unknown()).nullish(),
        strict: z.boolean().nullish(),
      }),
    )
    .nullish(),
  tool_choice: z
    .looseObject({
      type: z.enum(["auto", "any", "none", "tool"]),
      name: z.string().nullish(),
      disable_parallel_tool_use: z.boolean().nullish(),
    })
    .nullish(),
  thinking: z.looseObject({ type: z.string(), budget_tokens: z.number().nullish() }).nullish(),
  output_config: z
    .looseObject({
      effort: z.enum(EFFORTS).nullish(),
      format: z
        .looseObject({ type: z.literal("json_schema"), schema: z.record(z.string(), z.unknown()) })
        .nullish(),
    })
    .nullish(),
});
type Request = z.output<typeof request>;

const REFUSED: Refused = { container: never, mcp_servers: isEmpty };

/** @throws Untranslatable */
export function readRequest(body: unknown, { model }: Asked): Conversation {
  const asked = parseBody(request, body);
  refuseFields(asked, REFUSED);
  const choice = asked.tool_choice ?? null;
  return {
    from: "messages",
    model,
    stream: asked.stream === true,
    streamUsage: true,
    // Claude Code's own mark changes with every call, and would be the first thing that a prompt cache sees.
    system: (asked.system ?? [])
      .filter(({ text: said }) => !said.startsWith("x-anthropic-billing-header:"))
      .map(textPart),
    turns: asked.messages.map(turnOf),
    ...toolsOf(asked),
    parallelTools: choice?.disable_parallel_tool_use === true ? false : null,
    maxTokens: asked.max_tokens ?? null,
    stop: asked.stop_sequences ?? [],
    sampling: {
      ...NO_SAMPLING,
      temperature: asked.temperature ?? null,
      topP: asked.top_p ?? null,
      topK: asked.top_k ?? null,
    },
    thinking: thinkingOf(asked),
    format:
      asked.output_config?.format == null
        ? null
        : {
            type: "json_schema",
            name: null,
            description: null,
            schema: asked.output_config.format.schema,
            strict: true,
          },
    verbosity: null,
    cacheKey: null,
  };
}

/** Tools without a schema are run by Anthropic itself. */
function toolsOf(asked: Request): Pick<Conversation, "tools" | "toolChoice"> {
  const offered = (asked.tools ?? []).map(
    (tool, index): Tool | { readonly hosted: string; readonly field: string } =>
      tool.input_schema == null
        ? { hosted: tool.name, field: `tools.${index} "${tool.type ?? tool.name}"` }
        : {
            name: tool.name,
            description: tool.description ?? null,
            schema: tool.input_schema,
            strict: tool.strict ?? null,
            takes: "json",
            group: null,
          },
  );
  const choice = asked.tool_choice;
  if (choice?.type === "tool") return chosenTools(offered, { type: "tool", name: choice.name ?? "" });
  return chosenTools(offered, choice == null ? null : { type: choice.type as "auto" | "any" | "none" });
}

function thinkingOf(asked: Request): Thinking | null {
  const effort = asked.output_config?.effort;
  const kind = asked.thinking?.type;
  if (kind === "disabled") return { effort: "none", budgetTokens: null, isKnown: false };
  const budgetTokens = asked.thinking?.budget_tokens ?? null;
  if (kind === "enabled" && budgetTokens !== null)
    return { effort: effort ?? effortOf(budgetTokens), budgetTokens, isKnown: false };
  // "adaptive" without an effort: as the model does by itself.
  return effort == null ? null : { effort, budgetTokens: null, isKnown: false };
}

function effortOf(budgetTokens: number): Effort {
  if (budgetTokens < 4_000) return "low";
  return budgetTokens < 16_000 ? "medium" : "high";
}
