import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Cores of this machine that we may use, and what runs on which. */
export interface Cores {
  /** Words before a command that keep it on the core of what is measured. */
  readonly measured: readonly string[];
  /** Keeps running processes, with all their threads, on the core of what is measured. */
  pinMeasured(pids: readonly number[]): Promise<void>;
  /** Keeps running processes away from it. */
  pinOthers(pids: readonly number[]): Promise<void>;
  /** For people. */
  readonly said: string;
}

/** One core for the gateway that is measured, the others for everything else; no pinning where that is not possible. */
export async function openCores(): Promise<Cores> {
  const allowed = await allowedCores();
  const canPin = await run("taskset", ["--version"]).then(
    () => true,
    () => false,
  );
  const [first, ...others] = allowed;
  if (first === undefined || others.length === 0 || !canPin)
    return {
      measured: [],
      pinMeasured: async () => {},
      pinOthers: async () => {},
      said: "nothing is pinned to a core (one core only, or no taskset): figures per core are too low",
    };
  // A process may have gone meanwhile, which is none of our business.
  const pin = async (list: string, pids: readonly number[]): Promise<void> => {
    for (const pid of pids) await run("taskset", ["-acp", list, String(pid)]).catch(() => {});
  };
  return {
    measured: ["taskset", "-c", String(first)],
    pinMeasured: (pids) => pin(String(first), pids),
    pinOthers: (pids) => pin(others.join(","), pids),
    said: `gateways on core ${first}; load, provider and PostgreSQL on core ${others.join(",")}`,
  };
}

async function allowedCores(): Promise<readonly number[]> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? "";
  return list
    .split(",")
    .filter((part) => part !== "")
    .flatMap((part) => {
      const [from = 0, to = from] = part.split("-").map(Number);
      return Array.from({ length: to - from + 1 }, (_, index) => from + index);
    });
}
