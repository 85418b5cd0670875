import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { createContext, use, useEffect, useMemo, useSyncExternalStore, type ReactNode } from "react";
import { createCoalescer } from "./coalescer.ts";
import { LiveConnection } from "./live-connection.ts";
import type { LiveState } from "./live-state.ts";
import { GATEWAY_QUERIES, touchedQueries } from "./touched-queries.ts";
import { TranscriptSignals } from "./transcript-signals.ts";

const REFRESH_INTERVAL_MS = 250;
const LONGEST_REFRESH_MS = 10_000;

/** The page's event stream and what hangs on it. */
export interface Live {
  readonly connection: LiveConnection;
  readonly transcripts: TranscriptSignals;
  readonly subscribe: (listener: () => void) => () => void;
}

const LiveContext = createContext<Live | null>(null);

export interface LiveProviderProps {
  readonly children: ReactNode;
  readonly onSignedOut: () => void;
}

/** Keeps the cached answers as fresh as the event stream, and rests while the page is hidden. */
export function LiveProvider({ children, onSignedOut }: LiveProviderProps) {
  const client = useQueryClient();
  const live = useMemo(() => createLive(client, onSignedOut), [client, onSignedOut]);

  useEffect(() => {
    const onVisibility = () => {
      if (document.hidden) live.connection.sleep();
      else live.connection.wake();
    };
    if (!document.hidden) live.connection.resume();
    document.addEventListener("visibilitychange", onVisibility);
    return () => {
      document.removeEventListener("visibilitychange", onVisibility);
      live.connection.sleep();
    };
  }, [live]);

  return <LiveContext value={live}>{children}</LiveContext>;
}

export function useLive(): Live {
  const live = use(LiveContext);
  if (live === null) throw new Error("useLive needs a LiveProvider above it");
  return live;
}

export function useLiveState(): LiveState {
  const live = useLive();
  return useSyncExternalStore(live.subscribe, () => live.connection.state);
}

function createLive(client: QueryClient, onSignedOut: () => void): Live {
  const listeners = new Set<() => void>();
  const transcripts = new TranscriptSignals();
  const refresh = createCoalescer({
    run: (key) => client.invalidateQueries({ queryKey: JSON.parse(key) as string[] }),
    intervalMs: REFRESH_INTERVAL_MS,
    longestMs: LONGEST_REFRESH_MS,
    now: () => performance.now(),
    later: (callback, delayMs) => setTimeout(callback, delayMs),
  });
  const touchGateway = () => {
    for (const key of GATEWAY_QUERIES) refresh.touch(JSON.stringify(key));
  };
  const connection = new LiveConnection({
    onState: (state) => {
      if (state.phase === "paused" || state.phase === "asleep") refresh.hold();
      else refresh.release();
      for (const listener of listeners) listener();
    },
    onEvent: (event) => {
      for (const key of touchedQueries(event)) refresh.touch(JSON.stringify(key));
    },
    onTranscript: (signal) => transcripts.publish(signal),
    onGateway: touchGateway,
    onHello: (first) => {
      // Before the first hello answers were fetched without a stream beside them; later ones resumed without a gap.
      if (first) void client.invalidateQueries();
      transcripts.publishAll();
      touchGateway();
    },
    onSignedOut,
  });
  return {
    connection,
    transcripts,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
