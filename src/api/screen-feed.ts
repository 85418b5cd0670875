import type { Clock } from "../base/index.ts";
import type { AgentScreen } from "../contract/index.ts";

export interface ScreenFeedParams {
  /** What a slot's pane shows now. @throws not_found */
  readonly screen: (slot: string) => Promise<AgentScreen>;
  readonly clock: Pick<Clock, "sleep">;
}

/** Frames of panes; a pane is looked at only while somebody watches it, and once for all who do. */
export interface ScreenFeed {
  /** Calls `onFrame` at each change, and `onEnd` once when the pane cannot be read any more. Returns the function that ends it. */
  watch(slot: string, onFrame: (frame: AgentScreen) => void, onEnd: () => void): () => void;
}

interface Watched {
  readonly watchers: Map<
    symbol,
    { readonly onFrame: (frame: AgentScreen) => void; readonly onEnd: () => void }
  >;
  readonly stop: AbortController;
  last: AgentScreen | null;
}

const FASTEST_MS = 300;
const SLOWEST_MS = 900; // still live within a second

export function createScreenFeed({ screen, clock }: Readonly<ScreenFeedParams>): ScreenFeed {
  const slots = new Map<string, Watched>();

  const follow = async (slot: string, watched: Watched): Promise<void> => {
    let pauseMs = FASTEST_MS;
    while (!watched.stop.signal.aborted) {
      const frame = await screen(slot);
      if (isSame(frame, watched.last)) pauseMs = Math.min(SLOWEST_MS, pauseMs * 1.5);
      else {
        pauseMs = FASTEST_MS;
        watched.last = frame;
        for (const watcher of watched.watchers.values()) watcher.onFrame(frame);
      }
      await clock.sleep(pauseMs, watched.stop.signal).catch(() => {});
    }
  };

  const begin = (slot: string): Watched => {
    const watched: Watched = { watchers: new Map(), stop: new AbortController(), last: null };
    slots.set(slot, watched);
    follow(slot, watched).catch(() => {
      if (slots.get(slot) === watched) slots.delete(slot);
      for (const watcher of watched.watchers.values()) watcher.onEnd();
    });
    return watched;
  };

  return {
    watch: (slot, onFrame, onEnd) => {
      const watched = slots.get(slot) ?? begin(slot);
      const key = Symbol(slot);
      watched.watchers.set(key, { onFrame, onEnd });
      if (watched.last !== null) onFrame(watched.last);
      return () => {
        watched.watchers.delete(key);
        if (watched.watchers.size > 0) return;
        watched.stop.abort();
        if (slots.get(slot) === watched) slots.delete(slot);
      };
    },
  };
}

function isSame(frame: AgentScreen, last: AgentScreen | null): boolean {
  return (
    last !== null &&
    frame.content === last.content &&
    frame.columns === last.columns &&
    frame.rows === last.rows
  );
}
