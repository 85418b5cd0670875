import { isProcessAlive, signalProcess, type Clock } from "../../base/index.ts";
import { descendantsOf, listProcesses } from "./process-tree.ts";
import type { SandboxIdentity } from "./spec.ts";

const MAX_PASSES = 40;
const POLL_MS = 5;
const STOPPED = new Set(["T", "t", "Z", "X"]);

interface FreezeParams {
  readonly identity: SandboxIdentity;
  readonly clock: Clock;
}

/**
 * Stops every process of a sandbox (SIGSTOP, which nothing inside can ignore). Passes are repeated until two in a row find all
 * stopped: what was forked while one pass listed the processes is seen by the next. False where it is gone or did not come to rest: then kill it.
 */
export async function freezeSandbox({ identity, clock }: Readonly<FreezeParams>): Promise<boolean> {
  let clean = 0;
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    if (!(await isProcessAlive(identity.initPid, identity.startTicks))) return false;
    const members = descendantsOf(await listProcesses(), identity.initPid);
    const running = members.filter((entry) => !STOPPED.has(entry.state));
    clean = running.length === 0 ? clean + 1 : 0;
    if (clean === 2) return true;
    for (const entry of running) signalProcess(entry.pid, "SIGSTOP");
    await clock.sleep(POLL_MS);
  }
  return false;
}

/** Lets a frozen sandbox go on, children before parents. False where it is gone. */
export async function thawSandbox({ identity }: Readonly<Pick<FreezeParams, "identity">>): Promise<boolean> {
  if (!(await isProcessAlive(identity.initPid, identity.startTicks))) return false;
  const members = descendantsOf(await listProcesses(), identity.initPid);
  for (const entry of members.toReversed()) signalProcess(entry.pid, "SIGCONT");
  return true;
}
