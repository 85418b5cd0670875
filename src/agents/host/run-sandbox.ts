import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { AppError, type Clock, type Log, type ProcessRunner } from "../../base/index.ts";
import {
  createRunSocket,
  forwarderCommand,
  FORWARDER_PORT,
  findForwarderPort,
  forwarderMcpUrl,
  forwarderUrl,
  type RunSocket,
  sandboxEnvironment,
} from "../egress/index.ts";
import type { RunSpec } from "../protocol.ts";
import {
  DEFAULT_LIMITS,
  type HostLayout,
  RUN_SOCKET_DIR,
  type SandboxHandle,
  startSandbox,
  type UsageExceeded,
  watchUsage,
} from "../sandbox/index.ts";
import type { SandboxIdentity } from "./spool-state.ts";

/** What a host knows about its machine; the same for all runs. All paths are absolute. */
export interface HostMachine {
  /** Base URL of the control plane: gateway and MCP are served there. */
  readonly controlPlaneUrl: string;
  readonly mcpUrl: string;
  /** For sockets; short. */
  readonly runDir: string;
  /** Must stay unseen inside, except for the run's own directories. */
  readonly homeRoot: string;
  readonly layout: HostLayout;
  /** Further directories that programs need inside, e.g. of the agents' npm packages. */
  readonly readOnlyBinds: readonly string[];
  readonly nodeFile: string;
}

export interface StartProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly readOnlyBinds?: readonly string[];
  readonly readWriteBinds?: readonly string[];
  /** The program gets the pane's terminal. */
  readonly terminal?: boolean;
  /** The clone is writable even in a review: for `prepare`, before the agent comes. */
  readonly prepares?: boolean;
  /** Ends the program; default: the run's `stop.signal`. */
  readonly signal?: AbortSignal;
  /** No way out, not even to the gateway. */
  readonly isolated?: boolean;
}

/** Programs of one run, one sandbox each, all over the same clone, home and temporary directory. */
export interface RunSandbox {
  readonly cloneDir: string;
  readonly homeDir: string;
  readonly gatewayUrl: string;
  readonly mcpUrl: string;
  /** @throws sandbox.unavailable, tool.missing; the signal's reason where the run was taken away meanwhile. */
  start(program: Readonly<StartProgram>): Promise<SandboxHandle>;
  /** Ends every program that still runs, confirmed. */
  killAll(): Promise<void>;
  /** Ends every program that still runs, and the way out. Idempotent. */
  close(): Promise<void>;
}

interface OpenRunSandboxParams {
  readonly spec: RunSpec;
  readonly machine: HostMachine;
  readonly directories: RunDirectories;
  /** `agent` speaks to gateway and MCP as the run; `commands` and `prepare` reach only `allow`. */
  readonly purpose: "agent" | "commands" | "prepare";
  /** Host names that may be reached. */
  readonly allow: readonly string[];
  /** Awaited before each start: the run is still ours. */
  readonly hold: (signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  /** Awaited after each start, before the program is used. */
  readonly onStarted: (identity: SandboxIdentity) => Promise<void>;
  readonly onDenied: (host: string, reason: string) => void;
  readonly onUsage: (exceeded: UsageExceeded) => void;
  readonly runner: ProcessRunner;
  readonly clock: Clock;
  readonly log: Log;
}

/** Where a run lives. */
export interface RunDirectories {
  readonly root: string;
  readonly clone: string;
  readonly home: string;
  readonly tmp: string;
  /** Bundle and the like: written by our scripts inside, read by the host. */
  readonly handover: string;
}

export function runDirectories(spec: RunSpec): RunDirectories {
  const root = spec.workspace.dir;
  return {
    root,
    clone: path.join(root, "clone"),
    home: path.join(root, "home"),
    tmp: path.join(root, "tmp"),
    handover: path.join(root, "handover"),
  };
}

const SOCKET = "run.sock";

export async function openRunSandbox(params: Readonly<OpenRunSandboxParams>): Promise<RunSandbox> {
  const { spec, machine, directories } = params;
  const socketDir = path.join(machine.runDir, "runs", `${spec.runId}.${spec.attempt}-${params.purpose}`);
  await mkdir(socketDir, { recursive: true, mode: 0o700 });
  const isTracked = spec.sandbox === "none";
  const port = isTracked ? await findForwarderPort() : FORWARDER_PORT;
  const socket: RunSocket = await createRunSocket({
    socketPath: path.join(socketDir, SOCKET),
    upstream: {
      gatewayUrl: machine.controlPlaneUrl,
      mcpUrl: machine.mcpUrl,
      // Without an identity the gateway refuses: commands of a project have no business there.
      token: params.purpose === "agent" ? spec.token : "none",
    },
    allow: params.allow,
    onDenied: ({ host, reason }) => params.onDenied(host, reason),
    clock: params.clock,
    log: params.log,
  });
  const alive = new Set<SandboxHandle>();
  let isClosed = false;
  const killAll = async (): Promise<void> => {
    await Promise.all([...alive].map((handle) => handle.kill()));
  };
  // Without a sandbox the socket and the temporary directory are where they are.
  const insideSocket = path.join(isTracked ? socketDir : RUN_SOCKET_DIR, SOCKET);
  const base = sandboxEnvironment({
    port,
    homeDir: directories.home,
    nodeFile: machine.nodeFile,
    pathDirs: [],
    extra: isTracked ? { TMPDIR: directories.tmp } : {},
  });

  return {
    cloneDir: directories.clone,
    homeDir: directories.home,
    gatewayUrl: forwarderUrl(port),
    mcpUrl: forwarderMcpUrl(port),
    start: async (program) => {
      const signal = program.signal ?? params.signal;
      await params.hold(signal);
      const handle = await startSandbox({
        spec: {
          id: spec.sandboxId,
          cloneDir: directories.clone,
          cloneWritable: program.prepares === true || spec.workspace.mode !== "review",
          homeDir: directories.home,
          tmpDir: directories.tmp,
          readOnlyBinds: [
            spec.workspace.cacheDir,
            path.dirname(machine.nodeFile),
            ...machine.readOnlyBinds,
            ...(program.readOnlyBinds ?? []),
          ],
          readWriteBinds: program.readWriteBinds ?? [],
          hiddenDirs: [machine.homeRoot],
          runSocketDir: program.isolated === true ? null : socketDir,
          env: { ...base, ...program.env },
          command: program.command,
          args: program.args,
          cwd: program.cwd ?? directories.clone,
          companion:
            program.isolated === true
              ? null
              : {
                  ...forwarderCommand({ nodeFile: machine.nodeFile, socketPath: insideSocket, port }),
                  // Node and an agent take longer to start than the forwarder; nothing waits for it.
                  waitUntilReady: false,
                },
          limits: DEFAULT_LIMITS,
          terminal: program.terminal ?? false,
        },
        runtime: spec.sandbox,
        layout: machine.layout,
        clock: params.clock,
        stdio: program.terminal === true ? "inherit" : "pipe",
      });
      alive.add(handle);
      const watched = new AbortController();
      void handle.exited
        .finally(() => {
          alive.delete(handle);
          watched.abort();
        })
        .catch(() => {});
      try {
        await params.onStarted(handle.identity);
        signal.throwIfAborted();
        if (isClosed) throw new AppError({ code: "lease.lost", message: "The run has ended meanwhile." });
      } catch (error) {
        await handle.kill();
        throw error;
      }
      void watch(params, handle, watched.signal);
      return handle;
    },
    killAll,
    close: async () => {
      isClosed = true;
      await killAll();
      await socket.close();
      await rm(socketDir, { recursive: true, force: true });
    },
  };
}

const WATCH_INTERVAL_MS = 2000;
/** Below this the agents stop writing, so that the database and our own reports still find room. */
const MIN_FREE_BYTES = 32 * 1024 * 1024;

/** Short programs of ours end before the first look. */
async function watch(
  params: Readonly<OpenRunSandboxParams>,
  handle: SandboxHandle,
  signal: AbortSignal,
): Promise<void> {
  const { clock, directories, log, runner, spec } = params;
  await clock.sleep(WATCH_INTERVAL_MS / 2, signal).catch(() => {});
  const exceeded = await watchUsage({
    identity: handle.identity,
    directories: [directories.root],
    limits: {
      diskBytes: spec.limits.diskBytes,
      freeBytes: MIN_FREE_BYTES,
      processes: DEFAULT_LIMITS.processes,
      memoryBytes: null,
    },
    clock,
    runner,
    log,
    signal,
    intervalMs: WATCH_INTERVAL_MS,
  });
  if (exceeded !== null) params.onUsage(exceeded);
}
