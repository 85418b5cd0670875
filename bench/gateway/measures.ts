import { median, percentile } from "../result.ts";
import type { Figure } from "./figures.ts";
import type { Calls, LoadTasks, Target } from "./load.ts";
import { PEER_NAMES, type Peer, type PeerName, type Peers } from "./peers.ts";
import type { UpstreamTasks } from "./upstream.ts";
import type { Worker } from "./worker.ts";

export interface Bench {
  readonly peers: Peers;
  readonly load: Worker<LoadTasks>;
  readonly upstream: Worker<UpstreamTasks>;
  readonly note: (text: string) => void;
  /** Fewer rounds and shorter loads. */
  readonly isQuick: boolean;
  /** Of the load under which memory is watched. */
  readonly minutes: number;
}

const chat = (kilobytes: number, more: object): string =>
  JSON.stringify({
    model: "gpt-5",
    max_completion_tokens: 100,
    messages: [{ role: "user", content: "Some code. ".repeat((kilobytes * 1_024) / 11) }],
    ...more,
  });
export const streamed = (chunks: number, everyMs: number): string =>
  chat(4, {
    stream: true,
    stream_options: { include_usage: true },
    user: `chunks=${chunks},every=${everyMs}`,
  });
export const PLAIN = chat(4, {});
/** The size of what a coding agent sends in the middle of its work. */
export const LARGE = chat(90, {});

type ByPeer = Partial<Record<PeerName, number>>;

/** What each peer adds to what it takes to go to the provider directly. */
function addedTo(direct: number, values: ByPeer): ByPeer {
  const added: ByPeer = {};
  for (const name of PEER_NAMES) {
    const value = values[name];
    if (name !== "direct" && value !== undefined) added[name] = Math.max(0, value - direct);
  }
  return added;
}

/**
 * Rounds in which every peer has its turn, so that all meet the same machine; the median over the rounds of a percentile
 * within each, so that one round that another program disturbed says nothing.
 */
async function inTurns(
  { peers, load }: Bench,
  params: Readonly<{ body: string; count: number; rounds: number; of: (calls: Calls) => readonly number[] }>,
): Promise<{ readonly p50: ByPeer; readonly p99: ByPeer }> {
  const seen = new Map<PeerName, { readonly p50: number[]; readonly p99: number[] }>();
  const { body, count } = params;
  // Slow peers get fewer calls: theirs take as long.
  const countOf = (peer: Peer): number => (peer.name === "portkey" ? Math.ceil(count / 4) : count);
  for (let round = 0; round <= params.rounds; round += 1)
    for (const peer of peers.all) {
      const calls = await load.ask("calls", {
        target: peer.target,
        body,
        connections: 1,
        count: countOf(peer),
      });
      if (calls.failed > 0) throw new Error(`${peer.name}: ${calls.failed} calls failed.`);
      // The first round is not counted.
      if (round === 0) continue;
      const times = seen.get(peer.name) ?? { p50: [], p99: [] };
      seen.set(peer.name, times);
      times.p50.push(median(params.of(calls)));
      times.p99.push(percentile(params.of(calls), 0.99));
    }
  const medians = (which: "p50" | "p99"): ByPeer =>
    Object.fromEntries([...seen].map(([name, times]) => [name, median(times[which])]));
  return { p50: medians("p50"), p99: medians("p99") };
}

/** One connection, one call after the other. */
export async function measureLatency(bench: Bench): Promise<readonly Figure[]> {
  const rounds = bench.isQuick ? 3 : 9;
  const count = 1_000;
  await warmUp(bench);
  const of = (calls: Calls): readonly number[] => calls.ms;
  const small = await inTurns(bench, { body: PLAIN, count, rounds, of });
  bench.note("requests of 90 KB");
  const large = await inTurns(bench, { body: LARGE, count: count / 4, rounds, of });
  const at = (values: ByPeer): number => values.direct ?? 0;
  return [
    { name: "call of 4 KB, p50", unit: "ms", values: small.p50 },
    { name: "call of 4 KB, p99", unit: "ms", values: small.p99 },
    {
      name: "added by the gateway, p50",
      unit: "ms",
      values: addedTo(at(small.p50), small.p50),
      goal: { atMost: 0.5 },
    },
    {
      name: "added by the gateway, p99",
      unit: "ms",
      values: addedTo(at(small.p99), small.p99),
      goal: { atMost: 3 },
    },
    { name: "added to a call of 90 KB, p50", unit: "ms", values: addedTo(at(large.p50), large.p50) },
  ];
}

/** What is slow in the first thousands of calls is the compiler. */
async function warmUp({ peers, load, note }: Bench): Promise<void> {
  note("warming up");
  for (const { target } of peers.all)
    for (const body of [PLAIN, streamed(1, 0)])
      await load.ask("rate", { target, body, connections: 8, forMs: 3_000 });
}

/** From the request to the first piece of a stream that the provider begins at once. */
export async function measureFirstToken(bench: Bench): Promise<readonly Figure[]> {
  const { p50, p99 } = await inTurns(bench, {
    body: streamed(3, 1),
    count: 400,
    rounds: bench.isQuick ? 3 : 9,
    of: (calls) => calls.firstMs,
  });
  return [
    { name: "first token, p50", unit: "ms", values: p50 },
    {
      name: "added to the first token, p50",
      unit: "ms",
      values: addedTo(p50.direct ?? 0, p50),
      goal: { atMost: 3 },
    },
    { name: "added to the first token, p99", unit: "ms", values: addedTo(p99.direct ?? 0, p99) },
  ];
}

/** 64 connections, as fast as they can. */
export async function measureRate(bench: Bench): Promise<readonly Figure[]> {
  const { peers, load, isQuick } = bench;
  await warmUp(bench);
  const rate: ByPeer = {};
  const p50: ByPeer = {};
  const cpuMicros: ByPeer = {};
  let databaseMicros = 0;
  for (const peer of peers.all) {
    bench.note(peer.name);
    const [cpuBefore, databaseBefore] = await Promise.all([peer.cpuMs(), peers.ours.databaseCpuMs()]);
    const calls = await load.ask("rate", {
      target: peer.target,
      body: PLAIN,
      connections: 64,
      forMs: isQuick ? 4_000 : 15_000,
    });
    if (calls.failed > 0) throw new Error(`${peer.name}: ${calls.failed} calls failed.`);
    const count = calls.ms.length;
    rate[peer.name] = (count / calls.tookMs) * 1_000;
    p50[peer.name] = median(calls.ms);
    const cpu = await peer.cpuMs();
    if (cpu !== null && cpuBefore !== null) cpuMicros[peer.name] = ((cpu - cpuBefore) / count) * 1_000;
    if (peer.name === "ours")
      databaseMicros = (((await peers.ours.databaseCpuMs()) - databaseBefore) / count) * 1_000;
  }
  return [
    { name: "requests/s, 64 connections", unit: "1/s", values: rate, goal: { atLeast: 5_000 } },
    // What the rate would be on a core of one's own, whatever else the machine does.
    { name: "CPU time for one call", unit: "µs", values: cpuMicros, goal: { atMost: 200 } },
    { name: "call with 64 connections, p50", unit: "ms", values: p50 },
    { name: "CPU time of PostgreSQL for one call", unit: "µs", values: { ours: databaseMicros } },
  ];
}

const STREAMS = 1_000;
const EVERY_MS = 100;

/** Streams at the same time, each with ten chunks a second. */
export async function measureStreams(bench: Bench): Promise<readonly Figure[]> {
  const lost: ByPeer = {};
  const broken: ByPeer = {};
  const p50: ByPeer = {};
  const p99: ByPeer = {};
  const cpuMicros: ByPeer = {};
  const chunks = bench.isQuick ? 60 : 150;
  for (const { name, target, cpuMs } of bench.peers.all) {
    bench.note(name);
    const cpuBefore = await cpuMs();
    const seen = await bench.load.ask("streams", {
      target,
      body: streamed(chunks, EVERY_MS),
      connections: STREAMS,
      chunks,
      // All run at once from then on, for half of the time.
      spreadMs: (chunks * EVERY_MS) / 2,
    });
    const cpu = await cpuMs();
    if (cpu !== null && cpuBefore !== null) cpuMicros[name] = ((cpu - cpuBefore) / seen.chunks) * 1_000;
    lost[name] = seen.lost;
    broken[name] = seen.broken;
    p50[name] = median(seen.delaysMs);
    p99[name] = percentile(seen.delaysMs, 0.99);
  }
  return [
    { name: `${STREAMS} streams: lost chunks`, unit: "", values: lost, goal: { atMost: 0 } },
    { name: `${STREAMS} streams: broken`, unit: "", values: broken, goal: { atMost: 0 } },
    { name: `${STREAMS} streams: chunk delay, p50`, unit: "ms", values: p50, goal: { atMost: 1 } },
    { name: `${STREAMS} streams: chunk delay, p99`, unit: "ms", values: p99 },
    { name: `${STREAMS} streams: CPU time for one chunk`, unit: "µs", values: cpuMicros },
  ];
}

/** The same question again and again, with a key that may use the cache. */
export async function measureCache({ peers, load, isQuick }: Bench): Promise<readonly Figure[]> {
  const calls = (target: Target, count: number): Promise<Calls> =>
    load.ask("calls", { target, body: PLAIN, connections: 1, count });
  await calls(peers.ours.cached, 1_000);
  const { ms, failed } = await calls(peers.ours.cached, isQuick ? 2_000 : 10_000);
  if (failed > 0) throw new Error(`${failed} answers of the cache failed.`);
  return [
    { name: "answer of the cache, p50", unit: "ms", values: { ours: median(ms) }, goal: { atMost: 1 } },
    { name: "answer of the cache, p99", unit: "ms", values: { ours: percentile(ms, 0.99) } },
  ];
}

/** The ledger against what the provider has counted itself, over everything that this benchmark has asked. */
export async function compareLedger({ peers, upstream }: Bench): Promise<readonly Figure[]> {
  const counted = (await upstream.ask("counted"))["ours"] ?? { calls: 0, tokensIn: 0, tokensOut: 0 };
  const ledger = await peers.ours.ledger(counted.calls);
  const off = (name: keyof typeof counted): number => Math.abs(ledger[name] - counted[name]);
  return [
    { name: "calls that the provider counted", unit: "", values: { ours: counted.calls } },
    {
      name: "ledger against provider: calls off",
      unit: "",
      values: { ours: off("calls") },
      goal: { atMost: 0 },
    },
    {
      name: "ledger against provider: tokens off",
      unit: "",
      values: { ours: off("tokensIn") + off("tokensOut") },
      goal: { atMost: 0 },
    },
  ];
}
