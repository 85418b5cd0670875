import { useEffect } from "react";
import { useLiveState } from "../../api/live-provider.tsx";
import { setClockOffset } from "../../ui/use-now.ts";

/** Keeps the page's clock on the server's. */
export function ClockSync() {
  const { clockOffsetMs } = useLiveState();
  useEffect(() => setClockOffset(clockOffsetMs), [clockOffsetMs]);
  return null;
}
