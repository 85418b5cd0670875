import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { resolveHome, silentLog, systemClock, systemProcessRunner, systemRandom } from "../src/base/index.ts";
import { createEmbeddedPostgres, migrate, openDatabase, type Database } from "../src/store/index.ts";

export interface BenchDatabase {
  readonly database: Database;
  readonly connectionUrl: string;
  close(): Promise<void>;
}

/** An embedded server as the product starts it (`fsync` on), migrated, with a pool of `connections`. */
export async function openBenchDatabase(connections: number): Promise<BenchDatabase> {
  const root = await mkdtemp(path.join(tmpdir(), "miyabi-bench-"));
  const deps = { log: silentLog, clock: systemClock, random: systemRandom };
  const server = createEmbeddedPostgres({
    ...deps,
    home: resolveHome({ MIYABI_HOME: root }),
    processRunner: systemProcessRunner,
  });
  await server.start();
  const connectionUrl = server.connectionUrl();
  const database = openDatabase({ ...deps, connectionUrl, maxConnections: connections });
  await database.waitUntilReady({ deadlineMs: 30_000 });
  await migrate({ database, log: silentLog });
  return {
    database,
    connectionUrl,
    close: async () => {
      await database.close();
      await server.stop();
      await rm(root, { recursive: true, force: true });
    },
  };
}
