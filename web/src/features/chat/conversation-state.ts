import type { ChatConversation, ChatMessage, ChatText, ChatThread } from "../../../../src/contract/index.ts";

/** What a write or the stream says of a thread, put into what is known; messages stay in their order. */
export function withMessages(
  known: ChatConversation,
  messages: readonly ChatMessage[],
  thread?: ChatThread,
): ChatConversation {
  const byId = new Map(known.messages.map((message) => [message.id, message]));
  for (const message of messages) {
    const old = byId.get(message.id);
    byId.set(message.id, old === undefined ? message : newer(old, message));
  }
  const merged = [...byId.values()].toSorted((a, b) => numberOf(a.id) - numberOf(b.id));
  return { thread: withAnswering(thread ?? known.thread, merged), messages: merged };
}

/** The next piece of an answer. `gap`: something before it is missing, so the thread has to be loaded again. */
export function withText(known: ChatConversation, text: ChatText): ChatConversation | "gap" {
  const at = known.messages.findIndex(({ id }) => id === text.messageId);
  const message = known.messages[at];
  if (message === undefined || message.content.length < text.from) return "gap";
  const fresh = text.text.slice(message.content.length - text.from);
  if (message.state !== "streaming" || fresh === "") return known;
  return {
    ...known,
    messages: known.messages.with(at, { ...message, content: message.content + fresh }),
  };
}

/** A thread as it was loaded, with what the stream has told meanwhile. Messages that are the same stay the same objects. */
export function mergeLoaded(old: ChatConversation | undefined, loaded: ChatConversation): ChatConversation {
  if (old === undefined) return loaded;
  const byId = new Map(old.messages.map((message) => [message.id, message]));
  const last = numberOf(loaded.messages.at(-1)?.id ?? "M0");
  const messages = loaded.messages.map((message) => {
    const known = byId.get(message.id);
    return known === undefined ? message : newer(known, message);
  });
  // Said while the page was on its way.
  const later = old.messages.filter(({ id }) => numberOf(id) > last);
  const thread = later.length > 0 ? old.thread : loaded.thread;
  return { thread: withAnswering(thread, [...messages, ...later]), messages: [...messages, ...later] };
}

/** Of two states of a message the later one; an answer only grows until it ends. */
function newer(old: ChatMessage, next: ChatMessage): ChatMessage {
  if (old.state === "streaming" && next.state === "streaming")
    return old.content.length >= next.content.length ? { ...next, content: old.content } : next;
  if (next.state === "streaming") return old;
  return JSON.stringify(old) === JSON.stringify(next) ? old : next;
}

/** Where to go on after: what is known of the answer that is being written; null: nothing is. */
export function cursorOf(known: ChatConversation | undefined): string | null {
  const message = known?.messages.findLast(({ state }) => state === "streaming");
  return message === undefined ? null : `${message.id}:${message.content.length}`;
}

export interface Shown {
  readonly message: ChatMessage;
  /** Messages in the same place, itself included, oldest first. */
  readonly siblings: readonly string[];
}

/** The branch that ends at the thread's leaf, oldest first. */
export function branchOf({ thread, messages }: ChatConversation): readonly Shown[] {
  const byId = new Map(messages.map((message) => [message.id, message]));
  const children = new Map<string | null, string[]>();
  for (const { id, parentId } of messages) {
    const list = children.get(parentId) ?? [];
    children.set(parentId, list);
    list.push(id);
  }
  const shown: Shown[] = [];
  for (let id = thread.leafId; id !== null;) {
    const message = byId.get(id);
    if (message === undefined) break;
    byId.delete(id);
    shown.push({ message, siblings: children.get(message.parentId) ?? [id] });
    id = message.parentId;
  }
  return shown.toReversed();
}

function withAnswering(thread: ChatThread, messages: readonly ChatMessage[]): ChatThread {
  const answering = messages.some(({ state }) => state === "streaming");
  return thread.answering === answering ? thread : { ...thread, answering };
}

const numberOf = (id: string): number => Number(id.slice(1));
