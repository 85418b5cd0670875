import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { AppError, type Clock, type Log } from "../../base/index.ts";
import {
  createRunSocket,
  forwarderCommand,
  FORWARDER_MCP_URL,
  FORWARDER_URL,
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
  /** Ends every program that still runs, confirmed, and the way out. Idempotent. */
  close(): Promise<void>;
}

interface OpenRunSandboxParams {
  readonly spec: RunSpec;
  readonly machine: HostMachine;
  readonly directories: RunDirectories;
  /** Awaited before each start: the run is still ours. */
  readonly hold: () => Promise<void>;
  /** Awaited after each start, before the program is used. */
  readonly onStarted: (identity: SandboxIdentity) => Promise<void>;
  readonly onDenied: (host: string, reason: string) => void;
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

export const sandboxIdOf = (spec: Pick<RunSpec, "runId" | "attempt">): string =>
  `${spec.runId}.${spec.attempt}`;

const SOCKET = "run.sock";

export async function openRunSandbox(params: Readonly<OpenRunSandboxParams>): Promise<RunSandbox> {
  const { spec, machine, directories } = params;
  const socketDir = path.join(machine.runDir, "runs", sandboxIdOf(spec));
  await mkdir(socketDir, { recursive: true, mode: 0o700 });
  const socket: RunSocket = await createRunSocket({
    socketPath: path.join(socketDir, SOCKET),
    upstream: { gatewayUrl: machine.controlPlaneUrl, mcpUrl: machine.mcpUrl, token: spec.token },
    allow: spec.egress,
    onDenied: ({ host, reason }) => params.onDenied(host, reason),
    clock: params.clock,
    log: params.log,
  });
  const alive = new Set<SandboxHandle>();
  let isClosed = false;
  const isTracked = spec.sandbox === "none";
  // Without a sandbox the socket and the temporary directory are where they are.
  const insideSocket = path.join(isTracked ? socketDir : RUN_SOCKET_DIR, SOCKET);
  const base = sandboxEnvironment({
    homeDir: directories.home,
    nodeFile: machine.nodeFile,
    pathDirs: [],
    extra: isTracked ? { TMPDIR: directories.tmp } : {},
  });

  return {
    cloneDir: directories.clone,
    homeDir: directories.home,
    gatewayUrl: FORWARDER_URL,
    mcpUrl: FORWARDER_MCP_URL,
    start: async (program) => {
      await params.hold();
      const handle = await startSandbox({
        spec: {
          id: sandboxIdOf(spec),
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
                  ...forwarderCommand({ nodeFile: machine.nodeFile, socketPath: insideSocket }),
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
      void handle.exited.finally(() => alive.delete(handle)).catch(() => {});
      try {
        await params.onStarted(handle.identity);
        if (isClosed) throw new AppError({ code: "lease.lost", message: "The run has ended meanwhile." });
      } catch (error) {
        await handle.kill();
        throw error;
      }
      return handle;
    },
    close: async () => {
      isClosed = true;
      await Promise.all([...alive].map((handle) => handle.kill()));
      await socket.close();
      await rm(socketDir, { recursive: true, force: true });
    },
  };
}
