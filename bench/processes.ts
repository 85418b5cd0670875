import { readdir, readFile } from "node:fs/promises";

/** Milliseconds of a tick of the kernel's process accounting; 100 Hz on every Linux that Node runs on. */
const TICK_MS = 10;

/** Proportional set size in bytes; 0 for a process that has gone. Source: /proc/PID/smaps_rollup. */
export async function pssOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1_024;
}

/** CPU time in user and kernel mode, milliseconds; 0 for a process that has gone. Source: /proc/PID/stat. */
export async function cpuMsOf(pid: number): Promise<number> {
  const fields = await statOf(pid);
  return (Number(fields?.[11] ?? 0) + Number(fields?.[12] ?? 0)) * TICK_MS;
}

/** These processes and all that descend from them. */
export async function familyOf(pids: readonly number[]): Promise<readonly number[]> {
  const names = await readdir("/proc");
  const parents = new Map<number, number>();
  for (const pid of names.map(Number).filter(Number.isInteger)) {
    const parent = (await statOf(pid))?.[1];
    if (parent !== undefined) parents.set(pid, Number(parent));
  }
  const found = new Set(pids);
  for (let grew = true; grew;) {
    grew = false;
    for (const [pid, parent] of parents)
      if (found.has(parent) && !found.has(pid)) {
        found.add(pid);
        grew = true;
      }
  }
  return [...found];
}

/** Fields after the program's name, from the state on. */
async function statOf(pid: number): Promise<readonly string[] | null> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  return text === null ? null : text.slice(text.lastIndexOf(")") + 2).split(" ");
}
