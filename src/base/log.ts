import { appendFileSync } from "node:fs";
import { pino, type DestinationStream } from "pino";

/** Structured log: one JSON object per line, `msg` for people, everything else in fields. */
export interface Log {
  debug(fields: Readonly<Record<string, unknown>>, msg: string): void;
  info(fields: Readonly<Record<string, unknown>>, msg: string): void;
  warn(fields: Readonly<Record<string, unknown>>, msg: string): void;
  error(fields: Readonly<Record<string, unknown>>, msg: string): void;
  child(fields: Readonly<Record<string, unknown>>): Log;
}

interface LogParams {
  /** Name of the part that writes, e.g. `control-plane`. */
  readonly name: string;
  readonly level?: string;
  /** Default: standard error, because standard output belongs to a command's result. */
  readonly destination?: DestinationStream;
}

const SECRET_FIELDS = ["token", "key", "apiKey", "authorization", "password", "secret", "cookie"];

/** A log that writes JSON lines; fields that by their name hold a secret are replaced by `[redacted]`. */
export function createLog(params: Readonly<LogParams>): Log {
  return pino(
    {
      name: params.name,
      level: params.level ?? process.env["LOG_LEVEL"] ?? "info",
      timestamp: pino.stdTimeFunctions.isoTime,
      base: { pid: process.pid },
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: [...SECRET_FIELDS, ...SECRET_FIELDS.map((field) => `*.${field}`)],
        censor: "[redacted]",
      },
    },
    params.destination ?? pino.destination({ fd: 2, sync: true }),
  );
}

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];

/**
 * A log with lines of the same shape for fixed fields that never hold a secret, so many of them that looking for one would
 * cost: nothing is redacted. `JSON.stringify` takes a third of the time that pino takes for thirty fields.
 */
export function createPlainLog(params: {
  readonly name: string;
  readonly destination: DestinationStream;
  /** Of every line. */
  readonly fields?: Readonly<Record<string, unknown>>;
}): Log {
  const { name, destination } = params;
  const least = LEVELS.indexOf(process.env["LOG_LEVEL"] ?? "info");
  const at = (level: string): Log["info"] => {
    if (LEVELS.indexOf(level) < least) return () => {};
    return (fields, msg) => {
      const time = new Date().toISOString();
      const line = { level, time, pid: process.pid, name, ...params.fields, ...fields, msg };
      destination.write(`${JSON.stringify(line)}\n`);
    };
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => createPlainLog({ ...params, fields: { ...params.fields, ...fields } }),
  };
}

const LONGEST_GATHERED = 64 * 1024;

/**
 * Standard error with all lines of `withinMs` in one write, for a log with a line for every call: a write for each took a
 * tenth of a call's time. A process that is killed loses the lines of that time; one that ends writes them.
 */
export function openGatheredStderr(withinMs: number): DestinationStream {
  const stderr = pino.destination({ fd: 2, sync: true });
  let gathered = "";
  const flush = (): void => {
    const lines = gathered;
    gathered = "";
    if (lines !== "") stderr.write(lines);
  };
  process.on("exit", flush);
  return {
    write: (line) => {
      if (gathered === "") setTimeout(flush, withinMs);
      gathered += line;
      if (gathered.length > LONGEST_GATHERED) flush();
    },
  };
}

/** Appends lines to a file for this user only. A line that the disk does not take is lost; no log is a reason to stop. */
export function openLogFile(file: string): DestinationStream {
  return {
    write: (line) => {
      try {
        appendFileSync(file, line, { mode: 0o600 });
      } catch {
        // The disk is full or gone, which others say loudly.
      }
    },
  };
}

/** A log that drops everything. */
export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
};
