import { type Clock, isProcessAlive, processStartTicks, signalProcess } from "../../base/index.ts";

interface EndProcessParams {
  readonly pid: number;
  /** Null takes the process that has the pid now. */
  readonly startTicks: string | null;
  /** 0 kills at once. */
  readonly graceMs: number;
  readonly clock: Clock;
}

const POLL_MS = 10;
const KILL_WAIT_MS = 5000;

/**
 * Ends a process that is not our child and resolves when it is gone: SIGTERM, then SIGKILL. A process in uninterruptible
 * sleep for more than 5 s is reported as false. A reused pid is left alone where `startTicks` is given.
 */
export async function endProcess(params: Readonly<EndProcessParams>): Promise<boolean> {
  const ticks = params.startTicks ?? (await processStartTicks(params.pid));
  if (ticks === null) return true;
  const isGone = async (withinMs: number): Promise<boolean> => {
    const deadline = params.clock.monotonicMs() + withinMs;
    for (;;) {
      if (!(await isProcessAlive(params.pid, ticks))) return true;
      if (params.clock.monotonicMs() >= deadline) return false;
      await params.clock.sleep(POLL_MS);
    }
  };
  if (await isGone(0)) return true;
  if (params.graceMs > 0) {
    signalProcess(params.pid, "SIGTERM");
    // A stopped process takes no SIGTERM until it is continued.
    signalProcess(params.pid, "SIGCONT");
    if (await isGone(params.graceMs)) return true;
  }
  signalProcess(params.pid, "SIGKILL");
  return isGone(KILL_WAIT_MS);
}
