import { appendFileSync, renameSync, statSync } from "node:fs";
import type { Log } from "../../base/index.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;
type Level = (typeof LEVELS)[number];
const MAX_BYTES = 2 * 1024 * 1024;

interface HostLogParams {
  readonly file: string;
  readonly level: Level;
  readonly now: () => Date;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/**
 * JSON lines in a file of at most 2 MiB (and its predecessor), written synchronously so that the last words before a crash
 * are there. Fields must hold no secret. A log that cannot be written is no reason to stop.
 */
export function createHostLog(params: Readonly<HostLogParams>): Log {
  const write = (level: Level, fields: Readonly<Record<string, unknown>>, msg: string): void => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(params.level)) return;
    const entry = {
      level,
      time: params.now().toISOString(),
      pid: process.pid,
      ...params.fields,
      ...fields,
      msg,
    };
    try {
      appendFileSync(params.file, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
      if (statSync(params.file).size > MAX_BYTES) renameSync(params.file, `${params.file}.1`);
    } catch {
      // The disk is full or gone; the pane still shows what matters.
    }
  };
  return {
    debug: (fields, msg) => write("debug", fields, msg),
    info: (fields, msg) => write("info", fields, msg),
    warn: (fields, msg) => write("warn", fields, msg),
    error: (fields, msg) => write("error", fields, msg),
    child: (fields) => createHostLog({ ...params, fields: { ...params.fields, ...fields } }),
  };
}
