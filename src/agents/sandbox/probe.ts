import { mkdir, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { AppError, messageOf, toAppError, type Clock, type ProcessRunner } from "../../base/index.ts";
import { diagnose, installCommand, readHostFacts } from "./diagnosis.ts";
import type { HostLayout } from "./layout.ts";
import { startSandbox } from "./start.ts";
import { DEFAULT_LIMITS, SANDBOX_UID } from "./spec.ts";

export type SandboxProbe =
  | { readonly available: true; readonly version: string }
  | { readonly available: false; readonly reason: string; readonly fix: string };

interface ProbeParams {
  readonly runner: ProcessRunner;
  readonly layout: HostLayout;
  readonly clock: Clock;
}

const PROBE_TIMEOUT_MS = 10_000;
// What must be true inside; anything else counts as no sandbox. The kernel's name file must refuse to be written.
const CHECKS = [
  `[ "$(id -u)" = ${SANDBOX_UID} ]`,
  "[ ! -e /etc/shadow ]",
  "! (: >> /proc/sys/kernel/core_pattern) 2>/dev/null",
  "! (: > /outside) 2>/dev/null",
  "! unshare --user true 2>/dev/null",
  "echo sandboxed",
].join(" && ");

/**
 * Whether agents can be sandboxed here: really starts one with everything that a run uses, and looks from inside.
 * Never throws for what it finds; what cannot be checked counts as no.
 */
export async function probeSandbox(params: Readonly<ProbeParams>): Promise<SandboxProbe> {
  if (process.platform !== "linux")
    return {
      available: false,
      reason: "The sandbox needs Linux.",
      fix: "Run Miyabi Orchestra on Linux (a virtual machine or WSL 2 will do), or accept the risk with --unsafe-no-sandbox.",
    };
  const facts = await readHostFacts();
  try {
    const version = await params.runner.run({
      command: params.layout.bwrapFile ?? "bwrap",
      args: ["--version"],
      env: {},
      timeoutMs: PROBE_TIMEOUT_MS,
    });
    const outcome = await tryOnce(params);
    if (outcome.output === "sandboxed")
      return { available: true, version: version.stdout.replace("bubblewrap", "").trim() };
    return { available: false, ...diagnose(outcome.stderr, facts) };
  } catch (error) {
    const failure = toAppError(error);
    if (failure.code === "tool.missing")
      return {
        available: false,
        reason: "bubblewrap (bwrap) is not installed.",
        fix: installCommand(facts.distribution, "bubblewrap", facts.uid),
      };
    const stderr = failure.details["stderr"];
    return {
      available: false,
      ...diagnose(typeof stderr === "string" ? stderr : messageOf(error), facts),
    };
  }
}

async function tryOnce(
  params: Readonly<ProbeParams>,
): Promise<{ readonly output: string; readonly stderr: string }> {
  const root = await mkdtemp(path.join(os.tmpdir(), "miyabi-probe-"));
  try {
    const [cloneDir, homeDir, runSocketDir] = ["clone", "home", "run"].map((name) => path.join(root, name));
    if (cloneDir === undefined || homeDir === undefined || runSocketDir === undefined)
      throw new AppError({ code: "internal.bug", message: "The probe has no directories." });
    for (const directory of [cloneDir, homeDir, runSocketDir]) await mkdir(directory);
    const handle = await startSandbox({
      runtime: "bubblewrap",
      layout: params.layout,
      clock: params.clock,
      spec: {
        id: path.basename(root),
        cloneDir,
        cloneWritable: true,
        homeDir,
        tmpDir: null,
        readOnlyBinds: [],
        readWriteBinds: [],
        hiddenDirs: [],
        runSocketDir,
        env: { PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", HOME: homeDir },
        command: "/bin/sh",
        args: ["-c", CHECKS],
        cwd: cloneDir,
        companion: null,
        limits: DEFAULT_LIMITS,
        terminal: false,
      },
    });
    handle.stdin.end();
    const done = new AbortController();
    const limit = params.clock.sleep(PROBE_TIMEOUT_MS, done.signal).then(
      () => handle.kill(),
      () => {},
    );
    const [stdout, stderr] = await Promise.all([text(handle.stdout), text(handle.stderr), handle.exited]);
    done.abort();
    await limit;
    return { output: stdout.trim(), stderr };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
