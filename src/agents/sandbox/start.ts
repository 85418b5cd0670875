import type { Readable, Writable } from "node:stream";
import { AppError, processStartTicks, type Clock } from "../../base/index.ts";
import { readInitPid, restOf, sendInputs, startChild, type ChildExit, type StartedChild } from "./child.ts";
import { buildSandbox, SANDBOX_ID_VARIABLE } from "./command.ts";
import { freezeSandbox, thawSandbox } from "./freeze.ts";
import { killNamespace, killTree } from "./kill.ts";
import { launcherCommand } from "./launcher.ts";
import type { HostLayout } from "./layout.ts";
import type { SandboxIdentity, SandboxRuntime, SandboxSpec } from "./spec.ts";

/** A running sandbox. It ends with this process, whatever happens to it (not with runtime `none`). */
export interface SandboxHandle {
  /** Write this down before anything else is done: a replacement host needs it for `killNamespace`. */
  readonly identity: SandboxIdentity;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when the program and everything it started are gone. A signal inside shows as status 128 + its number. */
  readonly exited: Promise<ChildExit>;
  /** Ends everything inside; resolves when that is confirmed. Idempotent. @throws process.timeout */
  kill(): Promise<void>;
  /** Stops all processes inside; false: it could not be brought to rest or is gone. */
  freeze(): Promise<boolean>;
  thaw(): Promise<boolean>;
}

interface StartParams {
  readonly spec: SandboxSpec;
  readonly runtime: SandboxRuntime;
  readonly layout: HostLayout;
  readonly clock: Clock;
  /** `inherit`: the program gets our own terminal (takeover); the handle's streams are then empty. Default `pipe`. */
  readonly stdio?: "pipe" | "inherit";
}

/**
 * Starts a program in its sandbox and resolves when its first process exists.
 * What the sandbox cannot see shows up later as the program's failure on its standard error (`bwrap: …`).
 * With runtime `none` only `command`, `args`, `env`, `cwd`, `id`, `limits` and `companion` of the spec have an effect.
 * Must be called on the main thread: the sandbox dies with the thread that started it.
 * @throws tool.missing without bwrap; sandbox.unavailable where the namespaces cannot be made; input.invalid for bad paths.
 */
export function startSandbox(params: Readonly<StartParams>): Promise<SandboxHandle> {
  return params.runtime === "none" ? startUnsandboxed(params) : startBubblewrap(params);
}

async function startBubblewrap(params: Readonly<StartParams>): Promise<SandboxHandle> {
  const { clock } = params;
  const built = buildSandbox(params.spec, params.layout);
  const standard = params.stdio ?? "pipe";
  const started = await startChild(built.command, built.args, {
    env: { ...built.env },
    cwd: "/",
    stdio: [standard, standard, standard, "pipe", ...built.inputs.map(() => "pipe" as const)],
  });
  const { child } = started;
  sendInputs(child, built);
  const initPid = await readInitPid(child);
  const startTicks = initPid === null ? null : await processStartTicks(initPid);
  if (initPid === null) {
    child.kill("SIGKILL");
    const detail = (await restOf(started.streams[2])).trim();
    throw new AppError({
      code: "sandbox.unavailable",
      message: `The sandbox could not be started: ${detail === "" ? "bwrap ended at once" : detail}`,
      details: { stderr: detail },
      fix: "Run `miyabi doctor` to see what this machine lacks.",
    });
  }
  // Gone already: a pid without ticks of its own would be somebody else's one day.
  const identity = { initPid, startTicks: startTicks ?? "0" };
  return createHandle({ started, identity, clock, kill: () => killNamespace({ identity, clock }) });
}

async function startUnsandboxed(params: Readonly<StartParams>): Promise<SandboxHandle> {
  const { spec, clock } = params;
  const standard = params.stdio ?? "pipe";
  const [command = "/bin/sh", ...args] = launcherCommand(spec);
  const started = await startChild(command, args, {
    env: { ...spec.env, [SANDBOX_ID_VARIABLE]: spec.id },
    cwd: spec.cwd,
    stdio: [standard, standard, standard],
    detached: standard === "pipe",
  });
  const initPid = started.child.pid ?? -1;
  const identity = { initPid, startTicks: (await processStartTicks(initPid)) ?? "0" };
  return createHandle({ started, identity, clock, kill: () => killTree({ identity, id: spec.id, clock }) });
}

interface HandleParams {
  readonly started: StartedChild;
  readonly identity: SandboxIdentity;
  readonly clock: Clock;
  readonly kill: () => Promise<void>;
}

function createHandle({ started, identity, clock, kill }: Readonly<HandleParams>): SandboxHandle {
  const exited = started.exit.then(async (result) => {
    await kill();
    return result;
  });
  // Whoever waits for the end gets the failure; without this an unwatched one would end the host.
  exited.catch(() => {});
  const [stdin, stdout, stderr] = started.streams;
  return {
    identity,
    stdin,
    stdout,
    stderr,
    exited,
    kill: async () => {
      await kill();
      started.child.kill("SIGKILL");
      await exited;
    },
    freeze: () => freezeSandbox({ identity, clock }),
    thaw: () => thawSandbox({ identity }),
  };
}
