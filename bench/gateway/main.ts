/**
 * `npm run bench:gateway`: direct, nginx, Portkey and our gateway side by side. `-- --json` prints the results alone,
 * `-- --quick` measures shorter, `-- --minutes N` is how long memory is watched, `-- --only NAME` runs one part.
 * `-- --conduct` compares how Portkey and ours behave when providers fail, and nothing else.
 */
import path from "node:path";
import { compareConduct, conductResults, conductTable } from "./conduct.ts";
import { openCores } from "./cores.ts";
import { resultsOf, tableOf, type Figure } from "./figures.ts";
import type { LoadTasks } from "./load.ts";
import {
  compareLedger,
  measureCache,
  measureFirstToken,
  measureLatency,
  measureRate,
  measureStreams,
  type Bench,
} from "./measures.ts";
import { measureMemory } from "./memory.ts";
import { startPeers } from "./peers.ts";
import type { UpstreamTasks } from "./upstream.ts";
import { startWorker } from "./worker.ts";

const PARTS: Readonly<Record<string, (bench: Bench) => Promise<readonly Figure[]>>> = {
  latency: measureLatency,
  "first-token": measureFirstToken,
  rate: measureRate,
  streams: measureStreams,
  cache: measureCache,
  memory: measureMemory,
  ledger: compareLedger,
};

const { argv } = process;
const valueOf = (flag: string): string | undefined =>
  argv.includes(flag) ? argv[argv.indexOf(flag) + 1] : undefined;
const say = (text: string): void => void process.stderr.write(`${text}\n`);

const only = valueOf("--only");
const isQuick = argv.includes("--quick");
const minutes = Number(valueOf("--minutes") ?? (isQuick ? 1 : 10));
if ((only !== undefined && PARTS[only] === undefined) || !(minutes > 0)) {
  say(`usage: [--json] [--quick] [--minutes N] [--only ${Object.keys(PARTS).join("|")}] [--conduct]`);
  process.exit(64);
}
if (argv.includes("--conduct")) {
  const seen = await compareConduct((text) => say(`  ${text}`));
  process.stdout.write(
    argv.includes("--json") ? `${JSON.stringify(conductResults(seen), null, 2)}\n` : conductTable(seen),
  );
  process.exit(0);
}
if (isQuick) say("--quick: short loads; memory is watched for too short a time to say much.");

const program = (name: string): string => path.join(import.meta.dirname, name);
const upstream = startWorker<UpstreamTasks>(program("upstream.ts"));
const load = startWorker<LoadTasks>(program("load.ts"));
const figures: Figure[] = [];
try {
  const cores = await openCores();
  say(cores.said);
  await cores.pinOthers([upstream.pid, load.pid]);
  say("starting …");
  const upstreamPort = await upstream.ask("listen");
  const peers = await startPeers({ upstreamPort, cores, note: (text) => say(`  ${text}`) });
  try {
    for (const reason of peers.skipped) say(reason);
    const bench: Bench = { peers, load, upstream, isQuick, minutes, note: (text) => say(`  ${text}`) };
    for (const [name, measure] of Object.entries(PARTS)) {
      if (only !== undefined && name !== only && name !== "ledger") continue;
      say(`${name} …`);
      figures.push(...(await measure(bench)));
    }
  } finally {
    await peers.stop();
  }
} finally {
  await Promise.all([upstream.stop(), load.stop()]);
}
process.stdout.write(
  argv.includes("--json") ? `${JSON.stringify(resultsOf(figures), null, 2)}\n` : tableOf(figures),
);
