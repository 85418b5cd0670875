/**
 * Runs at most one refresh per key and interval: the first at once, what comes meanwhile as one at the end of it.
 * While held (hidden or paused) keys only collect; `release` runs each of them once.
 */
export interface Coalescer {
  touch(key: string): void;
  hold(): void;
  release(): void;
}

export interface CoalescerParameters {
  readonly run: (key: string) => void;
  readonly intervalMs: number;
  readonly now: () => number;
  readonly later: (callback: () => void, delayMs: number) => void;
}

export function createCoalescer(parameters: Readonly<CoalescerParameters>): Coalescer {
  const { run, intervalMs, now, later } = parameters;
  const lastRunAt = new Map<string, number>();
  const waiting = new Set<string>();
  const collected = new Set<string>();
  let held = false;

  function runNow(key: string): void {
    lastRunAt.set(key, now());
    run(key);
  }

  function touch(key: string): void {
    if (held) {
      collected.add(key);
      return;
    }
    if (waiting.has(key)) return;
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
