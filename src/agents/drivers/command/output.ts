import { parseJson, type Clock } from "../../../base/index.ts";
import type { TranscriptBody } from "../../../contract/index.ts";
import type { AgentProfile } from "../../profile.ts";
import { createTextBuffer } from "../text-buffer.ts";
import { parseClaudeLine } from "./claude-stream.ts";
import { parseCodexLine } from "./codex-stream.ts";
import { parseEventLine } from "./event-lines.ts";
import type { LineParser } from "./line-meaning.ts";
import { createLineSplitter } from "./line-splitter.ts";

export interface CommandOutput {
  push(chunk: Buffer): void;
  /** No more output comes: sends the rest out and fails tool calls that are still open. */
  end(): void;
  usage(): { readonly tokensIn: number; readonly tokensOut: number } | null;
  error(): string | null;
  sessionId(): string | null;
  lastText(): string;
}

interface CommandOutputParams {
  readonly format: AgentProfile["output"];
  readonly clock: Clock;
  readonly onEvent: (event: TranscriptBody) => void;
}

const PARSERS: Readonly<Record<AgentProfile["output"], LineParser | null>> = {
  text: null,
  "json-lines": parseEventLine,
  "claude-stream-json": parseClaudeLine,
  "codex-json": parseCodexLine,
};

/** Turns a program's standard output into transcript events. A line that the format does not know is shown as text. */
export function createCommandOutput(params: Readonly<CommandOutputParams>): CommandOutput {
  const parser = PARSERS[params.format];
  const text = createTextBuffer(params);
  const open = new Map<string, Extract<TranscriptBody, { kind: "tool" }>>();
  let usage: { tokensIn: number; tokensOut: number } | null = null;
  let error: string | null = null;
  let sessionId: string | null = null;

  const send = (event: TranscriptBody): void => {
    if (event.kind === "text" || event.kind === "thought") return text.push(event.kind, `${event.text}\n`);
    text.flush();
    if (event.kind === "tool") {
      // Formats that report a result by id alone do not repeat what the call was.
      const before = open.get(event.toolCallId);
      const whole =
        before === undefined || event.title !== ""
          ? event
          : { ...before, status: event.status, output: event.output };
      if (whole.status === "completed" || whole.status === "failed") open.delete(whole.toolCallId);
      else open.set(whole.toolCallId, whole);
      return params.onEvent(whole.title === "" ? { ...whole, title: "tool" } : whole);
    }
    params.onEvent(event);
  };
  const takeLine = (line: string): void => {
    if (line.trim() === "") return;
    const meaning = parser === null ? null : parser(parseJson(line));
    if (meaning === null) return text.push("text", `${line}\n`);
    for (const event of meaning.events) send(event);
    usage = meaning.usage ?? usage;
    error = meaning.error ?? error;
    sessionId = meaning.sessionId ?? sessionId;
  };
  const lines = createLineSplitter(takeLine);
  return {
    // Plain text is passed on as it comes, also in the middle of a line.
    push: parser === null ? (chunk) => text.push("text", lines.decode(chunk)) : lines.push,
    end: () => {
      if (parser !== null) lines.end();
      text.flush();
      for (const call of open.values())
        params.onEvent({
          ...call,
          status: "failed",
          output: "Interrupted: the program ended before this did.",
        });
      open.clear();
    },
    usage: () => usage,
    error: () => error,
    sessionId: () => sessionId,
    lastText: () => text.lastText(),
  };
}
