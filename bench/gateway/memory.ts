import { median } from "../result.ts";
import type { Figure } from "./figures.ts";
import { gainOf, type Memory } from "./heap.ts";
import type { Calls } from "./load.ts";
import { LARGE, PLAIN, streamed, type Bench } from "./measures.ts";

const LOAD_PER_SECOND = 500;
const LOOKS = 60;
const MIB = 1_048_576;

/**
 * Memory under calls and streams at an even pace, each time after a garbage collection. Flat means that a line through what
 * was seen, without the first quarter of the time, which fills pools and caches, gains no more than a tenth.
 */
export async function measureMemory(bench: Bench): Promise<readonly Figure[]> {
  const { peers, load, note } = bench;
  const forMs = bench.minutes * 60_000;
  const { target } = peers.ours;
  note(`${bench.minutes} minutes of load`);
  const probe = await peers.ours.openHeapProbe();
  const untilMs = performance.now() + forMs;
  const seen: Memory[] = [];
  const watching = (async () => {
    while (performance.now() < untilMs) {
      await new Promise((resolve) => setTimeout(resolve, forMs / LOOKS));
      seen.push(await probe.look());
    }
  })();
  const paced = (body: string, perSecond: number): Promise<Calls> =>
    load.ask("paced", { target, body, connections: 32, forMs, perSecond });
  const done = await Promise.all([
    paced(PLAIN, LOAD_PER_SECOND * 0.7),
    paced(streamed(10, 20), LOAD_PER_SECOND * 0.2),
    paced(LARGE, LOAD_PER_SECOND * 0.1),
  ]);
  await watching;
  probe.close();
  const settled = seen.slice(Math.floor(seen.length / 4));
  const failed = done.reduce((sum, one) => sum + one.failed, 0);
  const figures = (what: string, of: (memory: Memory) => number): readonly Figure[] => {
    const values = settled.map((memory) => of(memory) / MIB);
    const gain = gainOf(values);
    const minutes = (bench.minutes * settled.length) / seen.length;
    return [
      { name: `${what} after garbage collection, p50`, unit: "MiB", values: { ours: median(values) } },
      { name: `${what}: gain in a minute`, unit: "MiB", values: { ours: gain / minutes } },
      {
        name: `${what}: gain in the last three quarters of ${bench.minutes} min`,
        unit: "%",
        values: { ours: (gain / median(values)) * 100 },
        goal: { atMost: 10 },
      },
    ];
  };
  return [
    ...figures("heap", (memory) => memory.heapBytes),
    ...figures("memory (PSS)", (memory) => memory.pssBytes),
    { name: "failed calls under this load", unit: "", values: { ours: failed }, goal: { atMost: 0 } },
  ];
}
