import type { ServerResponse } from "node:http";
import type { Alarms } from "./alarms.ts";

export type EndedBy = "gone" | "timeout";

/** Watches over one call: its caller may go away, and it may take too long. */
export interface Watch {
  /** Null while the call goes on. */
  readonly ended: EndedBy | null;
  /** Aborts when the call ends from outside; for pauses. */
  readonly signal: AbortSignal;
  /** Who is told at once; null: nobody. One at a time. */
  listener: ((why: EndedBy) => void) | null;
  /** The answer is complete: nothing is watched any more. */
  stop(): void;
}

export function watchCall(response: ServerResponse, totalMs: number, alarms: Alarms): Watch {
  // Made when a pause asks for it, which most calls never do.
  let over: AbortController | null = null;
  let stopped = false;
  let ended: EndedBy | null = null;
  const end = (why: EndedBy): void => {
    if (ended !== null || stopped) return;
    ended = why;
    watch.listener?.(why);
    over?.abort();
  };
  const onClose = (): void => {
    if (!response.writableFinished) end("gone");
  };
  const watch: Watch = {
    get ended() {
      return ended;
    },
    get signal() {
      over ??= new AbortController();
      if (ended !== null) over.abort();
      return over.signal;
    },
    listener: null,
    stop: () => {
      stopped = true;
      response.off("close", onClose);
      cancel();
    },
  };
  const cancel = alarms.set(totalMs, () => end("timeout"));
  response.on("close", onClose);
  // Without a listener a late reset of the connection would be an uncaught error.
  response.on("error", () => {});
  if (response.destroyed && !response.writableFinished) end("gone");
  return watch;
}
