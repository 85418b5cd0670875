import { AppError, isProcessAlive, processStartTicks, signalProcess, type Clock } from "../../base/index.ts";
import { SANDBOX_ID_VARIABLE } from "./command.ts";
import { descendantsOf, findByWords, listProcesses } from "./process-tree.ts";
import type { SandboxIdentity } from "./spec.ts";

const POLL_MS = 5;
const DEFAULT_TIMEOUT_MS = 10_000;

interface KillParams {
  readonly identity: SandboxIdentity;
  readonly clock: Clock;
  /** How long death may take to be confirmed. Default 10 s; a process in the middle of disk I/O can delay it. */
  readonly timeoutMs?: number;
}

/**
 * Ends a PID namespace from any process on the machine and resolves when nothing of it runs any more: the kernel lets pid 1
 * of a namespace go only after all others in it are gone. Idempotent; works on stopped and frozen sandboxes.
 * @throws process.timeout where death could not be confirmed: then nobody may touch the clone.
 */
export async function killNamespace(params: Readonly<KillParams>): Promise<void> {
  const { initPid, startTicks } = params.identity;
  await until(params, `sandbox process ${initPid}`, async () => {
    if (!(await isProcessAlive(initPid, startTicks))) return true;
    signalProcess(initPid, "SIGKILL");
    return false;
  });
}

/**
 * Ends a program that runs without a sandbox, with everything below it and everything that still carries its mark in its
 * environment, which finds daemons that left the tree. A process that does both, leaves the tree and clears its
 * environment, escapes: that is what "unsafe" means.
 * @throws process.timeout where death could not be confirmed.
 */
export async function killTree(params: Readonly<KillParams & { readonly id: string }>): Promise<void> {
  const { initPid, startTicks } = params.identity;
  await until(params, `process tree ${initPid}`, async () => {
    const entries = await listProcesses();
    const root = entries.find((entry) => entry.pid === initPid && entry.startTicks === startTicks);
    const members = new Set(root === undefined ? [] : descendantsOf(entries, initPid).map((e) => e.pid));
    for (const entry of entries)
      if (entry.sessionId === initPid && root !== undefined) members.add(entry.pid);
    for (const pid of await findByWords("environ", [`${SANDBOX_ID_VARIABLE}=${params.id}`])) members.add(pid);
    members.delete(process.pid);
    const alive = entries.filter((entry) => members.has(entry.pid) && entry.state !== "Z");
    for (const entry of alive) signalProcess(entry.pid, "SIGKILL");
    return alive.length === 0;
  });
}

/**
 * Ends every sandbox that was started under `id`, also one whose identity was never recorded because its host died right
 * after starting it. Call it before the clone of an attempt is given to another one. Resolves to the number found.
 * @throws process.timeout where death could not be confirmed.
 */
export async function killSandboxesOf(
  params: Readonly<Omit<KillParams, "identity"> & { readonly id: string }>,
): Promise<number> {
  const found = new Set<number>();
  await until(params, `sandbox ${params.id}`, async () => {
    let alive = 0;
    for (const pid of await findByWords("cmdline", ["--setenv", SANDBOX_ID_VARIABLE, params.id])) {
      const startTicks = await processStartTicks(pid);
      if (startTicks === null) continue;
      alive += 1;
      found.add(pid);
      // The outer bwrap may die before its child has asked to die with it: whatever is below goes first.
      for (const entry of descendantsOf(await listProcesses(), pid).toReversed())
        signalProcess(entry.pid, "SIGKILL");
    }
    return alive === 0;
  });
  return found.size;
}

async function until(
  params: Readonly<Pick<KillParams, "clock" | "timeoutMs">>,
  what: string,
  isDone: () => Promise<boolean>,
): Promise<void> {
  const timeoutMs = params.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const startedMs = params.clock.monotonicMs();
  while (!(await isDone())) {
    if (params.clock.monotonicMs() - startedMs > timeoutMs)
      throw new AppError({
        code: "process.timeout",
        message: `The end of ${what} could not be confirmed within ${timeoutMs / 1000} s.`,
      });
    await params.clock.sleep(POLL_MS);
  }
}
