import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { call } from "../../api/client.ts";
import { useLive } from "../../api/live-provider.tsx";
import { TranscriptFeed, type FeedState } from "./transcript-feed.ts";

export interface Transcript extends FeedState {
  /** Index of the row that a sequence number belongs to; -1 before it has come. */
  indexOf(seq: number): number;
  retry(): void;
}

/** Follows the transcript of a run while the component is mounted. */
export function useTranscript(runId: string): Transcript {
  const live = useLive();
  const feed = useMemo(
    () =>
      new TranscriptFeed((after, signal) =>
        call("transcript", { params: { id: runId }, query: { after, limit: 2000 }, signal }),
      ),
    [runId],
  );
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    feed.start();
    const unsubscribe = live.transcripts.subscribe(runId, () => feed.look());
    return () => {
      unsubscribe();
      feed.stop();
    };
  }, [feed, live, runId, attempt]);
  const state = useSyncExternalStore(feed.subscribe, feed.read);
  const indexOf = useCallback((seq: number) => feed.indexOf(seq), [feed]);
  const retry = useCallback(() => setAttempt((count) => count + 1), []);
  return { ...state, indexOf, retry };
}
