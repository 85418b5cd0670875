import { z } from "zod";
import type { Asked } from "../codec.ts";
import type { Conversation, Effort, Format, Thinking, Tool } from "../conversation.ts";
import { chosenTools, onlyAllowed, type HostedTool } from "../tools.ts";
import {
  cannotCarry,
  isFalse,
  isOneOf,
  never,
  parseBody,
  refuseFields,
  type Refused,
} from "../untranslatable.ts";
import { contentSchema, textsOf, turnsOf } from "./read-contents.ts";
import { withCamelCase, withPlainTypes } from "./spelling.ts";

const schema = z.record(z.string(), z.unknown());
const count = z.number().nullish();
const request = z.looseObject({
  contents: z.preprocess(
    (value) => (typeof value === "string" ? [{ parts: [{ text: value }] }] : value),
    z.array(contentSchema),
  ),
  systemInstruction: contentSchema.nullish(),
  tools: z
    .array(
      z.looseObject({
        functionDeclarations: z
          .array(
            z.looseObject({
              name: z.string(),
              description: z.string().nullish(),
              parameters: schema.nullish(),
              parametersJsonSchema: schema.nullish(),
            }),
          )
          .nullish(),
      }),
    )
    .nullish(),
  toolConfig: z
    .looseObject({
      functionCallingConfig: z
        .looseObject({ mode: z.string().nullish(), allowedFunctionNames: z.array(z.string()).nullish() })
        .nullish(),
    })
    .nullish(),
  generationConfig: z
    .looseObject({
      temperature: count,
      topP: count,
      topK: count,
      maxOutputTokens: count,
      stopSequences: z.array(z.string()).nullish(),
      presencePenalty: count,
      frequencyPenalty: count,
      seed: count,
      responseMimeType: z.string().nullish(),
      responseSchema: schema.nullish(),
      responseJsonSchema: schema.nullish(),
      thinkingConfig: z.looseObject({ thinkingBudget: count, thinkingLevel: z.string().nullish() }).nullish(),
    })
    .nullish(),
});
type Request = z.output<typeof request>;

const REFUSED: Refused = { cachedContent: never };
const REFUSED_CONFIG: Refused = {
  candidateCount: isOneOf(1),
  responseModalities: (value) => JSON.stringify(value).toUpperCase() === '["TEXT"]',
  speechConfig: never,
  imageConfig: never,
  responseLogprobs: isFalse,
  logprobs: isOneOf(0),
  responseMimeType: isOneOf("text/plain", "application/json"),
};
const LEVELS: Readonly<Record<string, Effort>> = {
  minimal: "minimal",
  low: "low",
  medium: "medium",
  high: "high",
};

/** @throws Untranslatable */
export function readRequest(body: unknown, { model, operation, query }: Asked): Conversation {
  const asked = parseBody(request, withCamelCase(body));
  const config = asked.generationConfig ?? {};
  refuseFields(asked, REFUSED);
  refuseFields(config, REFUSED_CONFIG);
  const stream = operation === "streamGenerateContent";
  if (stream && !/[?&]alt=sse\b/.test(query)) throw cannotCarry('streamGenerateContent without "alt=sse"');
  return {
    from: "generate_content",
    model,
    stream,
    streamUsage: true,
    system: textsOf(asked.systemInstruction),
    turns: turnsOf(asked.contents),
    ...toolsOf(asked),
    parallelTools: null,
    maxTokens: config.maxOutputTokens ?? null,
    stop: config.stopSequences ?? [],
    sampling: {
      temperature: config.temperature ?? null,
      topP: config.topP ?? null,
      topK: config.topK ?? null,
      frequencyPenalty: config.frequencyPenalty ?? null,
      presencePenalty: config.presencePenalty ?? null,
      seed: config.seed ?? null,
    },
    thinking: thinkingOf(config.thinkingConfig),
    format: formatOf(config),
    verbosity: null,
    cacheKey: null,
  };
}

function toolsOf(asked: Request): Pick<Conversation, "tools" | "toolChoice"> {
  const offered = (asked.tools ?? []).flatMap((group, index): (Tool | HostedTool)[] => {
    const others = Object.keys(group).filter((name) => name !== "functionDeclarations");
    return [
      ...(group.functionDeclarations ?? []).map((one): Tool => ({
        name: one.name,
        description: one.description ?? null,
        schema: one.parametersJsonSchema ?? (withPlainTypes(one.parameters ?? {}) as Tool["schema"]),
        strict: null,
        takes: "json",
        group: null,
      })),
      ...others.map((name) => ({ hosted: name, field: `tools.${index}.${name}` })),
    ];
  });
  const choice = asked.toolConfig?.functionCallingConfig;
  const allowed = choice?.allowedFunctionNames ?? [];
  const [only] = allowed;
  switch (choice?.mode?.toUpperCase()) {
    case "NONE":
      return chosenTools(offered, { type: "none" });
    case "ANY":
      if (allowed.length === 1 && only !== undefined)
        return chosenTools(offered, { type: "tool", name: only });
      return chosenTools(only === undefined ? offered : onlyAllowed(offered, allowed), { type: "any" });
    case "AUTO":
      return chosenTools(offered, { type: "auto" });
    default:
      return chosenTools(offered, null);
  }
}

function thinkingOf(
  config:
    | {
        readonly thinkingBudget?: number | null | undefined;
        readonly thinkingLevel?: string | null | undefined;
      }
    | null
    | undefined,
): Thinking | null {
  const effort = LEVELS[config?.thinkingLevel?.toLowerCase() ?? ""];
  if (effort !== undefined) return { effort, budgetTokens: null, isKnown: false };
  const budgetTokens = config?.thinkingBudget;
  // -1: as the model likes.
  if (budgetTokens == null || budgetTokens < 0) return null;
  if (budgetTokens === 0) return { effort: "none", budgetTokens: null, isKnown: false };
  return {
    effort: budgetTokens < 4_000 ? "low" : budgetTokens < 16_000 ? "medium" : "high",
    budgetTokens,
    isKnown: false,
  };
}

function formatOf(config: NonNullable<Request["generationConfig"]>): Format | null {
  const wanted = config.responseJsonSchema ?? config.responseSchema;
  if (wanted != null)
    return {
      type: "json_schema",
      name: null,
      description: null,
      schema: withPlainTypes(wanted) as Readonly<Record<string, unknown>>,
      strict: null,
    };
  return config.responseMimeType === "application/json" ? { type: "json_object" } : null;
}
