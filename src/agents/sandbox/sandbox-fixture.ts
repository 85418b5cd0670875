import { mkdir, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { systemClock } from "../../base/index.ts";
import { readHostLayout } from "./layout.ts";
import { DEFAULT_LIMITS, type SandboxRuntime, type SandboxSpec } from "./spec.ts";
import { startSandbox, type SandboxHandle } from "./start.ts";

/** A session directory of its own, removed after the test, and a spec that runs a shell script in it. */
export async function sandboxFixture(
  script: string,
): Promise<{ readonly root: string; readonly spec: SandboxSpec }> {
  const root = await mkdtemp(path.join(os.tmpdir(), "miyabi 箱-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const [cloneDir = "", homeDir = "", tmpDir = ""] = ["clone", "home", "tmp"].map((name) =>
    path.join(root, name),
  );
  for (const directory of [cloneDir, homeDir, tmpDir]) await mkdir(directory);
  return {
    root,
    spec: {
      id: path.basename(root),
      cloneDir,
      cloneWritable: true,
      homeDir,
      tmpDir,
      readOnlyBinds: [],
      readWriteBinds: [],
      hiddenDirs: [],
      runSocketDir: null,
      env: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: homeDir },
      command: "/bin/sh",
      args: ["-c", script],
      cwd: cloneDir,
      companion: null,
      limits: DEFAULT_LIMITS,
      terminal: false,
    },
  };
}

/** Starts a sandbox that is killed after the test at the latest. */
export async function start(
  spec: SandboxSpec,
  runtime: SandboxRuntime = "bubblewrap",
): Promise<SandboxHandle> {
  const layout = await readHostLayout(process.env["PATH"] ?? "");
  const handle = await startSandbox({ spec, runtime, layout, clock: systemClock });
  onTestFinished(() => handle.kill());
  return handle;
}

/** Runs a sandbox to its end. */
export async function runToEnd(
  spec: SandboxSpec,
  runtime: SandboxRuntime = "bubblewrap",
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const handle = await start(spec, runtime);
  handle.stdin.end();
  const [stdout, stderr, exit] = await Promise.all([text(handle.stdout), text(handle.stderr), handle.exited]);
  return { code: exit.code, stdout, stderr };
}

/** Waits for a condition; fails after 10 s. */
export async function eventually(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
  const deadlineMs = systemClock.monotonicMs() + 10_000;
  while (!(await condition())) {
    if (systemClock.monotonicMs() > deadlineMs) throw new Error(`never happened: ${what}`);
    await systemClock.sleep(10);
  }
}
