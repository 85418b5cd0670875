import { useEffect, useState } from "react";
import type { AgentScreen } from "../../../../src/contract/index.ts";

/** Frames of a slot's pane as they come; null before the first. The stream is closed while the page is hidden. */
export function useScreenStream(slot: string): AgentScreen | null {
  const [screen, setScreen] = useState<AgentScreen | null>(null);
  useEffect(() => {
    let source: EventSource | null = null;
    const adjust = () => {
      source?.close();
      source = null;
      if (document.hidden) return;
      source = new EventSource(`/api/agents/${encodeURIComponent(slot)}/screen/stream`);
      source.addEventListener("screen", (event) =>
        setScreen(JSON.parse(event.data as string) as AgentScreen),
      );
    };
    adjust();
    document.addEventListener("visibilitychange", adjust);
    return () => {
      document.removeEventListener("visibilitychange", adjust);
      source?.close();
    };
  }, [slot]);
  return screen;
}
