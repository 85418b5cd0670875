import {
  joinText,
  type Conversation,
  type Effort,
  type FilePart,
  type Format,
  type ImagePart,
  type Source,
  type TextPart,
  type ToolChoice,
  type ToolResultPart,
  type Turn,
} from "../conversation.ts";
import { inputObject, objectSchema } from "../tools.ts";

const TO = "generate_content";
const BUDGETS: Readonly<Record<Effort, number>> = {
  none: 0,
  minimal: 512,
  low: 1_024,
  medium: 8_192,
  high: 24_576,
  xhigh: 24_576,
  max: 24_576,
};
/** The least of the models that cannot do without. */
const LEAST_OF_PRO = 128;
/** Models that take a level instead of a number, and that want the signature of every call that they made. */
const LEVELLED = /gemini-(?:[3-9]|\d\d)/;
const THINKS = /gemini-(?:2\.5|[3-9]|\d\d)/;
/** What Google gives out for calls that another model made. */
const NO_SIGNATURE = "skip_thought_signature_validator";
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  pdf: "application/pdf",
};

type Part = Readonly<Record<string, unknown>>;

export function writeRequest(conversation: Conversation): {
  readonly body: object;
  readonly operation: string;
} {
  const { sampling, tools, toolChoice, format } = conversation;
  const system = joinText(conversation.system);
  const config: Readonly<Record<string, unknown>> = {
    temperature: sampling.temperature,
    topP: sampling.topP,
    topK: sampling.topK,
    frequencyPenalty: sampling.frequencyPenalty,
    presencePenalty: sampling.presencePenalty,
    seed: sampling.seed,
    maxOutputTokens: conversation.maxTokens,
    stopSequences: conversation.stop.length === 0 ? null : conversation.stop,
    ...(format === null ? {} : formatFields(format)),
    thinkingConfig: thinkingOf(conversation),
  };
  return {
    operation: conversation.stream ? "streamGenerateContent" : "generateContent",
    body: {
      contents: contentsOf(conversation),
      ...(system === "" ? {} : { systemInstruction: { parts: [{ text: system }] } }),
      ...(tools.length === 0
        ? {}
        : {
            tools: [
              {
                functionDeclarations: tools.map((tool) => ({
                  name: tool.name,
                  ...(tool.description === null ? {} : { description: tool.description }),
                  parametersJsonSchema: objectSchema(tool.schema),
                })),
              },
            ],
            ...(toolChoice === null ? {} : { toolConfig: { functionCallingConfig: choiceOf(toolChoice) } }),
          }),
      generationConfig: Object.fromEntries(Object.entries(config).filter(([, value]) => value !== null)),
    },
  };
}

function formatFields(format: Format): object {
  const type = { responseMimeType: "application/json" };
  return format.type === "json_object" ? type : { ...type, responseJsonSchema: format.schema };
}

function choiceOf(choice: ToolChoice): object {
  if (choice.type === "tool") return { mode: "ANY", allowedFunctionNames: [choice.name] };
  return { mode: choice.type.toUpperCase() };
}

function thinkingOf({ thinking, model }: Conversation): object | null {
  if (!THINKS.test(model)) return null;
  const shown = { includeThoughts: true };
  if (thinking === null) return shown;
  if (LEVELLED.test(model))
    return { ...shown, thinkingLevel: ["none", "minimal", "low"].includes(thinking.effort) ? "low" : "high" };
  const budget = thinking.budgetTokens ?? BUDGETS[thinking.effort];
  if (/pro/.test(model))
    return { ...shown, thinkingBudget: Math.max(LEAST_OF_PRO, Math.min(budget, BUDGETS.max)) };
  return budget === 0 ? { thinkingBudget: 0 } : { ...shown, thinkingBudget: Math.min(budget, BUDGETS.max) };
}

/** Google wants turns in turn, and all results of one turn's calls together. */
function contentsOf({ turns, model }: Conversation): readonly object[] {
  const names = new Map(
    turns.flatMap(({ parts }) =>
      parts.flatMap((part) => (part.type === "tool_call" ? [[part.id, part.name] as const] : [])),
    ),
  );
  const contents: { readonly role: string; parts: Part[] }[] = [];
  for (const turn of turns) {
    const role = turn.role === "assistant" ? "model" : "user";
    const parts = partsOf(turn, names);
    const last = contents.at(-1);
    if (parts.length === 0) continue;
    if (last?.role === role) last.parts.push(...parts);
    else contents.push({ role, parts: [...parts] });
  }
  return contents.map(({ role, parts }) => ({
    role,
    parts: role === "model" ? signed(parts, model) : resultsFirst(parts),
  }));
}

const resultsFirst = (parts: readonly Part[]): readonly Part[] => [
  ...parts.filter((part) => "functionResponse" in part),
  ...parts.filter((part) => !("functionResponse" in part)),
];

/** The first call of a turn has to be signed; one that another model made cannot be. */
function signed(parts: readonly Part[], model: string): readonly Part[] {
  const first = parts.findIndex((part) => "functionCall" in part);
  if (!LEVELLED.test(model) || first === -1 || "thoughtSignature" in (parts[first] ?? {})) return parts;
  return parts.map((part, index) => (index === first ? { ...part, thoughtSignature: NO_SIGNATURE } : part));
}

function partsOf(turn: Turn, names: ReadonlyMap<string, string>): readonly Part[] {
  switch (turn.role) {
    case "system":
      return [{ text: `<system-reminder>\n${joinText(turn.parts)}\n</system-reminder>` }];
    case "user":
      return turn.parts.flatMap((part) =>
        part.type === "tool_result" ? resultParts(part, names) : [shownPart(part)],
      );
    case "assistant": {
      let signature: string | null = null;
      const parts: Part[] = [];
      for (const part of turn.parts) {
        if (part.type === "thinking") {
          // The thoughts themselves are not wanted back, only what belongs to the part that follows them.
          signature = part.proof?.of === TO ? part.proof.value : null;
          continue;
        }
        const mark = signature === null ? {} : { thoughtSignature: signature };
        signature = null;
        if (part.type === "tool_call")
          parts.push({
            functionCall: { id: part.id, name: part.name, args: inputObject(part.input) },
            ...mark,
          });
        else if (part.text !== "") parts.push({ text: part.text, ...mark });
      }
      return parts;
    }
  }
}

function resultParts(result: ToolResultPart, names: ReadonlyMap<string, string>): readonly Part[] {
  const text = joinText(result.content, "\n");
  const more = result.content.filter((part) => part.type !== "text").map(shownPart);
  const response = result.isError ? { error: text } : { output: text };
  return [
    { functionResponse: { id: result.callId, name: names.get(result.callId) ?? result.callId, response } },
    ...(more.length === 0 ? [] : [{ text: `From the result of tool call ${result.callId}:` }, ...more]),
  ];
}

function shownPart(part: TextPart | ImagePart | FilePart): Part {
  return part.type === "text" ? { text: part.text } : dataPart(part.source);
}

function dataPart(source: Source): Part {
  if (source.kind === "base64") return { inlineData: { mimeType: source.mediaType, data: source.data } };
  const ending = /\.(\w+)(?:[?#]|$)/.exec(source.url)?.[1]?.toLowerCase() ?? "";
  const mimeType = source.mediaType ?? MEDIA_TYPES[ending];
  return { fileData: { ...(mimeType === undefined ? {} : { mimeType }), fileUri: source.url } };
}
