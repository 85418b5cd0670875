import { useSyncExternalStore } from "react";

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | null = null;
let current = Date.now();
let offsetMs = 0;

function tick(): void {
  current = Date.now();
  for (const listener of listeners) listener();
}

/** One timer for all clocks on the page; none runs while the page is hidden or no clock is shown. */
function adjust(): void {
  const wanted = listeners.size > 0 && !document.hidden;
  if (wanted && timer === null) {
    timer = setInterval(tick, 1000);
    tick();
  } else if (!wanted && timer !== null) {
    clearInterval(timer);
    timer = null;
  }
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) document.addEventListener("visibilitychange", adjust);
  listeners.add(listener);
  adjust();
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) document.removeEventListener("visibilitychange", adjust);
    adjust();
  };
}

/** Says how far the server's clock is ahead of this browser's, so that ages are right on a skewed machine. */
export function setClockOffset(ms: number): void {
  offsetMs = Math.abs(ms) < 2000 ? 0 : ms;
}

/** The server's clock in ms, renewed each second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => current) + offsetMs;
}
