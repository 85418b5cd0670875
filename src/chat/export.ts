import type { ChatMessage, ChatNote, ChatThread } from "../contract/index.ts";
import { pathTo } from "./branches.ts";

export interface ExportedFile {
  readonly fileName: string;
  readonly mediaType: string;
  readonly text: string;
}

/** The branch that is shown, for people. */
export function exportMarkdown(thread: ChatThread, messages: readonly ChatMessage[]): ExportedFile {
  const title = titleOf(thread);
  return {
    fileName: fileNameOf(title, "md"),
    mediaType: "text/markdown; charset=utf-8",
    text: `# ${title}\n\n${markdownOf(pathTo(messages, thread.leafId))}`,
  };
}

/** Everything, with all branches, for programs; attachments without their contents. */
export function exportJson(thread: ChatThread, messages: readonly ChatMessage[]): ExportedFile {
  return {
    fileName: fileNameOf(titleOf(thread), "json"),
    mediaType: "application/json; charset=utf-8",
    text: `${JSON.stringify({ format: "miyabi-chat/1", thread, messages }, null, 2)}\n`,
  };
}

/** A branch as Markdown, e.g. for the brief of a task. */
export function markdownOf(path: readonly ChatMessage[]): string {
  return path.map((message) => `${headOf(message)}\n\n${bodyOf(message)}`).join("\n\n");
}

function headOf(message: ChatMessage): string {
  if (message.role === "note") return "---";
  const who = message.role === "user" ? "You" : (message.persona ?? "Assistant");
  const model = message.model === null ? "" : ` (${message.model})`;
  return `## ${who}${model}, ${message.createdAt}`;
}

function bodyOf(message: ChatMessage): string {
  const files = message.attachments.map(({ name, sizeBytes }) => `- ${name} (${sizeBytes} bytes)`);
  return [
    ...(message.content === "" ? [] : [message.content]),
    ...(files.length === 0 ? [] : [files.join("\n")]),
    ...(message.note === null ? [] : [noteText(message.note)]),
    ...(message.reason === null ? [] : [`*${message.reason.message}*`]),
    ...(message.state === "stopped" ? ["*Stopped.*"] : []),
  ].join("\n\n");
}

function noteText(note: ChatNote): string {
  switch (note.kind) {
    case "task":
      return `Task ${note.taskId} was made in ${note.repositoryName}: ${note.title}`;
    case "asked":
      return `To ${note.slot}: ${note.text}`;
    case "persona":
      return note.persona === null ? "No persona from here on." : `Persona from here on: ${note.persona}`;
  }
}

const titleOf = (thread: ChatThread): string => (thread.title === "" ? thread.id : thread.title);

function fileNameOf(title: string, ending: string): string {
  const name = title
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60);
  return `${name === "" ? "chat" : name}.${ending}`;
}
