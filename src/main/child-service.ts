import { backoffMs, spawnProcess, type Clock, type Log, type Random, type Service } from "../base/index.ts";
import { READY } from "./supervision.ts";

interface ChildServiceParams {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The child ended with this code in a way that a restart cannot mend (configuration, port taken). */
  readonly onGivenUp: (code: number) => void;
}

/** sysexits that say "change something first". */
const HOPELESS: ReadonlySet<number> = new Set([64, 65, 73, 75, 77, 78]);
const STEADY_MS = 30_000;
const QUICK_ENDS_AT_ONCE = 3;
const STOP_MS = 15_000;

/**
 * A child process that is started again whenever it ends: at once where it had sent `READY` or lived for a while, else
 * with back-off after the first times. Somebody who kills it again and again waits no longer for the fifth time.
 */
export function createChildService(params: Readonly<ChildServiceParams>): Service {
  let stopping: AbortController | null = null;
  let child: ReturnType<typeof spawnProcess> | null = null;
  let running: Promise<void> = Promise.resolve();

  const runOnce = (): Promise<{ readonly code: number; readonly wasReady: boolean }> =>
    new Promise((resolve) => {
      let wasReady = false;
      const started = spawnProcess(process.execPath, params.args, {
        env: { ...params.env },
        stdio: ["ignore", "inherit", "inherit", "ipc"],
      });
      child = started;
      started.on("message", (message) => (wasReady ||= message === READY));
      started.on("error", () => resolve({ code: 70, wasReady }));
      started.on("exit", (code) => resolve({ code: code ?? 70, wasReady }));
    });

  const run = async (signal: AbortSignal): Promise<void> => {
    for (let quick = 0; !signal.aborted;) {
      const startedMs = params.clock.monotonicMs();
      const { code, wasReady } = await runOnce();
      child = null;
      if (signal.aborted) return;
      if (HOPELESS.has(code)) return params.onGivenUp(code);
      quick = wasReady || params.clock.monotonicMs() - startedMs > STEADY_MS ? 0 : quick + 1;
      params.log.warn({ child: params.name, code }, "child ended; it is started again");
      if (quick > QUICK_ENDS_AT_ONCE)
        await params.clock
          .sleep(
            backoffMs({
              attempt: quick - QUICK_ENDS_AT_ONCE,
              baseMs: 500,
              maxMs: 30_000,
              random: params.random,
            }),
            signal,
          )
          .catch(() => {});
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
      if (stopping === null) return;
      stopping.abort();
      child?.kill("SIGTERM");
      const killer = new AbortController();
      void params.clock.sleep(STOP_MS, killer.signal).then(
        () => child?.kill("SIGKILL"),
        () => {},
      );
      await running;
      killer.abort();
      stopping = null;
    },
  };
}
