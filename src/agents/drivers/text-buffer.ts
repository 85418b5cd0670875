import { cleanText, type Clock } from "../../base/index.ts";
import type { TranscriptBody } from "../../contract/index.ts";

const FLUSH_MS = 200;
const FLUSH_LENGTH = 4_000;

export interface TextBuffer {
  /** Adds words of the agent; other kinds of events must be preceded by `flush`. */
  push(kind: "text" | "thought", chunk: string): void;
  flush(): void;
  /** What follows is another message. */
  forgetLast(): void;
  /** The words of the last message, for recognising notices; at most about 4 KB. */
  lastText(): string;
}

interface TextBufferParams {
  readonly clock: Clock;
  readonly onEvent: (event: TranscriptBody) => void;
}

/**
 * Joins streamed chunks into readable pieces: a piece goes out after 200 ms, at 4,000 characters or before another kind of
 * event, so that a viewer is at most that late and the log has no row per token. An escape sequence cut by a
 * chunk's border is joined before it is stripped.
 */
export function createTextBuffer(params: Readonly<TextBufferParams>): TextBuffer {
  let kind: "text" | "thought" = "text";
  let pending = "";
  let last = "";
  let timer: AbortController | null = null;

  const flush = (): void => {
    timer?.abort();
    timer = null;
    const text = cleanText(pending);
    pending = "";
    if (text === "") return;
    if (kind === "text") last = (last + text).slice(-FLUSH_LENGTH);
    params.onEvent({ kind, text });
  };
  const startTimer = (): void => {
    const own = new AbortController();
    timer = own;
    params.clock.sleep(FLUSH_MS, own.signal).then(
      () => {
        if (timer === own) flush();
      },
      () => {},
    );
  };
  return {
    push: (nextKind, chunk) => {
      if (nextKind !== kind) {
        flush();
        if (nextKind === "text") last = "";
        kind = nextKind;
      }
      pending += chunk;
      if (pending.length >= FLUSH_LENGTH) flush();
      else if (timer === null && pending !== "") startTimer();
    },
    flush,
    forgetLast: () => {
      last = "";
    },
    lastText: () => last,
  };
}
