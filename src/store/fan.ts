/** One subscription for many listeners: each first one on a channel would begin with "missed" for itself. */
export interface Fan<News> {
  start(): void;
  stop(): void;
  /** Returns the function that ends it. */
  follow(listener: (news: News) => void): () => void;
}

/** `subscribe` returns the function that ends the subscription; it is called at the start. */
export function createFan<News>(subscribe: (handler: (news: News) => void) => () => void): Fan<News> {
  const listeners = new Set<(news: News) => void>();
  let end: (() => void) | null = null;
  return {
    start: () => {
      end ??= subscribe((news) => {
        for (const listener of listeners) listener(news);
      });
    },
    stop: () => {
      end?.();
      end = null;
    },
    follow: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
