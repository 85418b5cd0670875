import type { SseStream } from "./sse.ts";

export interface Follower {
  /** One round; true where there was nothing to do. */
  readonly work: () => Promise<boolean>;
  /** Ends what calls `wake`. */
  readonly end: () => void;
}

/** Works until the client is gone: again at once while there is something to do, then whenever `wake` was called. */
export async function followNews(stream: SseStream, prepare: (wake: () => void) => Follower): Promise<void> {
  let isNews = true;
  let wakeUp: (() => void) | null = null;
  const wake = (): void => {
    isNews = true;
    wakeUp?.();
  };
  stream.closed.addEventListener("abort", wake, { once: true });
  const { work, end } = prepare(wake);
  try {
    while (!stream.closed.aborted) {
      isNews = false;
      const isIdle = await work();
      if (!isIdle || isNews || stream.closed.aborted) continue;
      await new Promise<void>((resolve) => (wakeUp = resolve));
      wakeUp = null;
    }
  } finally {
    end();
  }
}
