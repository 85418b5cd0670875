import { cleanText, cutText } from "../../../base/index.ts";
import type { TranscriptBody } from "../../../contract/index.ts";
import type { ContentBlock, ToolCallMessage } from "./messages.ts";

export type ToolEvent = Extract<TranscriptBody, { kind: "tool" }>;

const MAX_INPUT_BYTES = 4 * 1024;
const MAX_OUTPUT_BYTES = 16 * 1024;
const MAX_DIFF_BYTES = 64 * 1024;
const MAX_DIFFS = 50;
const MAX_TITLE_BYTES = 500;
/** Calls remembered for merging updates; beyond it the oldest finished ones are forgotten. */
const MAX_CALLS = 1_000;

export interface ToolCalls {
  /** The call's whole state after this message, or null where nothing that we show has changed. */
  apply(message: ToolCallMessage): ToolEvent | null;
  /** Fails every call that is still open, e.g. because its turn is over, and returns them. */
  closeOpen(reason: string): ToolEvent[];
}

/** Merges an agent's partial updates of tool calls into whole states. */
export function createToolCalls(): ToolCalls {
  const calls = new Map<string, ToolEvent>();
  return {
    apply: (message) => {
      const id = cutText(cleanText(message.toolCallId), 200);
      const before = calls.get(id) ?? null;
      const after = mergeToolCall(id, before, message);
      if (before !== null && JSON.stringify(before) === JSON.stringify(after)) return null;
      calls.set(id, after);
      forgetFinished(calls);
      return after;
    },
    closeOpen: (reason) => {
      const open = [...calls.values()].filter((call) => !isFinished(call));
      return open.map((call) => {
        const closed: ToolEvent = {
          ...call,
          status: "failed",
          output: call.output === null || call.output === "" ? reason : `${call.output}\n${reason}`,
        };
        calls.set(call.toolCallId, closed);
        return closed;
      });
    },
  };
}

/** Whether a call can change no more. */
export const isFinished = (call: ToolEvent): boolean =>
  call.status === "completed" || call.status === "failed";

function forgetFinished(calls: Map<string, ToolEvent>): void {
  if (calls.size <= MAX_CALLS) return;
  for (const [id, call] of calls) {
    if (calls.size <= MAX_CALLS) return;
    if (isFinished(call) || calls.size > MAX_CALLS * 2) calls.delete(id);
  }
}

const STATUS = {
  pending: "pending",
  in_progress: "running",
  completed: "completed",
  failed: "failed",
} as const;

function mergeToolCall(id: string, before: ToolEvent | null, message: ToolCallMessage): ToolEvent {
  const diffs = message.content
    ?.filter(
      (item) => item.type === "diff" && typeof item.path === "string" && typeof item.newText === "string",
    )
    .slice(0, MAX_DIFFS)
    .map((item) => ({
      path: cleanText(item.path ?? ""),
      oldText: typeof item.oldText === "string" ? cutText(cleanText(item.oldText), MAX_DIFF_BYTES) : null,
      newText: cutText(cleanText(item.newText ?? ""), MAX_DIFF_BYTES),
    }));
  const status =
    message.status === null || message.status === undefined
      ? (before?.status ?? "pending")
      : STATUS[message.status];
  return {
    kind: "tool",
    toolCallId: id,
    title: cutText(cleanText(message.title ?? before?.title ?? "tool"), MAX_TITLE_BYTES),
    tool: message.kind ?? before?.tool ?? "other",
    status,
    input: message.rawInput === undefined ? (before?.input ?? null) : inputText(message.rawInput),
    output: outputText(message) ?? grownOutput(before?.output ?? null, message),
    diffs: diffs === undefined ? (before?.diffs ?? []) : diffs,
  };
}

function inputText(raw: unknown): string | null {
  if (raw === null) return null;
  if (typeof raw === "object" && "command" in raw) {
    const command = raw.command;
    if (typeof command === "string") return cutText(cleanText(command), MAX_INPUT_BYTES);
    if (Array.isArray(command)) return cutText(cleanText(command.map(String).join(" ")), MAX_INPUT_BYTES);
  }
  const text = typeof raw === "string" ? raw : JSON.stringify(raw);
  return text === "{}" ? null : cutText(cleanText(text), MAX_INPUT_BYTES);
}

function grownOutput(before: string | null, message: ToolCallMessage): string | null {
  const more = message._meta?.terminal_output_delta?.data;
  // What was cut once is not cut again: only the first part is shown.
  if (more === undefined || Buffer.byteLength(before ?? "") > MAX_OUTPUT_BYTES) return before;
  return cutText((before ?? "") + cleanText(more), MAX_OUTPUT_BYTES);
}

const CONSOLE_BLOCK = /^```console\n([\s\S]*?)\n?```$/;

function outputText(message: ToolCallMessage): string | null {
  const parts = message.content?.flatMap((item) =>
    item.type === "content" && item.content ? [blockText(item.content)] : [],
  );
  if (parts !== undefined && parts.length > 0) {
    const text = parts.join("\n");
    return cutText(cleanText(CONSOLE_BLOCK.exec(text)?.[1] ?? text), MAX_OUTPUT_BYTES);
  }
  const raw = message.rawOutput;
  if (raw === undefined || raw === null) return null;
  return cutText(cleanText(typeof raw === "string" ? raw : JSON.stringify(raw)), MAX_OUTPUT_BYTES);
}

/** A content block as text; what is not text is named. Pure. */
export function blockText(block: ContentBlock): string {
  if (typeof block.text === "string") return block.text;
  if (typeof block.resource?.text === "string") return block.resource.text;
  const name = block.uri ?? block.resource?.uri ?? block.mimeType ?? "";
  return name === "" ? `[${block.type}]` : `[${block.type}: ${name}]`;
}
