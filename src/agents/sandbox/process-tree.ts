import { readdir, readFile } from "node:fs/promises";

/** One line of the process table. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parentPid: number;
  /** `R`, `S`, `D`, `T` (stopped), `Z` (dead, not collected)… */
  readonly state: string;
  readonly sessionId: number;
  readonly startTicks: string;
  readonly threads: number;
  /** Resident memory in pages. */
  readonly residentPages: number;
}

async function readEntry(pid: number): Promise<ProcessEntry | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "latin1");
    // The name may itself hold spaces and parentheses; fields are counted from behind it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const field = (index: number): string => fields[index] ?? "";
    return {
      pid,
      state: field(0),
      parentPid: Number(field(1)),
      sessionId: Number(field(3)),
      threads: Number(field(17)),
      startTicks: field(19),
      residentPages: Number(field(21)),
    };
  } catch {
    return null;
  }
}

/** All processes of the machine. One pass, not a snapshot: a process that forks meanwhile may be missed. */
export async function listProcesses(): Promise<readonly ProcessEntry[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const entries: ProcessEntry[] = [];
  for (let start = 0; start < pids.length; start += 64) {
    const batch = await Promise.all(pids.slice(start, start + 64).map(readEntry));
    entries.push(...batch.filter((entry) => entry !== null));
  }
  return entries;
}

/**
 * `rootPid` and everything below it, parents first; empty where it is gone.
 * For the init of a PID namespace that is the whole namespace: orphans inside become its children.
 */
export function descendantsOf(entries: readonly ProcessEntry[], rootPid: number): readonly ProcessEntry[] {
  const children = Map.groupBy(entries, (entry) => entry.parentPid);
  const found = entries.filter((entry) => entry.pid === rootPid);
  for (let index = 0; index < found.length; index += 1)
    found.push(...(children.get(found[index]?.pid ?? -1) ?? []));
  return found;
}

/** Pids whose command line (`cmdline`) or first environment (`environ`) has one of the NUL-separated `words`, in order. */
export async function findByWords(
  file: "cmdline" | "environ",
  words: readonly string[],
): Promise<readonly number[]> {
  const wanted = `\0${words.join("\0")}\0`;
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const content = await readFile(`/proc/${name}/${file}`, "utf8").catch(() => "");
    if (`\0${content}`.includes(wanted)) found.push(Number(name));
  }
  return found;
}
