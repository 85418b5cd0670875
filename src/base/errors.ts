/**
 * Every failure that crosses a folder is an `AppError` with a code of this registry.
 * `docs/errors.md` lists the same codes; a test compares the two in both directions.
 */

interface ErrorKind {
  /** HTTP status that the API answers with. */
  readonly status: number;
  /** Exit code of the command line (sysexits: 64 usage, 65 data, 69 unavailable, 70 internal, 73 cannot create, 75 try later, 78 configuration). */
  readonly exitCode: number;
  /** Whether the same request may succeed later without any change. */
  readonly retryable: boolean;
}

const kind = (status: number, exitCode: number, retryable = false): ErrorKind => ({
  status,
  exitCode,
  retryable,
});

export const ERROR_KINDS = {
  "agent.unavailable": kind(503, 69, true),
  "agent.protocol": kind(502, 70),
  "api.forbidden": kind(403, 77),
  "api.media_type": kind(415, 65),
  "api.method_not_allowed": kind(405, 65),
  "api.origin": kind(403, 77),
  "api.rate_limited": kind(429, 75, true),
  "api.unauthenticated": kind(401, 77),
  "config.invalid": kind(422, 78),
  "conflict.state": kind(409, 65),
  "daemon.already_running": kind(409, 75),
  "daemon.not_running": kind(503, 69, true),
  "daemon.start_failed": kind(503, 70, true),
  "database.migration_changed": kind(500, 78),
  "database.newer": kind(500, 78),
  "database.start_failed": kind(503, 69, true),
  "database.unavailable": kind(503, 69, true),
  "dependency.cycle": kind(422, 65),
  "disk.full": kind(507, 74, true),
  "disk.not_writable": kind(500, 73),
  "gateway.cache_unavailable": kind(503, 69, true),
  "gateway.not_configured": kind(503, 78),
  "gateway.upstream": kind(502, 69, true),
  "github.forbidden": kind(502, 77),
  "github.not_installed": kind(502, 77),
  "github.rate_limited": kind(429, 75, true),
  "github.refused": kind(502, 65),
  "github.suspended": kind(502, 77),
  "github.unauthorized": kind(502, 77),
  "github.unavailable": kind(503, 69, true),
  "handover.invalid": kind(422, 65),
  "input.invalid": kind(422, 65),
  "input.too_large": kind(413, 65),
  "internal.bug": kind(500, 70),
  "lease.lost": kind(409, 75),
  not_found: kind(404, 66),
  "port.taken": kind(409, 75),
  "process.failed": kind(500, 70),
  "process.timeout": kind(504, 75, true),
  "repository.conflict": kind(409, 65),
  "repository.dirty": kind(409, 65),
  "repository.unusable": kind(422, 65),
  "sandbox.unavailable": kind(503, 69),
  "tool.missing": kind(503, 69),
  "usage.invalid": kind(400, 64),
  "workflow.invalid": kind(422, 65),
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERROR_KINDS;

interface AppErrorParams {
  readonly code: ErrorCode;
  /** For people; names the field, the value and the fix. Never a secret, a prompt or SQL. */
  readonly message: string;
  /** What to do next, ideally a command to paste; null where the message says it all. */
  readonly fix?: string | null;
  /** Machine-readable details, e.g. the cycle's path or the field's name. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** A failure with a stable code. Throw it for faults; return expected outcomes as tagged unions instead. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly fix: string | null;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(params: AppErrorParams) {
    super(params.message, { cause: params.cause });
    this.name = "AppError";
    this.code = params.code;
    this.fix = params.fix ?? null;
    this.details = params.details ?? {};
  }

  get retryable(): boolean {
    return ERROR_KINDS[this.code].retryable;
  }
}

/** Any thrown value as an `AppError`; what is not one already, and no full disk, becomes `internal.bug` with the original as its cause. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (isDiskFull(error))
    return new AppError({
      code: "disk.full",
      message: "No space is left on the disk.",
      fix: "Free some space; work goes on by itself then.",
      cause: error,
    });
  const message = error instanceof Error ? error.message : String(error);
  return new AppError({ code: "internal.bug", message, cause: error });
}

/** Whether a file operation failed because its disk, or the user's part of it, is full. */
export function isDiskFull(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT"].includes(errnoOf(error) ?? "");
}

/** Message of any thrown value, for logs and for people. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Errno name such as `ENOENT` of a thrown value, or null. */
export function errnoOf(error: unknown): string | null {
  if (typeof error !== "object" || error === null || !("code" in error)) return null;
  return typeof error.code === "string" ? error.code : null;
}
