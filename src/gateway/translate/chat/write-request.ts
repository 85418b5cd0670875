import {
  joinText,
  joinTurns,
  type AssistantPart,
  type Conversation,
  type FilePart,
  type Format,
  type ImagePart,
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

const TO = "chat_completions";
/** OpenAI's own models want the newer name of the field; other servers often know the older one only. */
const OPENAI_MODEL = /(?:^|\/)(?:o[1-9]|gpt-(?!oss)|chatgpt)/;

/** @throws Untranslatable */
export function writeRequest(conversation: Conversation): {
  readonly body: object;
  readonly operation: null;
} {
  const { sampling, model } = conversation;
  const effort = openAiEffort(conversation);
  const samples = !thinksByName(model);
  const limit = OPENAI_MODEL.test(model) ? "max_completion_tokens" : "max_tokens";
  if (sampling.topK !== null && OPENAI_MODEL.test(model)) throw cannotCarry("top_k", TO);
  const fields: Readonly<Record<string, unknown>> = {
    [limit]: conversation.maxTokens,
    // OpenAI's thinking models take none but the default.
    temperature: samples ? sampling.temperature : null,
    top_p: samples ? sampling.topP : null,
    top_k: sampling.topK,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
    seed: sampling.seed,
    stop: conversation.stop.length === 0 ? null : conversation.stop,
    reasoning_effort: effort,
    response_format: conversation.format === null ? null : formatOf(conversation.format),
    verbosity: conversation.verbosity,
    prompt_cache_key: conversation.cacheKey,
    ...(conversation.tools.length === 0
      ? {}
      : {
          tools: conversation.tools.map(toolOf),
          tool_choice: conversation.toolChoice === null ? null : choiceOf(conversation.toolChoice),
          parallel_tool_calls: conversation.parallelTools,
        }),
  };
  const system = joinText(conversation.system);
  return {
    operation: null,
    body: {
      model,
      messages: [
        ...(system === "" ? [] : [{ role: "system", content: system }]),
        ...joinTurns(conversation.turns).flatMap(messagesOf),
      ],
      ...(conversation.stream ? { stream: true, stream_options: { include_usage: true } } : {}),
      ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)),
    },
  };
}

function toolOf(tool: Tool): object {
  return {
    type: "function",
    function: {
      name: tool.name,
      ...(tool.description === null ? {} : { description: tool.description }),
      parameters: objectSchema(tool.schema),
      ...(tool.strict === null ? {} : { strict: tool.strict }),
    },
  };
}

function choiceOf(choice: ToolChoice): unknown {
  if (choice.type === "tool") return { type: "function", function: { name: choice.name } };
  return choice.type === "any" ? "required" : choice.type;
}

function formatOf(format: Format): object {
  if (format.type === "json_object") return { type: "json_object" };
  return {
    type: "json_schema",
    json_schema: {
      name: format.name ?? "answer",
      ...(format.description === null ? {} : { description: format.description }),
      schema: format.schema,
      ...(format.strict === null ? {} : { strict: format.strict }),
    },
  };
}

function messagesOf(turn: Turn): readonly object[] {
  switch (turn.role) {
    case "system":
      return [{ role: "system", content: joinText(turn.parts) }];
    case "assistant":
      return assistantMessages(turn.parts);
    case "user": {
      const results = turn.parts.filter((part) => part.type === "tool_result");
      const shown = turn.parts.filter((part) => part.type !== "tool_result");
      // A tool's message holds text only: what else it brought follows as if the user had shown it.
      const brought = results.flatMap(broughtParts);
      return [...results.map(resultMessage), ...userMessages([...brought, ...shown])];
    }
  }
}

function assistantMessages(parts: readonly AssistantPart[]): readonly object[] {
  const text = joinText(parts, "");
  const calls = parts.filter((part) => part.type === "tool_call");
  // Servers that think in this field want it back; others never gave it.
  const thought = parts
    .flatMap((part) => (part.type === "thinking" && part.proof?.of === TO ? [part.text] : []))
    .join("\n");
  if (text === "" && calls.length === 0) return [];
  return [
    {
      role: "assistant",
      content: text === "" ? null : text,
      ...(thought === "" ? {} : { reasoning_content: thought }),
      ...(calls.length === 0
        ? {}
        : {
            tool_calls: calls.map((call) => ({
              id: call.id,
              type: "function",
              function: { name: call.name, arguments: call.input === "" ? "{}" : call.input },
            })),
          }),
    },
  ];
}

function resultMessage(result: ToolResultPart): object {
  const text = joinText(result.content, "\n");
  const hasMore = result.content.some((part) => part.type !== "text");
  const shown = text === "" && hasMore ? "The result follows in the next message." : text;
  return {
    role: "tool",
    tool_call_id: result.callId,
    content: result.isError ? errorText(shown) : shown,
  };
}

function broughtParts(result: ToolResultPart): readonly (TextPart | ImagePart | FilePart)[] {
  const more = result.content.filter((part) => part.type !== "text");
  return more.length === 0
    ? []
    : [{ type: "text", text: `From the result of tool call ${result.callId}:` }, ...more];
}

function userMessages(parts: readonly (TextPart | ImagePart | FilePart)[]): readonly object[] {
  if (parts.length === 0) return [];
  if (parts.every((part) => part.type === "text"))
    return [{ role: "user", content: parts.length === 1 ? joinText(parts) : parts.map(partOf) }];
  return [{ role: "user", content: parts.map(partOf) }];
}

function partOf(part: TextPart | ImagePart | FilePart): object {
  switch (part.type) {
    case "text":
      return { type: "text", text: part.text };
    case "image":
      return {
        type: "image_url",
        image_url: {
          url: urlOfSource(part.source),
          ...(part.detail === null ? {} : { detail: part.detail }),
        },
      };
    case "file":
      if (part.source.kind === "url")
        throw cannotCarry(`a document by its URL (${part.source.url.slice(0, 100)})`, TO);
      return {
        type: "file",
        file: { filename: part.name ?? "document", file_data: urlOfSource(part.source) },
      };
  }
}
