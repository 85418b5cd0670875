/**
 * Runs at most one refresh per key and interval: the first at once, what comes meanwhile as one at the end of it. One that
 * runs is let finish: where answers take longer than the interval, events in a row would keep each from ever arriving.
 * While held (hidden or paused) keys only collect; `release` runs each of them once.
 */
export interface Coalescer {
  touch(key: string): void;
  hold(): void;
  release(): void;
}

export interface CoalescerParameters {
  /** Resolves when the refresh has arrived. */
  readonly run: (key: string) => Promise<unknown>;
  readonly intervalMs: number;
  /** A refresh that takes longer is no longer waited for. */
  readonly longestMs: number;
  readonly now: () => number;
  readonly later: (callback: () => void, delayMs: number) => void;
}

export function createCoalescer(parameters: Readonly<CoalescerParameters>): Coalescer {
  const { run, intervalMs, longestMs, now, later } = parameters;
  const lastRunAt = new Map<string, number>();
  const waiting = new Set<string>();
  const collected = new Set<string>();
  /** Keys whose refresh runs, with its number. */
  const running = new Map<string, number>();
  const again = new Set<string>();
  let runs = 0;
  let held = false;

  function runNow(key: string): void {
    lastRunAt.set(key, now());
    runs += 1;
    const mine = runs;
    running.set(key, mine);
    const arrived = () => {
      if (running.get(key) !== mine) return;
      running.delete(key);
      if (again.delete(key)) touch(key);
    };
    run(key).then(arrived, arrived);
  }

  const isRunning = (key: string): boolean =>
    running.has(key) && now() - (lastRunAt.get(key) ?? -Infinity) < longestMs;

  function touch(key: string): void {
    if (held) {
      collected.add(key);
      return;
    }
    if (waiting.has(key)) return;
    if (isRunning(key)) {
      again.add(key);
      return;
    }
    const wait = (lastRunAt.get(key) ?? -Infinity) + intervalMs - now();
    if (wait <= 0) {
      runNow(key);
      return;
    }
    waiting.add(key);
    later(() => {
      waiting.delete(key);
      if (held) collected.add(key);
      else runNow(key);
    }, wait);
  }

  return {
    touch,
    hold() {
      held = true;
    },
    release() {
      held = false;
      const keys = [...collected];
      collected.clear();
      for (const key of keys) touch(key);
    },
  };
}
