import { statfs } from "node:fs/promises";
import { messageOf, type Clock, type Log, type ProcessRunner } from "../../base/index.ts";
import { descendantsOf, listProcesses } from "./process-tree.ts";
import type { SandboxIdentity } from "./spec.ts";

/** Null: that quantity is not watched. */
export interface UsageLimits {
  /** All `directories` together. */
  readonly diskBytes: number | null;
  /** What must stay free on the file system of the first directory. */
  readonly freeBytes: number | null;
  /** Processes and threads. */
  readonly processes: number | null;
  /** Sum of resident memory; shared pages count once per process, so leave room. */
  readonly memoryBytes: number | null;
}

export interface UsageExceeded {
  readonly what: keyof UsageLimits;
  readonly used: number;
  readonly limit: number;
  /** One sentence for people. */
  readonly message: string;
}

interface WatchParams {
  readonly identity: SandboxIdentity;
  readonly directories: readonly string[];
  readonly limits: UsageLimits;
  readonly clock: Clock;
  readonly runner: ProcessRunner;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Pause between looks at processes and free space. Default 500 ms. */
  readonly intervalMs?: number;
}

const PAGE_BYTES = 4096;
const DU_TIMEOUT_MS = 120_000;
// Counting a large tree costs time on a shared disk: it may take one part in 20 of the time.
const DU_REST_FACTOR = 20;
const DU_MIN_REST_MS = 2_000;

/**
 * Watches what a sandbox uses and resolves when it goes beyond a limit: the caller then kills it. Resolves to null when
 * `signal` aborts. A poll, not a wall: between two looks an agent can go beyond (disk: up to some seconds of writing; the
 * kernel's limits on file size and, for normal users, on processes hold at once).
 */
export async function watchUsage(params: Readonly<WatchParams>): Promise<UsageExceeded | null> {
  const intervalMs = params.intervalMs ?? 500;
  let nextCountMs = 0;
  while (!params.signal.aborted) {
    try {
      const startedMs = params.clock.monotonicMs();
      const exceeded = (await checkProcesses(params)) ?? (await checkFree(params));
      if (exceeded !== null) return exceeded;
      if (params.limits.diskBytes !== null && startedMs >= nextCountMs) {
        const tooLarge = await checkDisk(params, params.limits.diskBytes);
        if (tooLarge !== null) return tooLarge;
        const tookMs = params.clock.monotonicMs() - startedMs;
        nextCountMs = params.clock.monotonicMs() + Math.max(DU_MIN_REST_MS, tookMs * DU_REST_FACTOR);
      }
    } catch (error) {
      // One failed look proves nothing; the next one comes soon.
      params.log.warn({ error: messageOf(error) }, "the sandbox's usage could not be read");
    }
    await params.clock.sleep(intervalMs, params.signal).catch(() => {});
  }
  return null;
}

function over(
  what: keyof UsageLimits,
  used: number,
  limit: number | null,
  text: string,
): UsageExceeded | null {
  return limit !== null && used > limit ? { what, used, limit, message: text } : null;
}

const mebibytes = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MiB`;

async function checkProcesses({ identity, limits }: Readonly<WatchParams>): Promise<UsageExceeded | null> {
  if (limits.processes === null && limits.memoryBytes === null) return null;
  const members = descendantsOf(await listProcesses(), identity.initPid);
  const threads = members.reduce((sum, entry) => sum + entry.threads, 0);
  const bytes = members.reduce((sum, entry) => sum + entry.residentPages, 0) * PAGE_BYTES;
  return (
    over("processes", threads, limits.processes, `The agent runs ${threads} processes and threads.`) ??
    over(
      "memoryBytes",
      bytes,
      limits.memoryBytes,
      `The agent's processes hold ${mebibytes(bytes)} of memory.`,
    )
  );
}

async function checkFree({ directories, limits }: Readonly<WatchParams>): Promise<UsageExceeded | null> {
  const [first] = directories;
  if (limits.freeBytes === null || first === undefined) return null;
  const { bavail, bsize } = await statfs(first);
  const free = bavail * bsize;
  if (free >= limits.freeBytes) return null;
  return {
    what: "freeBytes",
    used: free,
    limit: limits.freeBytes,
    message: `Only ${mebibytes(free)} are free on disk.`,
  };
}

async function checkDisk(params: Readonly<WatchParams>, limit: number): Promise<UsageExceeded | null> {
  const counted = await params.runner.run({
    command: "du",
    // Files that vanish while it counts make du fail; its sums are printed all the same.
    args: ["-skx", "--", ...params.directories],
    env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
    timeoutMs: DU_TIMEOUT_MS,
    signal: params.signal,
  });
  const used = counted.stdout
    .split("\n")
    .reduce((sum, line) => sum + (Number(line.split("\t")[0]) || 0) * 1024, 0);
  return over(
    "diskBytes",
    used,
    limit,
    `The agent's files take ${mebibytes(used)}; ${mebibytes(limit)} are allowed.`,
  );
}
