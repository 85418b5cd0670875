import { readdir, readFile, readlink, realpath, rename, rm, link } from "node:fs/promises";
import path from "node:path";
import { processStartTicks, type Random } from "../../base/index.ts";

/** A running server, identified beyond its reusable pid. */
export interface ServerProcess {
  readonly pid: number;
  /** Start time in clock ticks since boot. */
  readonly startTicks: string;
}

const PID_LINE = 0;
const STATUS_LINE = 7;

/** The server that runs on this data directory, or null; a left-over pid file that names some other process counts as none. */
export async function findServer(dataDir: string): Promise<ServerProcess | null> {
  const pid = Number((await readPidFile(dataDir))[PID_LINE]);
  if (!Number.isInteger(pid) || pid <= 1) return null;
  const startTicks = await processStartTicks(pid);
  if (startTicks === null || !(await worksIn(pid, dataDir))) return null;
  return { pid, startTicks };
}

/** What the server wrote about itself into its pid file. */
export async function readServerStatus(dataDir: string): Promise<"ready" | "starting" | "stopping" | null> {
  const status = (await readPidFile(dataDir))[STATUS_LINE]?.trim();
  return status === "ready" || status === "starting" || status === "stopping" ? status : null;
}

/**
 * Removes a pid file whose pid was taken by some other process of the same user (PostgreSQL itself then refuses to
 * start), unless a process still works in the data directory. Safe against a server that starts meanwhile: its
 * file is put back.
 */
export async function removeStalePidFile(dataDir: string, random: Random): Promise<boolean> {
  const file = path.join(dataDir, "postmaster.pid");
  const before = await readFile(file, "utf8").catch(() => null);
  if (before === null || (await findServer(dataDir)) !== null || (await isAnyoneIn(dataDir))) return false;
  const aside = `${file}.${random.uuid()}.tmp`;
  await rename(file, aside);
  const taken = await readFile(aside, "utf8");
  if (taken !== before) await link(aside, file).catch(() => {});
  await rm(aside, { force: true });
  return taken === before;
}

async function readPidFile(dataDir: string): Promise<readonly string[]> {
  const text = await readFile(path.join(dataDir, "postmaster.pid"), "utf8").catch(() => "");
  return text.split("\n");
}

/** Every process of a server has the data directory as its working directory. */
async function worksIn(pid: number, dataDir: string): Promise<boolean> {
  const [cwd, wanted] = await Promise.all([
    readlink(`/proc/${pid}/cwd`).catch(() => null),
    realpath(dataDir).catch(() => null),
  ]);
  return cwd !== null && cwd === wanted;
}

async function isAnyoneIn(dataDir: string): Promise<boolean> {
  const pids = (await readdir("/proc")).map(Number).filter((pid) => pid > 1);
  return (await Promise.all(pids.map((pid) => worksIn(pid, dataDir)))).some(Boolean);
}
