import type { Conversation, Effort, Tool, Turn } from "../conversation.ts";
import { objectSchema } from "../tools.ts";
import { cannotCarry } from "../untranslatable.ts";
import { hasText, messagesOf, type Message } from "./write-turns.ts";

const TO = "messages";
const CACHED = { cache_control: { type: "ephemeral" } } as const;
/** Models whose thinking is asked for by a number of tokens; later ones take an effort. */
const BUDGETED = /claude-(?:3|(?:opus|sonnet|haiku)-4(?![-.](?:[6-9]|\d\d(?!\d)))(?!\d))/;
const BUDGETS: Readonly<Record<Effort, number>> = {
  none: 0,
  minimal: 1_024,
  low: 2_048,
  medium: 8_192,
  high: 16_384,
  xhigh: 24_576,
  max: 31_999,
};
const LEAST_BUDGET = 1_024;
/** Efforts that every model that takes one knows. */
const EFFORTS_OF_ALL: Readonly<Record<Effort, string>> = {
  none: "low",
  minimal: "low",
  low: "low",
  medium: "medium",
  high: "high",
  xhigh: "high",
  max: "high",
};

/** @throws Untranslatable */
export function writeRequest(conversation: Conversation): {
  readonly body: object;
  readonly operation: null;
} {
  const { sampling, format } = conversation;
  refuse(conversation);
  const maxTokens = conversation.maxTokens ?? defaultMaxTokens(conversation.model);
  const thinking = thinkingFields(conversation, maxTokens);
  const messages = messagesOf(conversation.turns);
  // Elsewhere providers cache by themselves; here the caller would pay for every turn of an agent again.
  const caches = conversation.tools.length > 0;
  if (caches) markLast(messages);
  const system = conversation.system.filter(hasText).map((part) => ({ type: "text", text: part.text }));
  return {
    operation: null,
    body: {
      model: conversation.model,
      max_tokens: maxTokens,
      ...(system.length === 0 ? {} : { system: caches ? withLast(system, CACHED) : system }),
      messages,
      ...(conversation.stream ? { stream: true } : {}),
      ...(conversation.tools.length === 0 ? {} : { tools: conversation.tools.map(toolOf) }),
      ...toolChoiceField(conversation),
      ...(conversation.stop.length === 0 ? {} : { stop_sequences: conversation.stop }),
      // With thinking none of these may be set, and newer models take one of them at most.
      ...("thinking" in thinking && thinking.thinking?.type !== "disabled"
        ? {}
        : sampling.temperature !== null
          ? { temperature: Math.min(1, sampling.temperature) }
          : sampling.topP !== null
            ? { top_p: sampling.topP }
            : {}),
      ...(sampling.topK === null ? {} : { top_k: sampling.topK }),
      ...withFormat(thinking, format),
    },
  };
}

function refuse({ sampling, format, from }: Conversation): void {
  if (sampling.frequencyPenalty !== null && sampling.frequencyPenalty !== 0)
    throw cannotCarry("frequency_penalty", TO);
  if (sampling.presencePenalty !== null && sampling.presencePenalty !== 0)
    throw cannotCarry("presence_penalty", TO);
  if (format?.type === "json_object")
    throw cannotCarry(
      from === "responses" ? 'text.format "json_object"' : 'response_format "json_object"',
      TO,
    );
}

function defaultMaxTokens(model: string): number {
  if (/claude-3-(?:opus|sonnet|haiku)/.test(model)) return 4_096;
  if (/claude-3-5/.test(model)) return 8_192;
  return 32_000;
}

function thinkingFields(
  conversation: Conversation,
  maxTokens: number,
): {
  readonly thinking?: { readonly type: string; readonly budget_tokens?: number };
  readonly output_config?: { readonly effort?: string };
} {
  const { thinking, model, toolChoice } = conversation;
  if (thinking === null) return {};
  if (thinking.effort === "none") return { thinking: { type: "disabled" } };
  // A demanded tool and thinking exclude one another.
  if (toolChoice?.type === "any" || toolChoice?.type === "tool") return {};
  if (/claude/.test(model) && !BUDGETED.test(model))
    return {
      thinking: { type: "adaptive" },
      output_config: { effort: EFFORTS_OF_ALL[thinking.effort] },
    };
  const budget = Math.min(thinking.budgetTokens ?? BUDGETS[thinking.effort], Math.floor(maxTokens / 2));
  // Claude refuses to think on after a call that it made without its own signed thinking.
  if (budget < LEAST_BUDGET || lacksThinking(conversation.turns)) return {};
  return { thinking: { type: "enabled", budget_tokens: budget } };
}

function lacksThinking(turns: readonly Turn[]): boolean {
  const last = turns.findLast((turn) => turn.role === "assistant");
  if (last === undefined || !last.parts.some((part) => part.type === "tool_call")) return false;
  const first = last.parts[0];
  return first?.type !== "thinking" || first.proof?.of !== TO;
}

function withFormat(
  thinking: ReturnType<typeof thinkingFields>,
  format: Conversation["format"],
): Readonly<Record<string, unknown>> {
  if (format?.type !== "json_schema") return thinking;
  return {
    ...thinking,
    output_config: { ...thinking.output_config, format: { type: "json_schema", schema: format.schema } },
  };
}

function toolOf(tool: Tool): object {
  return {
    name: tool.name,
    ...(tool.description === null ? {} : { description: tool.description }),
    input_schema: objectSchema(tool.schema),
    ...(tool.strict === true ? { strict: true } : {}),
  };
}

function toolChoiceField({ toolChoice, parallelTools, tools }: Conversation): object {
  if (tools.length === 0) return {};
  const single =
    parallelTools === false && toolChoice?.type !== "none" ? { disable_parallel_tool_use: true } : {};
  if (toolChoice === null) return parallelTools === false ? { tool_choice: { type: "auto", ...single } } : {};
  return { tool_choice: { ...toolChoice, ...single } };
}

function markLast(messages: readonly Message[]): void {
  const last = messages.at(-1);
  if (last?.role === "user") last.content = withLast(last.content, CACHED);
}

function withLast<T extends object>(items: readonly T[], more: object): T[] {
  return items.map((item, index) => (index === items.length - 1 ? { ...item, ...more } : item));
}
