import { z } from "zod";
import { costMicros, instant, pageOf, reason, slotId, taskId } from "./primitives.ts";

export const threadId = z.string().regex(/^C[1-9]\d*$/, "a thread's id looks like C3");
export const chatMessageId = z.string().regex(/^M[1-9]\d*$/, "a chat message's id looks like M12");
export const attachmentId = z.uuid();

/** Largest text and image that can be attached, in bytes, and how many to one message. */
export const LARGEST_TEXT_BYTES = 256 * 1024;
export const LARGEST_IMAGE_BYTES = 5 * 1024 * 1024;
export const MOST_ATTACHMENTS = 8;
export const LONGEST_CHAT_MESSAGE = 100_000;
export const IMAGE_TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp"] as const;

/** Tokens to which a thread's requests are trimmed by the gateway. */
export const TRIM = { least: 1_024, most: 8_192, step: 256, usual: 4_096 } as const;
const trimTokens = z.number().int().min(TRIM.least).max(TRIM.most).multipleOf(TRIM.step).nullable();

const personaName = z.string().trim().min(1).max(60);
const modelName = z.string().trim().min(1).max(200);

/** A way of speaking, from a file of `personas/`. */
export const personaView = z.object({
  name: z.string(),
  /** One line about it; empty where the file gives none. */
  summary: z.string(),
  /** Model for threads that choose none; null: the installation's. */
  model: z.string().nullable(),
  chain: z.enum(["none", "reflect"]),
  /** Number of phrases that its answers must not contain. */
  forbids: z.number().int(),
});
export type PersonaView = z.infer<typeof personaView>;

export const attachmentView = z.object({
  id: attachmentId,
  name: z.string(),
  mediaType: z.string(),
  sizeBytes: z.number().int(),
});
export type AttachmentView = z.infer<typeof attachmentView>;

/** What a slash command did. */
export const chatNote = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("task"), taskId, title: z.string(), repositoryName: z.string() }),
  z.object({ kind: z.literal("asked"), slot: slotId, text: z.string() }),
  z.object({ kind: z.literal("persona"), persona: z.string().nullable() }),
]);
export type ChatNote = z.infer<typeof chatNote>;

/**
 * `streaming`: an answer is being written. `stopped`: a person ended it. `withheld`: it ended before a phrase that the
 * persona forbids; what came before stays. `failed`: `reason` says why; text that had arrived stays.
 */
export const CHAT_MESSAGE_STATES = ["complete", "streaming", "stopped", "withheld", "failed"] as const;
export type ChatMessageState = (typeof CHAT_MESSAGE_STATES)[number];

export const chatMessage = z.object({
  id: chatMessageId,
  threadId,
  /** The message that it answers or follows; null: the thread's beginning. Siblings are branches. */
  parentId: chatMessageId.nullable(),
  role: z.enum(["user", "assistant", "note"]),
  state: z.enum(CHAT_MESSAGE_STATES),
  /** Markdown; what has arrived so far while it is streaming. */
  content: z.string(),
  persona: z.string().nullable(),
  /** As it was asked for; null until the call. */
  model: z.string().nullable(),
  attachments: z.array(attachmentView),
  note: chatNote.nullable(),
  reason: reason.nullable(),
  /** How often it was begun; above 1: the control plane ended in between, and the answer was continued. */
  attempt: z.number().int(),
  /** From the ledger, all calls together; null: not known (yet), or no call. */
  tokensIn: z.number().int().nullable(),
  tokensOut: z.number().int().nullable(),
  costMicros,
  firstTokenMs: z.number().int().nullable(),
  /** Calls of a reflected answer, in their order; empty: not reflected, or not known (yet). */
  steps: z.array(
    z.object({
      /** `draft`, `critique` or `final`; only the last one's text is shown. */
      name: z.string(),
      tokensIn: z.number().int().nullable(),
      tokensOut: z.number().int().nullable(),
    }),
  ),
  /** Tokens that were sent / tokens there were; null: not trimmed. */
  compressRatio: z.number().nullable(),
  /** How much of the meaning trimming has left, 0 to 1; null: not measured, or not yet. */
  retention: z.number().nullable(),
  /** At the beginning of the request the same as in the one before it, tokens; null: as above. */
  prefixStableTokens: z.number().int().nullable(),
  createdAt: instant,
  finishedAt: instant.nullable(),
});
export type ChatMessage = z.infer<typeof chatMessage>;

export const chatThread = z.object({
  id: threadId,
  /** The beginning of the first message until somebody names it; empty before. */
  title: z.string(),
  persona: z.string().nullable(),
  /** Null: the persona's, else the installation's. */
  model: z.string().nullable(),
  /** Null: requests are not trimmed. */
  trimTokens,
  /** Whether answers are drafted, criticised and written anew, which takes three calls. */
  reflect: z.boolean(),
  /** Last message of the branch that is shown; null: nothing was said yet. */
  leafId: chatMessageId.nullable(),
  answering: z.boolean(),
  createdAt: instant,
  updatedAt: instant,
});
export type ChatThread = z.infer<typeof chatThread>;

export const chatThreadItem = chatThread.extend({
  /** Where the search found it, if not in the title; null: not searched, or found in the title. */
  found: z.string().nullable(),
});
export type ChatThreadItem = z.infer<typeof chatThreadItem>;

/** A thread with messages: all of them, or those that a write made. */
export const chatConversation = z.object({ thread: chatThread, messages: z.array(chatMessage) });
export type ChatConversation = z.infer<typeof chatConversation>;

/**
 * What `GET /api/chat/threads/:id/stream?after=` (SSE) sends: `hello` when it stands (what is shown is to be loaded
 * again, unless the stream is the page's first); `message` with a `chatMessage` that is new or has changed; `text` with
 * `chatText`, whose id `M12:345` says how far the message is known and is what `after` and `Last-Event-ID` take.
 */
export const chatText = z.object({
  messageId: chatMessageId,
  /** Place of `text` in the message, in UTF-16 units. */
  from: z.number().int(),
  text: z.string(),
});
export type ChatText = z.infer<typeof chatText>;

const choice = { persona: personaName.nullable(), model: modelName.nullable() };
const thread = z.object({ id: threadId });
const message = z.object({ id: chatMessageId });
const none = z.object({});

/** Routes of the chat. Each person sees their own threads only. */
export const CHAT_ROUTES = {
  listPersonas: {
    method: "GET",
    path: "/api/chat/personas",
    permission: "view",
    summary: "Personas, and what is wrong with the files that could not be read.",
    response: z.object({ items: z.array(personaView), problems: z.array(z.string()) }),
  },
  listChatModels: {
    method: "GET",
    path: "/api/chat/models",
    permission: "view",
    summary: "Models that the caller may choose, and the one that is used without a choice.",
    response: z.object({ items: z.array(z.string()), default: z.string().nullable() }),
  },
  listThreads: {
    method: "GET",
    path: "/api/chat/threads",
    permission: "view",
    summary: "The caller's threads, last used first; `q` searches titles and messages.",
    query: z.object({
      cursor: z.string().optional(),
      limit: z.coerce.number().int().min(1).max(200).default(50),
      q: z.string().max(200).optional(),
    }),
    response: pageOf(chatThreadItem),
  },
  createThread: {
    method: "POST",
    path: "/api/chat/threads",
    permission: "operate",
    summary: "Begins a thread.",
    body: z.strictObject({
      persona: choice.persona.default(null),
      model: choice.model.default(null),
      trimTokens: trimTokens.default(null),
      reflect: z.boolean().default(false),
    }),
    response: chatThread,
    status: 201,
  },
  getThread: {
    method: "GET",
    path: "/api/chat/threads/:id",
    permission: "view",
    summary: "A thread with the messages of all its branches.",
    params: thread,
    response: chatConversation,
  },
  changeThread: {
    method: "POST",
    path: "/api/chat/threads/:id",
    permission: "operate",
    summary: "Renames a thread, or chooses persona, model, trim, reflect or branch for what follows.",
    params: thread,
    body: z.strictObject({
      title: z.string().trim().min(1).max(200).optional(),
      persona: choice.persona.optional(),
      model: choice.model.optional(),
      trimTokens: trimTokens.optional(),
      reflect: z.boolean().optional(),
      /** Shows the newest branch below this message. */
      branch: chatMessageId.optional(),
    }),
    response: chatThread,
  },
  deleteThread: {
    method: "POST",
    path: "/api/chat/threads/:id/delete",
    permission: "operate",
    summary: "Removes a thread and everything in it, for good.",
    params: thread,
    body: none,
    response: z.object({ deleted: z.literal(true) }),
  },
  exportThread: {
    method: "GET",
    path: "/api/chat/threads/:id/export",
    permission: "view",
    summary: "A thread as a file: the branch that is shown as Markdown, or all of it as JSON.",
    params: thread,
    query: z.object({ format: z.enum(["markdown", "json"]).default("markdown") }),
    response: z.object({ fileName: z.string(), mediaType: z.string(), text: z.string() }),
  },
  postChatMessage: {
    method: "POST",
    path: "/api/chat/threads/:id/messages",
    permission: "operate",
    summary: "Says something, or gives a slash command (/task, /ask, /persona); answers with what was added.",
    params: thread,
    body: z.strictObject({
      content: z.string().max(LONGEST_CHAT_MESSAGE),
      /** What it follows; another message's parent makes a branch beside that message. Default: the branch that is shown. */
      parentId: chatMessageId.nullable().optional(),
      attachmentIds: z.array(attachmentId).max(MOST_ATTACHMENTS).default([]),
    }),
    response: chatConversation,
    status: 201,
  },
  regenerateChatMessage: {
    method: "POST",
    path: "/api/chat/messages/:id/regenerate",
    permission: "operate",
    summary: "Has an answer written again, as a branch beside it.",
    params: message,
    body: none,
    response: chatConversation,
    status: 201,
  },
  stopChatMessage: {
    method: "POST",
    path: "/api/chat/messages/:id/stop",
    permission: "operate",
    summary: "Ends an answer that is being written; what has arrived stays.",
    params: message,
    body: none,
    response: chatMessage,
  },
  uploadAttachment: {
    method: "POST",
    path: "/api/chat/attachments",
    permission: "operate",
    summary: "Stores a text or an image for the next message; one that no message takes is gone after a day.",
    body: z.strictObject({
      name: z.string().trim().min(1).max(200),
      /** Base64. */
      data: z.base64().min(1),
    }),
    maxBodyBytes: 8 * 1024 * 1024,
    response: attachmentView,
    status: 201,
  },
} as const;
