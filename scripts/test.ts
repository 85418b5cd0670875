/** `npm test`: builds the product, then runs unit, console and integration tests, and says how many passed. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { build } from "./build.ts";

const root = path.dirname(import.meta.dirname);
await build({ ifStale: true });
const directory = await mkdtemp(path.join(os.tmpdir(), "miyabi-test-report-"));
const report = path.join(directory, "report.json");
const args = [
  "run",
  "--project",
  "unit",
  "--project",
  "web",
  "--project",
  "integration",
  "--reporter",
  "default",
  "--reporter",
  "json",
  "--outputFile.json",
  report,
  ...process.argv.slice(2),
];
const code = await new Promise<number>((resolve) => {
  const child = spawn(process.execPath, [path.join(root, "node_modules/vitest/vitest.mjs"), ...args], {
    cwd: root,
    stdio: "inherit",
  });
  child.on("close", (status) => resolve(status ?? 1));
});
const counts = JSON.parse(await readFile(report, "utf8").catch(() => "{}")) as {
  numPassedTests?: number;
  numFailedTests?: number;
  numPendingTests?: number;
};
await rm(directory, { recursive: true, force: true });
process.stdout.write(
  `\n${counts.numPassedTests ?? 0} passed, ${counts.numFailedTests ?? 0} failed, ${counts.numPendingTests ?? 0} skipped\n`,
);
process.exit(code === 0 && (counts.numPassedTests ?? 0) > 0 ? 0 : 1);
