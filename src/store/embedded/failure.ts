import { open, stat } from "node:fs/promises";
import { AppError, isDiskFull, messageOf, type ErrorCode } from "../../base/index.ts";

export type StartFailureReason =
  | "binaries_missing"
  | "deadline"
  | "disk_full"
  | "locked"
  | "no_user"
  | "not_writable"
  | "unknown"
  | "wrong_version";

interface StartFailureParams {
  readonly reason: StartFailureReason;
  readonly message: string;
  readonly fix: string;
  /** Last lines of the server's log. */
  readonly log?: readonly string[];
  readonly cause?: unknown;
}

/** By reason; what is nobody's fault but the disk's has the disk's codes. */
const codeOf = (reason: StartFailureReason): ErrorCode =>
  reason === "disk_full"
    ? "disk.full"
    : reason === "not_writable"
      ? "disk.not_writable"
      : "database.start_failed";

/** `database.start_failed`, `disk.full` or `disk.not_writable`, with the reason and the server's last words in `details`. */
export function startFailed(params: Readonly<StartFailureParams>): AppError {
  const log = params.log ?? [];
  return new AppError({
    code: codeOf(params.reason),
    message:
      log.length === 0 ? params.message : `${params.message}\n${log.map((line) => `  ${line}`).join("\n")}`,
    fix: params.fix,
    details: { reason: params.reason, log },
    cause: params.cause,
  });
}

/** A failed file operation before the server could start, in the same terms as the server's own failures. */
export function diskFailure(file: string, error: unknown): AppError {
  if (error instanceof AppError) return error;
  const full = isDiskFull(error);
  return startFailed({
    reason: full ? "disk_full" : "not_writable",
    message: full
      ? `The database cannot start: no space is left for ${file}.`
      : `The database cannot start: ${file} cannot be written (${messageOf(error)}).`,
    fix: full ? FIXES.disk_full : FIXES.not_writable,
    cause: error,
  });
}

const FIXES = {
  disk_full: "Free some space on this disk, then start again.",
  not_writable: "Make the directory writable for this user, or set MIYABI_HOME to another one.",
} as const;

interface KnownFailure {
  readonly pattern: RegExp;
  readonly reason: StartFailureReason;
  readonly message: string;
  readonly fix: string;
  /** Passes by itself: wait and try again. */
  readonly transient: boolean;
}

const KNOWN: readonly KnownFailure[] = [
  {
    // A killed server's last processes still hold its memory, for about a second.
    pattern: /pre-existing shared memory block|lock file ".*" already exists|is already in use/i,
    reason: "locked",
    message: "The database cannot start: another server still holds its data directory.",
    fix: "Wait a little and start again; `ps -ef | grep postgres` shows who holds it.",
    transient: true,
  },
  {
    pattern: /No space left on device|Disk quota exceeded/i,
    reason: "disk_full",
    message: "The database cannot start: its disk is full.",
    fix: FIXES.disk_full,
    transient: false,
  },
  {
    pattern: /incompatible with server|database files are incompatible|not compatible with this version/i,
    reason: "wrong_version",
    message: "The database cannot start: its files belong to another version of PostgreSQL.",
    fix: "Start with the version of Miyabi Orchestra that made them, take a backup there and restore it here.",
    transient: false,
  },
  {
    pattern: /Permission denied|Read-only file system|has invalid permissions|has wrong ownership/i,
    reason: "not_writable",
    message: "The database cannot start: its directory cannot be used.",
    fix: FIXES.not_writable,
    transient: false,
  },
];

/** Judges a start that failed from what the server logged. */
export function judgeStart(log: readonly string[]): {
  readonly error: AppError;
  readonly transient: boolean;
} {
  const text = log.join("\n");
  const known = KNOWN.find(({ pattern }) => pattern.test(text));
  if (known !== undefined) return { error: startFailed({ ...known, log }), transient: known.transient };
  return {
    error: startFailed({
      reason: "unknown",
      message: "The database did not start.",
      fix: "Its last lines above say why; the whole log is postgresql.log in the logs directory.",
      log,
    }),
    transient: false,
  };
}

const LAST_LINES = 12;
const LAST_BYTES = 16 * 1024;

/** The last lines that a log gained since it was `from` bytes long. */
export async function readLogTail(file: string, from: number): Promise<readonly string[]> {
  const handle = await open(file, "r").catch(() => null);
  if (handle === null) return [];
  try {
    const { size } = await handle.stat();
    const start = Math.max(from, size - LAST_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.max(0, size - start)), 0, null, start);
    return buffer.toString("utf8", 0, bytesRead).split("\n").filter(Boolean).slice(-LAST_LINES);
  } finally {
    await handle.close();
  }
}

/** Size in bytes, 0 where there is no such file. */
export async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    (found) => found.size,
    () => 0,
  );
}
