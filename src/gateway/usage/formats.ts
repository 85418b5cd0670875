import type { UsageFormat } from "../endpoints.ts";
import { countOf, objectOf, textOf, UNKNOWN_USAGE, type JsonObject, type TokenUsage } from "./usage.ts";

/** What one event of a stream adds. Absent fields change nothing. */
export interface EventFacts {
  readonly model?: string | null;
  readonly usage?: TokenUsage;
  readonly complete?: boolean;
  readonly ended?: boolean;
  readonly failed?: boolean;
}

export interface Format {
  /** Cheap test on an event's raw data: most events hold nothing for us and are not parsed. */
  readonly isRelevant: (data: string) => boolean;
  readonly ofEvent: (event: JsonObject) => EventFacts;
  /** Whether `[DONE]` ends the stream. */
  readonly endsWithDone: boolean;
  readonly ofDocument: (document: JsonObject) => EventFacts;
}

/** Anthropic counts cached tokens apart from `input_tokens`; we count them in. */
function anthropicUsage(usage: JsonObject): TokenUsage {
  const fresh = countOf(usage["input_tokens"]);
  const cacheRead = countOf(usage["cache_read_input_tokens"]);
  const cacheWrite = countOf(usage["cache_creation_input_tokens"]);
  return {
    input: fresh === null ? null : fresh + (cacheRead ?? 0) + (cacheWrite ?? 0),
    output: countOf(usage["output_tokens"]),
    cacheRead,
    cacheWrite,
    cacheWriteHour: countOf(objectOf(usage["cache_creation"])["ephemeral_1h_input_tokens"]),
    reasoning: countOf(objectOf(usage["output_tokens_details"])["thinking_tokens"]),
    webSearches: countOf(objectOf(usage["server_tool_use"])["web_search_requests"]),
  };
}

const messages: Format = {
  isRelevant: (data) => /"usage"|"message_stop"|"error"/.test(data),
  endsWithDone: false,
  ofEvent: (event) => {
    switch (event["type"]) {
      case "message_start": {
        const message = objectOf(event["message"]);
        return { model: textOf(message["model"]), usage: anthropicUsage(objectOf(message["usage"])) };
      }
      case "message_delta":
        // Its counts are cumulative; the one with a stop reason is the last.
        return {
          usage: anthropicUsage(objectOf(event["usage"])),
          complete: countOf(objectOf(event["usage"])["output_tokens"]) !== null,
        };
      case "message_stop":
        return { ended: true };
      case "error":
        return { ended: true, failed: true };
      default:
        return {};
    }
  },
  ofDocument: (document) => ({
    model: textOf(document["model"]),
    usage: anthropicUsage(objectOf(document["usage"])),
  }),
};

function responsesUsage(usage: JsonObject): TokenUsage {
  return {
    ...UNKNOWN_USAGE,
    input: countOf(usage["input_tokens"]),
    output: countOf(usage["output_tokens"]),
    cacheRead: countOf(objectOf(usage["input_tokens_details"])["cached_tokens"]),
    reasoning: countOf(objectOf(usage["output_tokens_details"])["reasoning_tokens"]),
  };
}

const responses: Format = {
  isRelevant: (data) =>
    /"type"\s*:\s*"(?:response\.(?:completed|incomplete|failed|cancelled)|error)"/.test(data),
  endsWithDone: false,
  ofEvent: (event) => {
    const type = event["type"];
    if (type === "error") return { ended: true, failed: true };
    if (typeof type !== "string" || !/^response\.(completed|incomplete|failed|cancelled)$/.test(type))
      return {};
    const response = objectOf(event["response"]);
    const usage = responsesUsage(objectOf(response["usage"]));
    return {
      model: textOf(response["model"]),
      usage,
      complete: usage.output !== null,
      ended: true,
      failed: type === "response.failed",
    };
  },
  ofDocument: (document) => ({
    model: textOf(document["model"]),
    usage: responsesUsage(objectOf(document["usage"])),
  }),
};

function chatUsage(usage: JsonObject): TokenUsage {
  return {
    ...UNKNOWN_USAGE,
    input: countOf(usage["prompt_tokens"]),
    output: countOf(usage["completion_tokens"]),
    cacheRead: countOf(objectOf(usage["prompt_tokens_details"])["cached_tokens"]),
    reasoning: countOf(objectOf(usage["completion_tokens_details"])["reasoning_tokens"]),
  };
}

const chat: Format = {
  isRelevant: (data) => /"usage"\s*:\s*\{|"finish_reason"\s*:\s*"|"error"/.test(data),
  endsWithDone: true,
  ofEvent: (event) => {
    if (event["error"] !== undefined && event["error"] !== null) return { ended: true, failed: true };
    const usage = chatUsage(objectOf(event["usage"]));
    const choices = Array.isArray(event["choices"]) ? event["choices"] : [];
    const finished = choices.some((choice) => textOf(objectOf(choice)["finish_reason"]) !== null);
    return {
      model: textOf(event["model"]),
      // Servers that leave `[DONE]` out still finish their choices.
      ...(finished ? { ended: true } : {}),
      ...(usage.output === null ? {} : { usage, complete: true }),
    };
  },
  ofDocument: (document) => ({
    model: textOf(document["model"]),
    usage: chatUsage(objectOf(document["usage"])),
  }),
};

/** Only documents: embeddings are never streamed. */
const embeddings: Format = {
  isRelevant: () => false,
  endsWithDone: true,
  ofEvent: () => ({}),
  ofDocument: (document) => {
    const usage = chatUsage(objectOf(document["usage"]));
    return {
      model: textOf(document["model"]),
      // They have no output; the count is complete with the input.
      usage: { ...usage, output: usage.input === null ? null : (usage.output ?? 0) },
    };
  },
};

/** Google counts thoughts apart from the answer; we count them in, and so does its bill. */
function geminiUsage(usage: JsonObject): TokenUsage {
  const answer = countOf(usage["candidatesTokenCount"]);
  const thoughts = countOf(usage["thoughtsTokenCount"]);
  const input = countOf(usage["promptTokenCount"]);
  const tools = countOf(usage["toolUsePromptTokenCount"]);
  const known = input !== null && countOf(usage["totalTokenCount"]) !== null;
  return {
    ...UNKNOWN_USAGE,
    input: input === null ? null : input + (tools ?? 0),
    // An answer that was blocked has none.
    output: answer === null && thoughts === null && !known ? null : (answer ?? 0) + (thoughts ?? 0),
    cacheRead: countOf(usage["cachedContentTokenCount"]),
    reasoning: thoughts,
  };
}

function geminiFacts(part: JsonObject): EventFacts {
  if (part["error"] !== undefined) return { ended: true, failed: true };
  const candidates = Array.isArray(part["candidates"]) ? part["candidates"] : [];
  const finished =
    candidates.some((one) => textOf(objectOf(one)["finishReason"]) !== null) ||
    objectOf(part["promptFeedback"])["blockReason"] !== undefined;
  const usage = geminiUsage(objectOf(part["usageMetadata"]));
  return {
    model: textOf(part["modelVersion"]),
    usage,
    // Counts grow with each chunk; those beside the reason of the end are the last.
    ...(finished ? { ended: true, complete: usage.output !== null } : {}),
  };
}

const gemini: Format = {
  isRelevant: (data) => /"usageMetadata"|"finishReason"|"blockReason"|"error"/.test(data),
  endsWithDone: false,
  ofEvent: geminiFacts,
  ofDocument: geminiFacts,
};

const FORMATS: Readonly<Record<Exclude<UsageFormat, "none">, Format>> = {
  messages,
  responses,
  chat,
  embeddings,
  gemini,
};

/** How to read answers of an endpoint; null where there is nothing to read. */
export function formatOf(usage: UsageFormat): Format | null {
  return usage === "none" ? null : FORMATS[usage];
}
