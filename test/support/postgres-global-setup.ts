import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { TestProject } from "vitest/node";
import { createTestServer, KEPT_DATABASES_FILE } from "../../src/store/testing.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Home of the one database server of this run; it starts when the first test asks for a database. */
    readonly postgresHome: string;
  }
}

/**
 * Gives all tests of a run one database server, and ends it afterwards. With `MIYABI_KEEP_TEST_DATABASES=1` the
 * files of a run with failed tests stay for inspection.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const home = await mkdtemp(path.join(os.tmpdir(), "miyabi-test-pg-"));
  project.provide("postgresHome", home);
  return async () => {
    const kept = await readFile(path.join(home, KEPT_DATABASES_FILE), "utf8").catch(() => "");
    await createTestServer(home).stop();
    if (kept !== "" && process.env["MIYABI_KEEP_TEST_DATABASES"] === "1")
      process.stderr.write(`Databases of failed tests, kept in ${home}:\n${kept}`);
    else await rm(home, { recursive: true, force: true });
  };
}
