import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { AppError, errnoOf } from "./errors.ts";

export interface RunParams {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** The whole environment of the child; nothing is inherited unless passed. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly input?: string | Uint8Array;
  /** Killed (SIGKILL) after this time. */
  readonly timeoutMs: number;
  /** Output beyond this many bytes per stream is dropped and `truncated` set; the child goes on. Default 10 MiB. */
  readonly maxOutputBytes?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly signal?: AbortSignal;
}

export interface RunResult {
  /** Exit code; null where a signal ended the child. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: boolean;
  readonly timedOut: boolean;
}

/** Starts programs. The one place, with `spawnProcess`, that touches `child_process`. */
export interface ProcessRunner {
  /**
   * Runs a program to its end; a non-zero exit is an outcome, not an error.
   * @throws tool.missing where the program does not exist; process.failed where it cannot be started.
   */
  run(params: Readonly<RunParams>): Promise<RunResult>;
}

const DEFAULT_MAX_OUTPUT_BYTES = 10 * 1024 * 1024;

function createCollector(maxBytes: number): {
  push(chunk: Buffer): void;
  text(): string;
  truncated(): boolean;
} {
  const chunks: Buffer[] = [];
  let size = 0;
  let truncated = false;
  return {
    push: (chunk) => {
      const room = maxBytes - size;
      if (chunk.length > room) truncated = true;
      if (room <= 0) return;
      chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
      size += Math.min(chunk.length, room);
    },
    text: () => Buffer.concat(chunks).toString("utf8"),
    truncated: () => truncated,
  };
}

export const systemProcessRunner: ProcessRunner = {
  run: (params) =>
    new Promise((resolve, reject) => {
      const options: SpawnOptions = { env: { ...params.env }, stdio: ["pipe", "pipe", "pipe"] };
      if (params.cwd !== undefined) options.cwd = params.cwd;
      if (params.uid !== undefined) options.uid = params.uid;
      if (params.gid !== undefined) options.gid = params.gid;
      const child = spawn(params.command, params.args, options);
      const max = params.maxOutputBytes ?? DEFAULT_MAX_OUTPUT_BYTES;
      const stdout = createCollector(max);
      const stderr = createCollector(max);
      let timedOut = false;
      const timer = setTimeout(() => {
        timedOut = true;
        child.kill("SIGKILL");
      }, params.timeoutMs);
      const onAbort = (): void => void child.kill("SIGKILL");
      if (params.signal?.aborted === true) onAbort();
      params.signal?.addEventListener("abort", onAbort, { once: true });
      const cleanUp = (): void => {
        clearTimeout(timer);
        params.signal?.removeEventListener("abort", onAbort);
      };
      child.stdout?.on("data", stdout.push);
      child.stderr?.on("data", stderr.push);
      // A child that exits before reading its input closes the pipe; its exit code tells the story.
      child.stdin?.on("error", () => {});
      child.stdin?.end(params.input ?? "");
      child.on("error", (error) => {
        cleanUp();
        reject(startError(params, error));
      });
      child.on("close", (code, signal) => {
        cleanUp();
        const truncated = stdout.truncated() || stderr.truncated();
        resolve({ code, signal, stdout: stdout.text(), stderr: stderr.text(), truncated, timedOut });
      });
    }),
};

function startError({ command, cwd }: Readonly<RunParams>, error: Error): AppError {
  const isMissing = errnoOf(error) === "ENOENT";
  // The system says the same of both.
  if (isMissing && cwd !== undefined && !existsSync(cwd))
    return new AppError({ code: "process.failed", message: `The directory ${cwd} is gone.`, cause: error });
  if (isMissing)
    return new AppError({
      code: "tool.missing",
      message: `The program "${command}" was not found.`,
      cause: error,
    });
  return new AppError({
    code: "process.failed",
    message: `"${command}" could not be started: ${error.message}`,
    cause: error,
  });
}

/** Starts a long-lived program. The caller owns its streams and its end. */
export function spawnProcess(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  return spawn(command, args, options);
}

/** What identifies a live process beyond its reusable pid: the start time in clock ticks since boot (`/proc/PID/stat`, field 22). */
export async function processStartTicks(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "latin1");
    // The second field is the program's name in parentheses and may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

/** Whether `pid` is alive (a zombie is not) and, where `startTicks` is given, still the same process. */
export async function isProcessAlive(pid: number, startTicks: string | null = null): Promise<boolean> {
  const ticks = await processStartTicks(pid);
  return ticks !== null && (startTicks === null || ticks === startTicks);
}

/** Sends a signal; false where there is no such process (any more). */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ESRCH") return false;
    throw error;
  }
}
