import type {
  AssistantPart,
  FilePart,
  ImagePart,
  Source,
  TextPart,
  ToolResultPart,
  Turn,
  UserPart,
} from "../conversation.ts";
import { proofText } from "../proof.ts";
import { inputObject } from "../tools.ts";

const TO = "messages";

type Block = Readonly<Record<string, unknown>> & { readonly type: string };
export interface Message {
  readonly role: "user" | "assistant";
  content: Block[];
}

/** Turns as Anthropic takes them: in turn, with results before everything else. */
export function messagesOf(turns: readonly Turn[]): Message[] {
  const messages: Message[] = [];
  for (const turn of turns) {
    const role = turn.role === "assistant" ? "assistant" : "user";
    const content = blocksOf(turn);
    const last = messages.at(-1);
    if (content.length === 0) continue;
    if (last?.role === role) last.content.push(...content);
    else messages.push({ role, content });
  }
  for (const message of messages)
    // Results have to stand before everything else that answers the calls.
    if (message.role === "user")
      message.content = [
        ...message.content.filter((block) => block.type === "tool_result"),
        ...message.content.filter((block) => block.type !== "tool_result"),
      ];
  return messages;
}

function blocksOf(turn: Turn): Block[] {
  switch (turn.role) {
    case "system":
      // Only the newest models take this role; all of them know this mark.
      return turn.parts
        .filter(hasText)
        .map((part) => ({ type: "text", text: `<system-reminder>\n${part.text}\n</system-reminder>` }));
    case "user":
      return turn.parts.flatMap(userBlocks);
    case "assistant":
      return turn.parts.flatMap(assistantBlocks);
  }
}

function userBlocks(part: UserPart): Block[] {
  return part.type === "tool_result" ? [resultBlock(part)] : shownBlocks(part);
}

function resultBlock(part: ToolResultPart): Block {
  const content = part.content.flatMap(shownBlocks);
  return {
    type: "tool_result",
    tool_use_id: part.callId,
    ...(content.length === 0 ? {} : { content }),
    ...(part.isError ? { is_error: true } : {}),
  };
}

function shownBlocks(part: TextPart | ImagePart | FilePart): Block[] {
  switch (part.type) {
    case "text":
      return hasText(part) ? [{ type: "text", text: part.text }] : [];
    case "image":
      return [{ type: "image", source: sourceOf(part.source) }];
    case "file": {
      const title = part.name === null ? {} : { title: part.name };
      if (part.source.kind === "base64" && part.source.mediaType.startsWith("text/")) {
        const data = Buffer.from(part.source.data, "base64").toString("utf8");
        return [{ type: "document", ...title, source: { type: "text", media_type: "text/plain", data } }];
      }
      return [{ type: "document", ...title, source: sourceOf(part.source) }];
    }
  }
}

function sourceOf(source: Source): object {
  return source.kind === "url"
    ? { type: "url", url: source.url }
    : { type: "base64", media_type: source.mediaType, data: source.data };
}

function assistantBlocks(part: AssistantPart): Block[] {
  switch (part.type) {
    case "text":
      return hasText(part) ? [{ type: "text", text: part.text }] : [];
    case "tool_call":
      return [{ type: "tool_use", id: part.id, name: part.name, input: inputObject(part.input) }];
    case "thinking":
      // Thinking of others cannot be shown: its signature is checked.
      if (part.proof?.of !== TO) return [];
      return part.proof.redacted
        ? [{ type: "redacted_thinking", data: part.proof.value }]
        : [{ type: "thinking", thinking: part.text, signature: proofText(part.proof, TO) }];
  }
}

/** Blocks without a letter are refused. */
export function hasText(part: TextPart): boolean {
  return part.text.trim() !== "";
}
