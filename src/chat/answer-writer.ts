import type { Clock } from "../base/index.ts";
import type { Database } from "../store/index.ts";
import { appendText, type ClaimedAnswer } from "./answer-store.ts";

export interface AnswerWriter {
  /** The next piece of text; stored with what else comes within the pause. */
  add(text: string): void;
  /** Resolves when everything added so far is stored; false where the answer is no longer ours. */
  flushed(): Promise<boolean>;
  /** Ends the renewal of the lease; nothing may be added any more. */
  close(): void;
}

interface WriterParams {
  readonly database: Database;
  readonly answer: ClaimedAnswer;
  readonly clock: Clock;
  /** Called once when the answer turns out to be somebody else's, or cannot be stored. */
  readonly onLost: (error: unknown) => void;
}

const PAUSE_MS = 60;
const RENEW_MS = 4_000;

/** Stores an answer as it comes: the first piece at once, then what has come in every 60 ms; renews the lease in silence. */
export function createAnswerWriter(params: Readonly<WriterParams>): AnswerWriter {
  const { database, answer, clock } = params;
  const closed = new AbortController();
  let waiting = "";
  let lost = false;
  let writing: Promise<void> | null = null;

  const lose = (error: unknown): void => {
    if (lost) return;
    lost = true;
    params.onLost(error);
  };

  const write = async (): Promise<void> => {
    while (takeable(waiting) > 0 && !lost) {
      const text = waiting.slice(0, takeable(waiting));
      waiting = waiting.slice(text.length);
      if (!(await appendText(database, answer, text))) return lose(null);
      if (takeable(waiting) < 2_000) await clock.sleep(PAUSE_MS, closed.signal).catch(() => {});
    }
  };
  const wake = (): void => {
    writing ??= write()
      .catch(lose)
      .finally(() => (writing = null));
  };

  const renew = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(RENEW_MS, closed.signal);
      if (!(await appendText(database, answer, ""))) return lose(null);
    }
  };
  renew().catch((error: unknown) => {
    if (!closed.signal.aborted) lose(error);
  });

  return {
    add: (text) => {
      waiting += text;
      wake();
    },
    flushed: async () => {
      closed.abort();
      // Half of a character that never got its other half.
      if (takeable(waiting) < waiting.length) waiting = `${waiting.slice(0, -1)}\u{fffd}`;
      wake();
      while (writing !== null) await (writing as Promise<void>);
      return !lost;
    },
    close: () => closed.abort(),
  };
}

/** How much may be stored now: not the first half of a surrogate pair at the end. */
function takeable(text: string): number {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff ? text.length - 1 : text.length;
}
