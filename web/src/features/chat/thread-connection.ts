import type { ChatMessage, ChatText } from "../../../../src/contract/index.ts";
import { createSseParser, type SseMessage } from "../../api/sse-parser.ts";

/** The server says something at least every 10 s. */
const SILENCE_MS = 25_000;
const BACKOFF_MS = [1_000, 2_000, 4_000] as const;

export interface ThreadListener {
  /** Where to go on after when the stream is opened. */
  readonly cursor: () => string | null;
  readonly onMessage: (message: ChatMessage) => void;
  readonly onText: (text: ChatText) => void;
  /** The stream stands. `again`: it was away before, or something may be missing. */
  readonly onHello: (again: boolean) => void;
  /** Null: connected; else when it is tried again, ms from now. */
  readonly onLost: (retryMs: number | null) => void;
}

/** Follows one thread: `GET /api/chat/threads/:id/stream`, again after 1, 2 and then every 4 s, from where it was. */
export function followThread(threadId: string, listener: ThreadListener): () => void {
  let abort: AbortController | null = null;
  let retry: ReturnType<typeof setTimeout> | null = null;
  let failures = 0;
  let hellos = 0;

  const take = (message: SseMessage): void => {
    if (message.event === "hello") {
      failures = 0;
      hellos += 1;
      listener.onLost(null);
      listener.onHello(hellos > 1);
    } else if (message.event === "message") listener.onMessage(JSON.parse(message.data) as ChatMessage);
    else if (message.event === "text") listener.onText(JSON.parse(message.data) as ChatText);
  };

  const read = async (body: ReadableStream<Uint8Array>, own: AbortController): Promise<void> => {
    const parser = createSseParser();
    const decoder = new TextDecoder();
    const reader = body.getReader();
    let silence = setTimeout(() => own.abort(), SILENCE_MS);
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done || own.signal.aborted) return;
        clearTimeout(silence);
        silence = setTimeout(() => own.abort(), SILENCE_MS);
        for (const message of parser.push(decoder.decode(value, { stream: true }))) take(message);
      }
    } finally {
      clearTimeout(silence);
    }
  };

  const open = async (): Promise<void> => {
    const own = new AbortController();
    abort = own;
    try {
      const after = listener.cursor();
      const response = await fetch(
        `/api/chat/threads/${threadId}/stream${after === null ? "" : `?after=${encodeURIComponent(after)}`}`,
        {
          headers: { accept: "text/event-stream" },
          credentials: "same-origin",
          signal: own.signal,
        },
      );
      if (response.ok && response.body !== null) await read(response.body, own);
    } catch {
      // The same as a stream that ended.
    }
    if (abort !== own) return;
    abort = null;
    const retryMs = BACKOFF_MS[Math.min(failures, BACKOFF_MS.length - 1)] ?? 4_000;
    failures += 1;
    listener.onLost(retryMs);
    retry = setTimeout(() => void open(), retryMs);
  };

  const close = (): void => {
    if (retry !== null) clearTimeout(retry);
    retry = null;
    const own = abort;
    abort = null;
    own?.abort();
  };
  // Nobody looks: it costs nothing, and is made up for by what comes after the cursor.
  const onVisibility = (): void => {
    if (document.visibilityState === "hidden") close();
    else if (abort === null && retry === null) void open();
  };

  document.addEventListener("visibilitychange", onVisibility);
  void open();
  return () => {
    document.removeEventListener("visibilitychange", onVisibility);
    close();
  };
}
