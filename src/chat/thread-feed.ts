import type { ChatMessage, ChatText } from "../contract/index.ts";
import { createFan, type Database, type Notifier } from "../store/index.ts";
import { readMessages } from "./message-rows.ts";
import { followChat, type ChatNews } from "./news.ts";

/** How far a client knows a message that was being written: `M12:345`. */
export interface ChatCursor {
  readonly messageId: string;
  readonly offset: number;
}

export type ChatSignal =
  | { readonly event: "hello"; readonly data: Record<never, never> }
  | { readonly event: "message"; readonly data: ChatMessage; readonly id: string }
  | { readonly event: "text"; readonly data: ChatText; readonly id: string };

export interface ThreadFollower {
  /** Sends what is new; true where there was nothing. `gone`: the thread is no more. */
  work(send: (signal: ChatSignal) => Promise<void>): Promise<"idle" | "busy" | "gone">;
  end(): void;
}

export interface ThreadFeed {
  start(): void;
  stop(): void;
  /** Follows a thread; `wake` is called when there is work. */
  follow(threadId: string, after: ChatCursor | null, wake: () => void): ThreadFollower;
}

/** @returns null where it is no cursor */
export function parseChatCursor(text: string): ChatCursor | null {
  const match = /^(M[1-9]\d{0,18}):(\d{1,9})$/.exec(text);
  return match?.[1] === undefined ? null : { messageId: match[1], offset: Number(match[2]) };
}

/** What happens in threads, for those who watch: one subscription for all. */
export function createThreadFeed(params: {
  readonly database: Database;
  readonly notifier: Pick<Notifier, "subscribe">;
}): ThreadFeed {
  const { database } = params;
  const fan = createFan<ChatNews>((handler) => followChat(params.notifier, handler));

  return {
    start: fan.start,
    stop: fan.stop,
    follow: (threadId, after, wake) => {
      const known = new Map<string, number>(after === null ? [] : [[after.messageId, after.offset]]);
      const changed = new Set<string>();
      const grown = new Set<string>();
      // The first hello, too, is sent when news are heard already: what happens after it is not missed.
      let greets = true;
      const listener = (news: ChatNews): void => {
        if (news.kind === "missed") greets = true;
        else if (news.threadId !== threadId) return;
        else (news.kind === "text" ? grown : changed).add(news.messageId);
        wake();
      };
      const end = fan.follow(listener);

      const work: ThreadFollower["work"] = async (send) => {
        const greeting = greets;
        greets = false;
        const looked = [...changed];
        const read = [...grown];
        changed.clear();
        grown.clear();
        if (greeting) {
          await send({ event: "hello", data: {} });
          const begun = await streamingOf(database, threadId);
          // Growing on from where the client is; what it does not know at all, it gets whole.
          read.push(...begun.filter((id) => known.has(id)));
          looked.push(
            ...begun.filter((id) => !known.has(id)),
            ...[...known.keys()].filter((id) => !begun.includes(id)),
          );
        }
        const messages = looked.length === 0 ? [] : await readMessages(database, threadId, looked);
        if (messages.length < new Set(looked).size) return "gone";
        for (const message of messages) {
          known.set(message.id, message.content.length);
          await send({ event: "message", data: message, id: `${message.id}:${message.content.length}` });
        }
        for (const id of new Set(read)) {
          const from = known.get(id) ?? 0;
          const text = await textAfter(database, id, from);
          if (text === "") continue;
          known.set(id, from + text.length);
          await send({
            event: "text",
            data: { messageId: id, from, text },
            id: `${id}:${from + text.length}`,
          });
        }
        for (const { id, state } of messages) if (state !== "streaming") known.delete(id);
        return greeting || looked.length + read.length > 0 ? "busy" : "idle";
      };
      return { work, end };
    },
  };
}

async function streamingOf(database: Database, threadId: string): Promise<readonly string[]> {
  const { rows } = await database.query<{ id: string }>(
    "select id from miyabi.chat_messages where thread_id = $1 and state = 'streaming' order by number",
    [threadId],
  );
  return rows.map(({ id }) => id);
}

/** Text of a message that is being written, from a place on; empty after its end. */
async function textAfter(database: Database, id: string, offset: number): Promise<string> {
  const { rows } = await database.query<{ start: number; text: string }>(
    `select start, text from miyabi.chat_chunks where message_id = $1 and start >= coalesce(
       (select max(start) from miyabi.chat_chunks where message_id = $1 and start <= $2), 0) order by start`,
    [id, offset],
  );
  const first = rows[0];
  if (first === undefined) return "";
  return rows
    .map(({ text }) => text)
    .join("")
    .slice(Math.max(0, offset - first.start));
}
