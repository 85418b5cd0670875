import { expect, test } from "vitest";
import type { ChatConversation, ChatMessage } from "../../../../src/contract/index.ts";
import { branchOf, cursorOf, mergeLoaded, withMessages, withText } from "./conversation-state.ts";

const AT = "2026-11-21T01:02:03.456Z";

function message(id: string, parentId: string | null, over: Partial<ChatMessage> = {}): ChatMessage {
  return {
    id,
    threadId: "C1",
    parentId,
    role: "user",
    state: "complete",
    content: id,
    persona: null,
    model: null,
    attachments: [],
    note: null,
    reason: null,
    attempt: 0,
    tokensIn: null,
    tokensOut: null,
    costMicros: null,
    firstTokenMs: null,
    steps: [],
    compressRatio: null,
    retention: null,
    prefixStableTokens: null,
    createdAt: AT,
    finishedAt: AT,
    ...over,
  };
}

const conversation = (messages: readonly ChatMessage[], leafId: string | null): ChatConversation => ({
  thread: {
    id: "C1",
    title: "",
    persona: null,
    model: null,
    trimTokens: null,
    reflect: false,
    leafId,
    answering: messages.some(({ state }) => state === "streaming"),
    createdAt: AT,
    updatedAt: AT,
  },
  messages: [...messages],
});
const streaming = (content: string) =>
  message("M2", "M1", { role: "assistant", state: "streaming", content });
const begun = (content: string) => conversation([message("M1", null), streaming(content)], "M2");

test("a piece is added once, however often and with whatever overlap it comes", () => {
  const piece = { messageId: "M2", from: 2, text: "cdef" };
  const once = withText(begun("abcd"), piece);
  if (once === "gap") throw new Error("gap");
  expect(once.messages[1]?.content).toBe("abcdef");
  expect(withText(once, piece)).toBe(once);
});

test("a piece with something missing before it is no piece, but a reason to load again", () => {
  expect(withText(begun("ab"), { messageId: "M2", from: 3, text: "d" })).toBe("gap");
  expect(withText(begun("ab"), { messageId: "M9", from: 0, text: "d" })).toBe("gap");
});

test("what was loaded late does not take back what the stream has told", () => {
  const known = begun("abcdef");
  expect(mergeLoaded(known, begun("abc")).messages[1]?.content).toBe("abcdef");
  const ended = withMessages(
    known,
    [streaming("abcdef!")].map((one) => ({ ...one, state: "complete" as const })),
  );
  expect(ended.thread.answering).toBe(false);
  expect(mergeLoaded(ended, begun("abc")).messages[1]).toMatchObject({
    state: "complete",
    content: "abcdef!",
  });
  expect(withText(ended, { messageId: "M2", from: 7, text: "late" })).toBe(ended);
});

test("a message that did not change stays the same object", () => {
  const known = begun("abc");
  expect(mergeLoaded(known, begun("abc")).messages[0]).toBe(known.messages[0]);
});

test("the stream goes on after what is known of the answer", () => {
  expect(cursorOf(begun("abc"))).toBe("M2:3");
  expect(cursorOf(conversation([message("M1", null)], "M1"))).toBe(null);
  expect(cursorOf(undefined)).toBe(null);
});

test("only the shown branch is shown, and each message knows what stands beside it", () => {
  const messages = [message("M1", null), message("M2", "M1"), message("M3", null), message("M4", "M1")];
  expect(
    branchOf(conversation(messages, "M4")).map(({ message: { id }, siblings }) => [id, siblings]),
  ).toEqual([
    ["M1", ["M1", "M3"]],
    ["M4", ["M2", "M4"]],
  ]);
  expect(branchOf(conversation(messages, null))).toEqual([]);
});
