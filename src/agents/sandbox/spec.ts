/** How processes are kept apart: in namespaces by bubblewrap, or only tracked (`--unsafe-no-sandbox`). */
export const RUNTIMES = ["bubblewrap", "none"] as const;
export type SandboxRuntime = (typeof RUNTIMES)[number];

/** The uid and gid that a program sees inside; never 0. Outside it is the user that runs the host. */
export const SANDBOX_UID = 1000;
/** Where the directory of the run's socket appears inside. */
export const RUN_SOCKET_DIR = "/run/miyabi";

export interface SandboxLimits {
  /**
   * Processes and threads. The kernel enforces it per sandbox where the host runs as a normal user (Linux ≥ 5.14);
   * root is exempt from it, so there only `watchUsage` ends a fork bomb.
   */
  readonly processes: number;
  /** Largest single file in bytes. */
  readonly fileBytes: number;
  /** Size of each tmpfs (`/dev/shm`, and `/tmp` without a `tmpDir`) in bytes. */
  readonly tmpfsBytes: number;
}

export const DEFAULT_LIMITS: SandboxLimits = {
  processes: 4096,
  fileBytes: 8 * 1024 ** 3,
  tmpfsBytes: 512 * 1024 ** 2,
};

/** A program of ours that runs beside the agent inside the sandbox and ends with it, e.g. the forwarder. */
export interface Companion {
  readonly command: string;
  readonly args: readonly string[];
  /** True: the agent starts only when the companion has written a line to its standard output. */
  readonly waitUntilReady: boolean;
}

/**
 * What one sandbox sees of the machine. All paths are absolute and appear inside at the same place as outside, so that a
 * clone's alternates, an agent's stored sessions and the paths in its transcript mean the same on both sides.
 * There is no network in it: the sockets in `runSocketDir` are the only way out.
 */
export interface SandboxSpec {
  /** Names what the clone belongs to, e.g. the session; stands in the command line, so that `killSandboxesOf` finds what a crash left. No secret. */
  readonly id: string;
  readonly cloneDir: string;
  /** False for a reviewer. */
  readonly cloneWritable: boolean;
  /** Private home, writable. */
  readonly homeDir: string;
  /** Becomes `/tmp`; null: a tmpfs of `limits.tmpfsBytes`. */
  readonly tmpDir: string | null;
  /** The git cache, Node's directory, the agent's npm package… */
  readonly readOnlyBinds: readonly string[];
  readonly readWriteBinds: readonly string[];
  /** Directories that must stay unseen even where a bind (or `/usr`) contains them, e.g. `$MIYABI_HOME`. */
  readonly hiddenDirs: readonly string[];
  /** Appears as `/run/miyabi`, read-only; null: no way out at all. */
  readonly runSocketDir: string | null;
  /** The whole environment inside. Must hold no secret. */
  readonly env: Readonly<Record<string, string>>;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly companion: Companion | null;
  readonly limits: SandboxLimits;
  /** True keeps the controlling terminal, for a person who takes over in a pane; `TIOCSTI` is refused either way. */
  readonly terminal: boolean;
}

/**
 * Identity of a sandbox's first process (pid 1 of its PID namespace, seen from outside): enough for any process on this
 * machine to end it. Serialisable; start ticks guard against a reused pid.
 */
export interface SandboxIdentity {
  readonly initPid: number;
  /** `/proc/PID/stat`, field 22. */
  readonly startTicks: string;
}
