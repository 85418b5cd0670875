import { cleanText, cutText } from "../../../base/index.ts";
import type { TranscriptBody } from "../../../contract/index.ts";

type ToolEvent = Extract<TranscriptBody, { kind: "tool" }>;

/** A tool event from untrusted parts: cleaned, cut, with defaults. An empty title means "the call of this id". Pure. */
export function toolEvent(parts: Pick<ToolEvent, "toolCallId" | "status"> & Partial<ToolEvent>): ToolEvent {
  return {
    kind: "tool",
    toolCallId: cutText(cleanText(parts.toolCallId), 200),
    title: cutText(cleanText(parts.title ?? ""), 500),
    tool: parts.tool ?? "other",
    status: parts.status,
    input:
      parts.input === undefined || parts.input === null ? null : cutText(cleanText(parts.input), 4 * 1024),
    output:
      parts.output === undefined || parts.output === null
        ? null
        : cutText(cleanText(parts.output), 16 * 1024),
    diffs: parts.diffs ?? [],
  };
}
