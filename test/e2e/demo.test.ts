import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { createInstallation, eventually, type TestInstallation } from "../support/installation.ts";

const run = promisify(execFile);
let installation: TestInstallation | null = null;
afterEach(async () => {
  await installation?.destroy();
  installation = null;
});

interface DemoResult {
  readonly repository: string;
  readonly tasks: readonly {
    readonly id: string;
    readonly title: string;
    readonly state: string;
    readonly attempts: number;
    readonly rounds: number;
    readonly mergeCommit: string;
  }[];
}

describe("miyabi demo --exit --json", () => {
  it("carries every sample issue to a merged commit and prints only that, in agreement with git", async () => {
    installation = await createInstallation();
    const { code, stdout, stderr } = await installation.cli(
      "demo",
      "--exit",
      "--json",
      "--port",
      String(installation.port),
    );
    expect(code, stderr).toBe(0);
    const result = JSON.parse(stdout) as DemoResult;
    expect(result.tasks.length).toBeGreaterThanOrEqual(6);
    expect(result.tasks.map((task) => task.state)).toEqual(result.tasks.map(() => "done"));
    const { stdout: log } = await run("git", [
      "-c",
      "safe.directory=*",
      "-C",
      result.repository,
      "log",
      "--format=%H%n%(trailers:key=Miyabi-Task,valueonly)",
      "main",
    ]);
    for (const task of result.tasks) {
      expect(log).toContain(task.mergeCommit);
      expect(log.split("\n").filter((line) => line === task.id)).toHaveLength(1);
    }
    // A check that failed, a review that asked for changes and a conflict each sent a task back.
    expect(result.tasks.filter((task) => task.attempts > 4).length).toBeGreaterThanOrEqual(3);
    const { stdout: status } = await run("git", [
      "-c",
      "safe.directory=*",
      "-C",
      result.repository,
      "status",
      "--porcelain",
    ]);
    expect(status).toBe("");
    const product = installation;
    await eventually("no process is left", 10_000, async () => (await product.processes()).length === 0);
  });
});
