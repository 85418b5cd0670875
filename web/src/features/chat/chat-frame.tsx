import type { ReactNode } from "react";
import { ThreadList } from "./thread-list.tsx";

export interface ChatFrameProps {
  /** Null: no thread is open; a narrow screen then shows the list. */
  readonly threadId: string | null;
  readonly children: ReactNode;
}

/** Threads on the left, one of them on the right; on a narrow screen one at a time. */
export function ChatFrame({ threadId, children }: ChatFrameProps) {
  return (
    <div className="m-chat" data-open={threadId !== null}>
      <ThreadList openId={threadId} />
      <div className="m-chat-main">{children}</div>
    </div>
  );
}
