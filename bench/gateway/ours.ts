import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { silentLog } from "../../src/base/index.ts";
import { openDatabase } from "../../src/store/index.ts";
import {
  createInstallation,
  eventually,
  freePort,
  type TestInstallation,
} from "../../test/support/installation.ts";
import { cpuMsOf, familyOf } from "../processes.ts";
import type { Cores } from "./cores.ts";
import { openHeapProbe, type HeapProbe } from "./heap.ts";
import type { Target } from "./load.ts";
import type { Peer } from "./peers.ts";
import type { Counted } from "./upstream.ts";

const root = path.dirname(path.dirname(import.meta.dirname));

/** The product itself, as `miyabi up` starts it. */
export interface Ours extends Peer {
  /** A key whose answers are cached. */
  readonly cached: Target;
  /** Looks at the memory of the process with the gateway. */
  openHeapProbe(): Promise<HeapProbe>;
  /** CPU time of PostgreSQL so far, milliseconds. */
  databaseCpuMs(): Promise<number>;
  /** What the ledger says that the provider was asked for, as soon as it has that many calls, or after a while. */
  ledger(calls: number): Promise<Counted>;
}

interface OursParams {
  readonly upstreamPort: number;
  readonly cores: Cores;
  readonly note: (text: string) => void;
}

const START_MS = 120_000;
/** Longest time that the last calls may take on their way into the ledger. */
const LEDGER_MS = 10_000;
const LEDGER = `
  select count(*)::int as calls, coalesce(sum(tokens_in), 0)::float8 as "tokensIn",
    coalesce(sum(tokens_out), 0)::float8 as "tokensOut"
  from miyabi.model_calls where attempts > 0`;

const configuration = (upstreamPort: number): string => `
runtime: process
team:
  name: bench
  members: [{ slot: conductor, name: Conductor, nameJa: 雅, role: conductor, color: "#b7282e" }]
gateway:
  budgets: { monthUsd: 1000000 }
  providers:
    openai: { baseUrl: "http://127.0.0.1:${upstreamPort}/ours/v1" }
`;

/** Starts the product of this checkout, with a key that has limits and budgets, and its logs in a file. */
export async function startOurs(params: Readonly<OursParams>): Promise<Ours> {
  const logs = await mkdtemp(path.join(tmpdir(), "miyabi-bench-logs-"));
  const inspectorPort = await freePort();
  const options = { NODE_OPTIONS: `--inspect-port=${inspectorPort}` };
  const product = await createInstallation(options, path.join(root, "bin", "miyabi.cjs"), [
    "sh",
    "-c",
    `exec "$@" 2>>"${logs}/stderr.log"`,
    "sh",
  ]);
  const stop = async (): Promise<void> => {
    await product.destroy();
    await rm(logs, { recursive: true, force: true });
  };
  try {
    await writeFile(path.join(product.home, "miyabi.yaml"), configuration(params.upstreamPort));
    await writeFile(path.join(product.home, ".env"), "OPENAI_API_KEY=sk-benchmark\n");
    product.up();
    return await opened(product, inspectorPort, params.cores, stop);
  } catch (error) {
    const said = await readFile(path.join(logs, "stderr.log"), "utf8").catch(() => "");
    await stop();
    throw new Error(`Our gateway did not start: ${said.trim().slice(-500)}`, { cause: error });
  }
}

async function opened(
  product: TestInstallation,
  inspectorPort: number,
  cores: Cores,
  stop: () => Promise<void>,
): Promise<Ours> {
  // It is written last of all.
  const file = await eventually("our gateway serves", START_MS, () =>
    readFile(path.join(product.home, "run", "control-plane.json"), "utf8").catch(() => null),
  );
  const { pid } = JSON.parse(file) as { readonly pid: number };
  const environment = await readFile(`/proc/${pid}/environ`, "utf8");
  const connectionUrl = /(?:^|\0)MIYABI_CONNECTION_URL=([^\0]*)/.exec(environment)?.[1] ?? "";
  // Limits and budgets that are checked with every call and never reached.
  const limits = ["--requests", "1000000000", "--tokens", "2000000000", "--month-usd", "1000000"];
  const addKey = async (...flags: readonly string[]): Promise<Target> => {
    const { stdout, stderr } = await product.cli("keys", "add", "--json", ...limits, ...flags);
    if (stdout === "") throw new Error(`There is no key: ${stderr}`);
    const { key } = JSON.parse(stdout) as { readonly key: string };
    return {
      port: product.port,
      path: "/v1/chat/completions",
      headers: { authorization: `Bearer ${key}` },
    };
  };
  const target = await addKey("--name", "bench", "--kind", "tool");
  const cached = await addKey("--name", "bench-cached", "--kind", "tool", "--cache");
  const databasePids = async (): Promise<readonly number[]> => {
    const all = await product.processes();
    const postmaster = all.filter(({ args }) => /\bpostgres\b.* -D |postgres:/.test(args));
    return familyOf(postmaster.map((one) => one.pid));
  };
  await cores.pinMeasured([pid]);
  await cores.pinOthers(
    (await familyOf((await product.processes()).map((one) => one.pid))).filter((one) => one !== pid),
  );
  return {
    name: "ours",
    target,
    cached,
    stop,
    openHeapProbe: () => openHeapProbe(pid, inspectorPort),
    cpuMs: () => cpuMsOf(pid),
    databaseCpuMs: async () => {
      const times = await Promise.all((await databasePids()).map(cpuMsOf));
      return times.reduce((sum, one) => sum + one, 0);
    },
    ledger: async (calls) => {
      const database = openDatabase({ connectionUrl, maxConnections: 1, log: silentLog });
      const untilMs = performance.now() + LEDGER_MS;
      try {
        for (;;) {
          const { rows } = await database.query<Counted>(LEDGER);
          const sum = rows[0] ?? { calls: 0, tokensIn: 0, tokensOut: 0 };
          if (sum.calls >= calls || performance.now() > untilMs) return sum;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      } finally {
        await database.close();
      }
    },
  };
}
