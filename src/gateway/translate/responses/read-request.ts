import { z } from "zod";
import type { Asked } from "../codec.ts";
import {
  EFFORTS,
  NO_SAMPLING,
  type Conversation,
  type Format,
  type TextPart,
  type Turn,
} from "../conversation.ts";
import { isFalse, isOneOf, never, parseBody, refuseFields, type Refused } from "../untranslatable.ts";
import { inputSchema, turnOf } from "./read-items.ts";
import { choiceSchema, toolSchema, toolsOf } from "./read-tools.ts";

const request = z.looseObject({
  input: inputSchema,
  instructions: z.string().nullish(),
  max_output_tokens: z.number().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  stream: z.boolean().nullish(),
  tools: z.array(toolSchema).nullish(),
  tool_choice: choiceSchema.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  reasoning: z.looseObject({ effort: z.enum(EFFORTS).nullish() }).nullish(),
  text: z
    .looseObject({
      verbosity: z.string().nullish(),
      format: z
        .discriminatedUnion("type", [
          z.looseObject({ type: z.literal("text") }),
          z.looseObject({ type: z.literal("json_object") }),
          z.looseObject({
            type: z.literal("json_schema"),
            name: z.string().nullish(),
            description: z.string().nullish(),
            schema: z.record(z.string(), z.unknown()),
            strict: z.boolean().nullish(),
          }),
        ])
        .nullish(),
    })
    .nullish(),
  prompt_cache_key: z.string().nullish(),
});
type Request = z.output<typeof request>;

/** Of these the provider would have to remember something, or do something that nobody else does. */
const REFUSED: Refused = {
  previous_response_id: never,
  conversation: never,
  prompt: never,
  background: isFalse,
  top_logprobs: isOneOf(0),
};

/** @throws Untranslatable */
export function readRequest(body: unknown, { model }: Asked): Conversation {
  const asked = parseBody(request, body);
  refuseFields(asked, REFUSED);
  const turns = asked.input
    .map((item, index) => turnOf(item, `input.${index}`))
    .filter((turn): turn is Turn => turn !== null);
  const firstTurn = turns.findIndex(({ role }) => role !== "system");
  const leading = firstTurn === -1 ? turns.length : firstTurn;
  const instructions: readonly TextPart[] =
    asked.instructions == null || asked.instructions === ""
      ? []
      : [{ type: "text", text: asked.instructions }];
  // Codex brings some of its tools among the input.
  const brought = asked.input.flatMap((item) => (item.type === "additional_tools" ? item.tools : []));
  const effort = asked.reasoning?.effort;
  return {
    from: "responses",
    model,
    stream: asked.stream === true,
    streamUsage: true,
    system: [
      ...instructions,
      ...turns.slice(0, leading).flatMap(({ parts }) => parts as readonly TextPart[]),
    ],
    turns: turns.slice(leading),
    ...toolsOf([...(asked.tools ?? []), ...brought], asked.tool_choice ?? null),
    parallelTools: asked.parallel_tool_calls ?? null,
    maxTokens: asked.max_output_tokens ?? null,
    stop: [],
    sampling: { ...NO_SAMPLING, temperature: asked.temperature ?? null, topP: asked.top_p ?? null },
    thinking: effort == null ? null : { effort, budgetTokens: null, isKnown: true },
    format: formatOf(asked),
    verbosity: asked.text?.verbosity ?? null,
    cacheKey: asked.prompt_cache_key ?? null,
  };
}

function formatOf({ text }: Request): Format | null {
  const format = text?.format;
  if (format == null || format.type === "text") return null;
  if (format.type === "json_object") return { type: "json_object" };
  const { name, description, schema, strict } = format;
  return {
    type: "json_schema",
    name: name ?? null,
    description: description ?? null,
    schema,
    strict: strict ?? null,
  };
}
