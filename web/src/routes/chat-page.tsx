import "../features/chat/chat.css";
import { useParams } from "@tanstack/react-router";
import { ChatFrame } from "../features/chat/chat-frame.tsx";
import { Conversation } from "../features/chat/conversation.tsx";
import { StartPanel } from "../features/chat/start-panel.tsx";

/** The chat where nothing was said yet: persona, model, first message. */
export function ChatPage() {
  return (
    <ChatFrame threadId={null}>
      <StartPanel />
    </ChatFrame>
  );
}

/** One thread. */
export function ChatThreadPage() {
  const { threadId } = useParams({ from: "/shell/chat/$threadId" });
  return (
    <ChatFrame threadId={threadId}>
      <Conversation key={threadId} threadId={threadId} />
    </ChatFrame>
  );
}
