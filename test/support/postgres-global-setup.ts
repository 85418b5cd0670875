import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { TestProject } from "vitest/node";
import { isProcessAlive } from "../../src/base/index.ts";
import { createTestServer, KEPT_DATABASES_FILE } from "../../src/store/testing.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Home of the one database server of this run; it starts when the first test asks for a database. */
    readonly postgresHome: string;
  }
}

const HOME_NAME = /^miyabi-test-pg-(\d+)-/;

/** Ends the servers of runs that were killed before they could do it themselves. */
async function endOrphans(): Promise<void> {
  for (const name of await readdir(os.tmpdir())) {
    const runner = HOME_NAME.exec(name)?.[1];
    if (runner !== undefined && !(await isProcessAlive(Number(runner))))
      await end(path.join(os.tmpdir(), name));
  }
}

async function end(home: string): Promise<void> {
  await createTestServer(home).stop();
  const kept = await readFile(path.join(home, KEPT_DATABASES_FILE), "utf8").catch(() => "");
  if (kept !== "" && process.env["MIYABI_KEEP_TEST_DATABASES"] === "1")
    process.stderr.write(`Databases of failed tests, kept in ${home}:\n${kept}`);
  else await rm(home, { recursive: true, force: true });
}

/**
 * Gives all tests of a run one database server, and ends it afterwards. With `MIYABI_KEEP_TEST_DATABASES=1` the
 * files of a run with failed tests stay for inspection.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await endOrphans();
  const home = await mkdtemp(path.join(os.tmpdir(), `miyabi-test-pg-${process.pid}-`));
  project.provide("postgresHome", home);
  return () => end(home);
}
