import { appendFile } from "node:fs/promises";
import path from "node:path";
import pg from "pg";
import { inject, onTestFinished } from "vitest";
import { resolveHome, silentLog, systemClock, systemProcessRunner, systemRandom } from "../base/index.ts";
import { openDatabase, type Database } from "./database.ts";
import { createEmbeddedPostgres, type EmbeddedPostgres } from "./embedded/server.ts";
import { migrate } from "./migrate.ts";

export interface TestDatabase {
  readonly database: Database;
  /** For `createNotifier`, for a second `openDatabase`, or for a child process. */
  readonly connectionUrl: string;
  /** Closes `database` and drops it. Idempotent. */
  drop(): Promise<void>;
}

/** In the server's home: names of the databases that failed tests left for inspection. */
export const KEPT_DATABASES_FILE = "kept-databases.txt";

const TEMPLATE = "miyabi_template";
const TEMPLATE_LOCK = 4_711;

/** The server of a test run. Without fsync: its data is worth nothing after the run. */
export function createTestServer(home: string): EmbeddedPostgres {
  return createEmbeddedPostgres({
    home: resolveHome({ MIYABI_HOME: home }),
    log: silentLog,
    clock: systemClock,
    random: systemRandom,
    processRunner: systemProcessRunner,
    settings: { fsync: "off", synchronous_commit: "off", full_page_writes: "off", max_connections: "100" },
  });
}

let serverUrl: Promise<string> | null = null;

/**
 * A fresh, migrated database of its own. Called in a test, it is dropped when the test has passed and kept when it
 * failed; called in `beforeAll`, the caller drops it in `afterAll`.
 */
export async function createTestDatabase(
  params: Readonly<{ maxConnections?: number }> = {},
): Promise<TestDatabase> {
  const home = inject("postgresHome");
  serverUrl ??= prepareServer(home);
  const adminUrl = await serverUrl;
  const name = `test_${systemRandom.uuid().replaceAll("-", "")}`;
  await runAsAdmin(adminUrl, `create database ${name} template ${TEMPLATE}`);
  const connectionUrl = withDatabase(adminUrl, name);
  const database = openDatabase({
    connectionUrl,
    maxConnections: params.maxConnections ?? 5,
    log: silentLog,
  });
  const drop = async (): Promise<void> => {
    await database.close();
    await runAsAdmin(adminUrl, `drop database if exists ${name} with (force)`);
  };
  whenTestEnds(async (failed) => {
    if (!failed) return drop();
    await database.close();
    await appendFile(path.join(home, KEPT_DATABASES_FILE), `${connectionUrl}\n`);
  });
  return { database, connectionUrl, drop };
}

/** Outside a test (`beforeAll`) there is nothing to wait for, and the caller cleans up. */
function whenTestEnds(handler: (failed: boolean) => Promise<void>): void {
  try {
    onTestFinished(({ task }) => handler(task.result?.state === "fail"));
  } catch {
    return;
  }
}

async function prepareServer(home: string): Promise<string> {
  const server = createTestServer(home);
  await server.start();
  const url = server.connectionUrl();
  await prepareTemplate(url);
  return url;
}

/** Every test worker asks for it; the first one makes it. `datistemplate` says that it is complete. */
async function prepareTemplate(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("select pg_advisory_lock($1)", [TEMPLATE_LOCK]);
    const { rows } = await client.query<{ datistemplate: boolean }>(
      "select datistemplate from pg_database where datname = $1",
      [TEMPLATE],
    );
    if (rows[0]?.datistemplate === true) return;
    await client.query(`drop database if exists ${TEMPLATE} with (force)`);
    await client.query(`create database ${TEMPLATE}`);
    const database = openDatabase({
      connectionUrl: withDatabase(url, TEMPLATE),
      maxConnections: 1,
      log: silentLog,
    });
    await migrate({ database, log: silentLog });
    await database.close();
    await client.query(`alter database ${TEMPLATE} is_template true`);
  } finally {
    await client.end();
  }
}

async function runAsAdmin(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}
