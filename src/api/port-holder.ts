import { readdir, readFile, readlink } from "node:fs/promises";

/** Program that listens on a TCP port of this machine, e.g. `node (pid 123)`; null where that cannot be seen. Linux only. */
export async function findPortHolder(port: number): Promise<string | null> {
  try {
    const inodes = await listeningInodes(port);
    return inodes.size === 0 ? null : await findOwner(inodes);
  } catch {
    return null;
  }
}

const LISTENING = "0A";

async function listeningInodes(port: number): Promise<ReadonlySet<string>> {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const inodes = new Set<string>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    const text = await readFile(table, "latin1").catch(() => "");
    for (const line of text.split("\n").slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[1]?.endsWith(`:${hex}`) === true && fields[3] === LISTENING && fields[9] !== undefined)
        inodes.add(`socket:[${fields[9]}]`);
    }
  }
  return inodes;
}

async function findOwner(inodes: ReadonlySet<string>): Promise<string | null> {
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    // Programs of other users show nothing.
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => "");
      if (!inodes.has(target)) continue;
      const name = (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")).trim();
      return `${name === "" ? "a program" : name} (pid ${pid})`;
    }
  }
  return null;
}
