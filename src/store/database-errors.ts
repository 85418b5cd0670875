import pg from "pg";
import { AppError, errnoOf, messageOf } from "../base/index.ts";

const NETWORK_ERRNOS = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOENT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EACCES",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);
// SQLSTATE: 57P01-57P03 server is stopping or starting, 57P05 idle session ended, 25P03 idle transaction ended,
// 53300 too many connections, class 08 connection failures.
const UNAVAILABLE_STATES = new Set(["57P01", "57P02", "57P03", "57P05", "25P03", "53300"]);
const RETRY_STATES = new Set(["40001", "40P01"]);
const DISK_FULL = "53100";
const UNIQUE_VIOLATION = "23505";
// `pg` reports these without a code.
const UNAVAILABLE_MESSAGES = [
  "Connection terminated",
  "timeout exceeded when trying to connect",
  "timeout expired",
  "Client has encountered a connection error",
  "Client was closed and is not queryable",
  "Query read timeout",
];

/** Whether the failure says that the server could not be reached, is starting or stopping, or dropped the connection. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof AppError) return error.code === "database.unavailable";
  if (error instanceof AggregateError) return error.errors.some(isUnavailable);
  if (error instanceof pg.DatabaseError)
    return error.code !== undefined && (UNAVAILABLE_STATES.has(error.code) || error.code.startsWith("08"));
  const errno = errnoOf(error);
  if (errno !== null && NETWORK_ERRNOS.has(errno)) return true;
  const message = messageOf(error);
  return UNAVAILABLE_MESSAGES.some((text) => message.startsWith(text));
}

/** Whether running the same transaction again may succeed: serialization failure, deadlock or stale plan. */
export function isTransactionConflict(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) return false;
  return RETRY_STATES.has(error.code) || isStalePlan(error);
}

/** Whether a prepared statement gives other columns since a table was changed, as by a newer version's migration. */
export function isStalePlan(error: unknown): boolean {
  return (
    error instanceof pg.DatabaseError && error.code === "0A000" && error.routine === "RevalidateCachedQuery"
  );
}

/** Whether a row with this key was there already; with `constraint`, only for that index or constraint. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  if (!(error instanceof pg.DatabaseError) || error.code !== UNIQUE_VIOLATION) return false;
  return constraint === undefined || error.constraint === constraint;
}

/**
 * Whether the database refuses the values themselves, so that it will refuse them again: SQLSTATE class 22 (data), 23
 * (constraint), 54 (too large).
 */
export function isRefusedData(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^(?:22|23|54)/.test(error.code ?? "");
}

/**
 * The failure of a query as it leaves this folder: an unreachable server and a full disk become an `AppError`
 * without SQL; everything else (a constraint, a mistake in SQL) stays the driver's error for the caller to judge.
 */
export function databaseError(error: unknown): unknown {
  if (error instanceof AppError) return error;
  if (error instanceof pg.DatabaseError && error.code === DISK_FULL)
    return new AppError({
      code: "disk.full",
      message: "The database has no space left on its disk.",
      fix: "Free some space; work goes on by itself then.",
      cause: error,
    });
  if (!isUnavailable(error)) return error;
  return new AppError({
    code: "database.unavailable",
    message: "The database does not answer at the moment.",
    fix: "Work goes on by itself when it is back; `miyabi doctor` says why it is away.",
    cause: error,
  });
}
