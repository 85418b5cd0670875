import {
  joinText,
  type AssistantPart,
  type Conversation,
  type FilePart,
  type Format,
  type ImagePart,
  type Sampling,
  type TextPart,
  type Tool,
  type ToolChoice,
  type ToolResultPart,
  type Turn,
} from "../conversation.ts";
import { openAiEffort, thinksByName } from "../effort.ts";
import { urlOfSource } from "../sources.ts";
import { errorText, objectSchema } from "../tools.ts";
import { cannotCarry } from "../untranslatable.ts";

const TO = "responses";
/** OpenAI refuses to answer with fewer. */
const LEAST_TOKENS = 16;

/** @throws Untranslatable */
export function writeRequest(conversation: Conversation): {
  readonly body: object;
  readonly operation: null;
} {
  const { model, sampling } = conversation;
  refuse(conversation);
  const thinks = thinksByName(model);
  const system = joinText(conversation.system);
  const fields: Readonly<Record<string, unknown>> = {
    instructions: system === "" ? null : system,
    max_output_tokens:
      conversation.maxTokens === null ? null : Math.max(LEAST_TOKENS, conversation.maxTokens),
    temperature: thinks ? null : sampling.temperature,
    top_p: thinks ? null : sampling.topP,
    // We keep the whole conversation, so the provider need not; its thinking comes back to it encrypted.
    include: thinks ? ["reasoning.encrypted_content"] : null,
    reasoning: reasoningOf(conversation),
    text: textOf(conversation),
    prompt_cache_key: conversation.cacheKey,
    ...(conversation.tools.length === 0
      ? {}
      : {
          tools: conversation.tools.map(toolOf),
          tool_choice: conversation.toolChoice === null ? null : choiceOf(conversation.toolChoice),
          parallel_tool_calls: conversation.parallelTools,
        }),
  };
  return {
    operation: null,
    body: {
      model,
      input: conversation.turns.flatMap(itemsOf),
      store: false,
      ...(conversation.stream ? { stream: true } : {}),
      ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)),
    },
  };
}

/** Thinking is shown to those whose dialect shows it: some accounts may not ask for it. */
function reasoningOf(conversation: Conversation): object | null {
  const effort = openAiEffort(conversation);
  const { from, thinking } = conversation;
  const shows = from !== "chat_completions" && thinking !== null && thinking.effort !== "none";
  if (effort === null) return null;
  return { effort, ...(shows ? { summary: "auto" } : {}) };
}

function refuse({ from, stop, sampling }: Conversation): void {
  if (stop.length > 0) throw cannotCarry(from === "messages" ? "stop_sequences" : "stop", TO);
  const unknown = {
    top_k: sampling.topK,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
  } satisfies Readonly<Record<string, Sampling["topK"]>>;
  for (const [field, value] of Object.entries(unknown))
    if (value !== null && value !== 0) throw cannotCarry(field, TO);
}

function textOf({ format, verbosity }: Conversation): object | null {
  if (format === null && verbosity === null) return null;
  return {
    ...(format === null ? {} : { format: formatOf(format) }),
    ...(verbosity === null ? {} : { verbosity }),
  };
}

function formatOf(format: Format): object {
  if (format.type === "json_object") return { type: "json_object" };
  return {
    type: "json_schema",
    name: format.name ?? "answer",
    ...(format.description === null ? {} : { description: format.description }),
    schema: format.schema,
    ...(format.strict === null ? {} : { strict: format.strict }),
  };
}

function toolOf(tool: Tool): object {
  return {
    type: "function",
    name: tool.name,
    ...(tool.description === null ? {} : { description: tool.description }),
    parameters: objectSchema(tool.schema),
    // Left out it would be true here, and schemas that are not made for it are refused.
    strict: tool.strict ?? false,
  };
}

function choiceOf(choice: ToolChoice): unknown {
  if (choice.type === "tool") return { type: "function", name: choice.name };
  return choice.type === "any" ? "required" : choice.type;
}

function itemsOf(turn: Turn): readonly object[] {
  switch (turn.role) {
    case "system":
      return [{ type: "message", role: "developer", content: turn.parts.map(shownPart) }];
    case "assistant":
      return turn.parts.flatMap(assistantItems);
    case "user": {
      const results = turn.parts.filter((part) => part.type === "tool_result");
      const shown = turn.parts.filter((part) => part.type !== "tool_result");
      const said =
        shown.length === 0 ? [] : [{ type: "message", role: "user", content: shown.map(shownPart) }];
      return [...results.map(resultItem), ...said];
    }
  }
}

function assistantItems(part: AssistantPart): readonly object[] {
  switch (part.type) {
    case "text":
      return part.text === ""
        ? []
        : [{ type: "message", role: "assistant", content: [{ type: "output_text", text: part.text }] }];
    case "tool_call":
      return [
        {
          type: "function_call",
          call_id: part.id,
          name: part.name,
          arguments: part.input === "" ? "{}" : part.input,
        },
      ];
    case "thinking":
      if (part.proof?.of !== TO) return [];
      return [
        {
          type: "reasoning",
          ...(part.proof.id === null ? {} : { id: part.proof.id }),
          summary: part.text === "" ? [] : [{ type: "summary_text", text: part.text }],
          encrypted_content: part.proof.value,
        },
      ];
  }
}

function resultItem(result: ToolResultPart): object {
  const isText = result.content.every((part) => part.type === "text");
  const text = joinText(result.content, "\n");
  const output = isText
    ? result.isError
      ? errorText(text)
      : text
    : [...(result.isError ? [{ type: "input_text", text: "Error:" }] : []), ...result.content.map(shownPart)];
  return { type: "function_call_output", call_id: result.callId, output };
}

function shownPart(part: TextPart | ImagePart | FilePart): object {
  switch (part.type) {
    case "text":
      return { type: "input_text", text: part.text };
    case "image":
      return { type: "input_image", image_url: urlOfSource(part.source), detail: part.detail ?? "auto" };
    case "file":
      return part.source.kind === "url"
        ? { type: "input_file", file_url: part.source.url }
        : { type: "input_file", filename: part.name ?? "document", file_data: urlOfSource(part.source) };
  }
}
