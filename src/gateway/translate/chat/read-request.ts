import { z } from "zod";
import type { Asked } from "../codec.ts";
import {
  EFFORTS,
  type Conversation,
  type Format,
  type TextPart,
  type Tool,
  type ToolChoice,
} from "../conversation.ts";
import { chosenTools, onlyAllowed, textTool, type HostedTool } from "../tools.ts";
import {
  isEmpty,
  isFalse,
  isOneOf,
  never,
  parseBody,
  refuseFields,
  type Refused,
} from "../untranslatable.ts";
import { message, turnOf } from "./read-turns.ts";

const schema = z.record(z.string(), z.unknown());
const named = z.looseObject({ name: z.string() });
const tool = z.looseObject({
  type: z.string(),
  function: z
    .looseObject({
      name: z.string(),
      description: z.string().nullish(),
      parameters: schema.nullish(),
      strict: z.boolean().nullish(),
    })
    .optional(),
  custom: z
    .looseObject({ name: z.string(), description: z.string().nullish(), format: z.unknown().optional() })
    .optional(),
});
const choice = z.union([
  z.enum(["none", "auto", "required"]),
  z.looseObject({ type: z.literal("function"), function: named }),
  z.looseObject({ type: z.literal("custom"), custom: named }),
  z.looseObject({
    type: z.literal("allowed_tools"),
    allowed_tools: z.looseObject({
      mode: z.enum(["auto", "required"]),
      tools: z.array(z.looseObject({ function: named.optional(), custom: named.optional() })),
    }),
  }),
]);

const request = z.looseObject({
  messages: z.array(message),
  max_tokens: z.number().nullish(),
  max_completion_tokens: z.number().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: z.number().nullish(),
  frequency_penalty: z.number().nullish(),
  presence_penalty: z.number().nullish(),
  seed: z.number().nullish(),
  stop: z.preprocess((value) => (typeof value === "string" ? [value] : value), z.array(z.string()).nullish()),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  tools: z.array(tool).nullish(),
  tool_choice: choice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  reasoning_effort: z.enum(EFFORTS).nullish(),
  response_format: z
    .discriminatedUnion("type", [
      z.looseObject({ type: z.literal("text") }),
      z.looseObject({ type: z.literal("json_object") }),
      z.looseObject({
        type: z.literal("json_schema"),
        json_schema: z.looseObject({
          name: z.string().nullish(),
          description: z.string().nullish(),
          schema: schema.nullish(),
          strict: z.boolean().nullish(),
        }),
      }),
    ])
    .nullish(),
  verbosity: z.string().nullish(),
  prompt_cache_key: z.string().nullish(),
});
type Request = z.output<typeof request>;

const REFUSED: Refused = {
  n: isOneOf(1),
  logprobs: isFalse,
  top_logprobs: isOneOf(0),
  logit_bias: isEmpty,
  audio: never,
  modalities: (value) => JSON.stringify(value) === '["text"]',
  functions: isEmpty,
  function_call: isOneOf("none", "auto"),
  web_search_options: never,
};

/** @throws Untranslatable */
export function readRequest(body: unknown, { model }: Asked): Conversation {
  const asked = parseBody(request, body);
  refuseFields(asked, REFUSED);
  const isInstruction = (one: z.output<typeof message>): boolean =>
    one.role === "system" || one.role === "developer";
  const firstTurn = asked.messages.findIndex((one) => !isInstruction(one));
  const leading = firstTurn === -1 ? asked.messages.length : firstTurn;
  return {
    from: "chat_completions",
    model,
    stream: asked.stream === true,
    streamUsage: asked.stream_options?.include_usage === true,
    system: asked.messages.slice(0, leading).flatMap((one) => turnOf(one).parts as readonly TextPart[]),
    turns: asked.messages.slice(leading).map(turnOf),
    ...toolsOf(asked),
    parallelTools: asked.parallel_tool_calls ?? null,
    maxTokens: asked.max_completion_tokens ?? asked.max_tokens ?? null,
    stop: asked.stop ?? [],
    sampling: {
      temperature: asked.temperature ?? null,
      topP: asked.top_p ?? null,
      topK: asked.top_k ?? null,
      frequencyPenalty: asked.frequency_penalty ?? null,
      presencePenalty: asked.presence_penalty ?? null,
      seed: asked.seed ?? null,
    },
    thinking:
      asked.reasoning_effort == null
        ? null
        : { effort: asked.reasoning_effort, budgetTokens: null, isKnown: true },
    format: formatOf(asked),
    verbosity: asked.verbosity ?? null,
    cacheKey: asked.prompt_cache_key ?? null,
  };
}

function toolsOf(asked: Request): Pick<Conversation, "tools" | "toolChoice"> {
  const offered = (asked.tools ?? []).map((one, index): Tool | HostedTool => {
    if (one.type === "custom" && one.custom !== undefined) return textTool(one.custom, one.custom.format);
    if (one.function === undefined) return { hosted: one.type, field: `tools.${index} "${one.type}"` };
    return {
      name: one.function.name,
      description: one.function.description ?? null,
      schema: one.function.parameters ?? {},
      strict: one.function.strict ?? null,
      takes: "json",
      group: null,
    };
  });
  const wanted = asked.tool_choice;
  if (wanted == null) return chosenTools(offered, null);
  if (typeof wanted === "string") return chosenTools(offered, choiceOf(wanted));
  switch (wanted.type) {
    case "function":
      return chosenTools(offered, { type: "tool", name: wanted.function.name });
    case "custom":
      return chosenTools(offered, { type: "tool", name: wanted.custom.name });
    case "allowed_tools": {
      const { mode, tools } = wanted.allowed_tools;
      const names = tools.flatMap((one) => one.function?.name ?? one.custom?.name ?? []);
      return chosenTools(onlyAllowed(offered, names), choiceOf(mode));
    }
  }
}

function choiceOf(mode: "none" | "auto" | "required"): ToolChoice {
  return { type: mode === "required" ? "any" : mode };
}

function formatOf({ response_format: format }: Request): Format | null {
  if (format == null || format.type === "text") return null;
  if (format.type === "json_object") return { type: "json_object" };
  const { name, description, schema: wanted, strict } = format.json_schema;
  return {
    type: "json_schema",
    name: name ?? null,
    description: description ?? null,
    schema: wanted ?? {},
    strict: strict ?? null,
  };
}
