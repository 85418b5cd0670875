import type { Notifier } from "../store/index.ts";

/** LISTEN channel; the payload is `<thread> <message> <text | changed>`. */
export const CHAT_CHANNEL = "miyabi_chat";

/** `missed`: news may have been lost; look at everything that matters. */
export type ChatNews =
  | { readonly kind: "text" | "changed"; readonly threadId: string; readonly messageId: string }
  | { readonly kind: "missed" };

/** Calls `handler` when messages got text or changed, after the commit. Returns the function that ends it. */
export function followChat(
  notifier: Pick<Notifier, "subscribe">,
  handler: (news: ChatNews) => void,
): () => void {
  return notifier.subscribe(CHAT_CHANNEL, (notification) => {
    if (notification.kind === "missed") return handler({ kind: "missed" });
    const match = /^(C\d+) (M\d+) (text|changed)$/.exec(notification.payload);
    if (match === null) return;
    const [, threadId = "", messageId = "", kind] = match;
    handler({ kind: kind === "text" ? "text" : "changed", threadId, messageId });
  });
}
