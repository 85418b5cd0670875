import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import type { Random } from "./random.ts";
import { backoffMs } from "./backoff.ts";
import { messageOf } from "./errors.ts";

/** Something that runs in the background. `start` and `stop` are idempotent in any order, also before each other. */
export interface Service {
  readonly name: string;
  start(): Promise<void>;
  /** Resolves when nothing of the service runs any more. */
  stop(): Promise<void>;
}

interface LoopParams {
  readonly name: string;
  readonly intervalMs: number;
  /**
   * One round of work, safe to repeat. Must not throw for expected outcomes; a throw is logged and backed off. `quiet`
   * says that nothing will be to do before somebody wakes or rouses the loop: it then rests for `QUIET_MS`.
   */
  readonly tick: (signal: AbortSignal) => Promise<"quiet" | void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Longest pause after repeated failures. Default 30 s. */
  readonly maxBackoffMs?: number;
}

export interface Loop extends Service {
  /** Asks for a round now; while one runs, exactly one more follows it. */
  wake(): void;
  /** Asks for a round now where the last one was quiet; a loop that is at work keeps its pace. */
  rouse(): void;
  /** Runs one round now, for tests and for callers that need its effect. Rounds never overlap. */
  tick(): Promise<void>;
}

/** How long a loop rests after a quiet round at most: a call to rouse it may have been missed. */
const QUIET_MS = 15_000;

/** Repeats `tick` every `intervalMs` or when woken; rounds never overlap; failures back off with jitter. */
export function createLoop(params: Readonly<LoopParams>): Loop {
  let stopping: AbortController | null = null;
  let running: Promise<void> = Promise.resolve();
  let wakeUp: (() => void) | null = null;
  let wanted = false;
  let isQuiet = false;
  let roused = false;
  let chain: Promise<void> = Promise.resolve();

  const runOnce = (signal: AbortSignal): Promise<void> => {
    const round = chain.then(async () => {
      // Whoever rouses the loop in the middle of a round that comes out quiet may have come too late for it.
      roused = false;
      isQuiet = (await params.tick(signal)) === "quiet" && !roused;
    });
    chain = round.catch(() => {});
    return round;
  };

  const run = async (signal: AbortSignal): Promise<void> => {
    let failures = 0;
    while (!signal.aborted) {
      wanted = false;
      try {
        await runOnce(signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        params.log.error({ loop: params.name, failures, error: messageOf(error) }, "loop round failed");
      }
      // An abort during the round comes too late for the listener below.
      if (signal.aborted) return;
      if (wanted && failures === 0) continue;
      const pauseMs =
        failures === 0
          ? isQuiet
            ? QUIET_MS
            : params.intervalMs
          : backoffMs({
              attempt: failures,
              baseMs: Math.max(200, params.intervalMs),
              maxMs: params.maxBackoffMs ?? 30_000,
              random: params.random,
            });
      const pause = new AbortController();
      const abort = (): void => pause.abort();
      signal.addEventListener("abort", abort, { once: true });
      wakeUp = failures === 0 ? abort : null;
      await params.clock.sleep(pauseMs, pause.signal).catch(() => {});
      signal.removeEventListener("abort", abort);
      wakeUp = null;
    }
  };

  return {
    name: params.name,
    start: () => {
      if (stopping === null) {
        stopping = new AbortController();
        running = run(stopping.signal);
      }
      return Promise.resolve();
    },
    stop: async () => {
      stopping?.abort();
      await running;
      stopping = null;
    },
    wake: () => {
      wanted = true;
      wakeUp?.();
    },
    rouse: () => {
      roused = true;
      if (isQuiet) wakeUp?.();
    },
    tick: () => runOnce(stopping?.signal ?? new AbortController().signal),
  };
}
