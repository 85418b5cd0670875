import { pssOf } from "../processes.ts";

/** Memory of a process of Node right after a full garbage collection, bytes. */
export interface Memory {
  readonly heapBytes: number;
  readonly pssBytes: number;
}

export interface HeapProbe {
  look(): Promise<Memory>;
  close(): void;
}

interface Reply {
  readonly id?: number;
  readonly result?: Readonly<Record<string, unknown>>;
}

const OPENS_WITHIN_MS = 10_000;

/** Opens the inspector of a running process, which must have been started with `--inspect-port=PORT`. */
export async function openHeapProbe(pid: number, port: number): Promise<HeapProbe> {
  process.kill(pid, "SIGUSR1");
  const socket = new WebSocket(await addressOf(port));
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve, { once: true });
    socket.addEventListener("error", () => reject(new Error("The inspector does not answer.")), {
      once: true,
    });
  });
  const open = new Map<number, (result: Readonly<Record<string, unknown>>) => void>();
  let count = 0;
  socket.addEventListener("message", ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as Reply;
    if (id === undefined) return;
    open.get(id)?.(result ?? {});
    open.delete(id);
  });
  const ask = (method: string): Promise<Readonly<Record<string, unknown>>> =>
    new Promise((resolve) => {
      count += 1;
      open.set(count, resolve);
      socket.send(JSON.stringify({ id: count, method }));
    });
  return {
    look: async () => {
      await ask("HeapProfiler.collectGarbage");
      const { usedSize } = await ask("Runtime.getHeapUsage");
      return { heapBytes: Number(usedSize), pssBytes: await pssOf(pid) };
    },
    close: () => socket.close(),
  };
}

async function addressOf(port: number): Promise<string> {
  const untilMs = performance.now() + OPENS_WITHIN_MS;
  for (;;) {
    try {
      const list = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as {
        readonly webSocketDebuggerUrl: string;
      }[];
      if (list[0] !== undefined) return list[0].webSocketDebuggerUrl;
    } catch (error) {
      if (performance.now() > untilMs) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** What a line through the values, which are evenly apart, gains from the first of them to the last. */
export function gainOf(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let rise = 0;
  let spread = 0;
  for (const [index, value] of values.entries()) {
    rise += (index - middle) * (value - mean);
    spread += (index - middle) ** 2;
  }
  return spread === 0 ? 0 : (rise / spread) * (values.length - 1);
}
