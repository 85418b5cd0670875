import type { ServerLayout } from "./layout.ts";

/** Size of a WAL segment, fixed when the data directory is made: small, because backups archive whole segments. */
export const WAL_SEGMENT_MB = 1;
export const SUPERUSER = "miyabi";
export const DATABASE_NAME = "postgres";

/** Settings of the server, by name. */
export type ServerSettings = Readonly<Record<string, string>>;

/**
 * Settings for a server that shares a small machine with agents. All go on the command line, so that the files in
 * the data directory stay as `initdb` made them and an upgrade changes them everywhere.
 */
export function serverSettings(
  layout: ServerLayout,
  major: number,
  overrides: ServerSettings = {},
): ServerSettings {
  return {
    listen_addresses: "",
    port: "5432",
    unix_socket_directories: quoteList(layout.socketDir),
    unix_socket_permissions: "0700",
    timezone: "UTC",
    log_timezone: "UTC",
    // Durability and backup.
    fsync: "on",
    wal_level: "replica",
    // The two that continuous backup turns on; without an archive, a timeout would only fill segments with nothing.
    archive_mode: "off",
    archive_timeout: "0",
    min_wal_size: "16MB",
    max_wal_size: "256MB",
    max_wal_senders: "0",
    max_replication_slots: "0",
    // Memory.
    shared_buffers: "16MB",
    wal_buffers: "1MB",
    max_connections: "40",
    huge_pages: "off",
    jit: "off",
    max_worker_processes: "2",
    max_parallel_workers: "0",
    max_parallel_workers_per_gather: "0",
    max_logical_replication_workers: "0",
    autovacuum_max_workers: "1",
    // 18 would start three processes for input and output.
    ...(major >= 18 ? { io_method: "sync", autovacuum_worker_slots: "2" } : {}),
    // The log file holds what an operator needs, and no statements.
    log_checkpoints: "off",
    log_min_error_statement: "panic",
    log_line_prefix: "%m [%p] ",
    ...overrides,
  };
}

/** `-c name=value` for each setting. */
export function settingArguments(settings: ServerSettings): readonly string[] {
  return Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

/** The setting is a list: a comma or a quote in the path would split it. */
function quoteList(value: string): string {
  return `"${value.replaceAll('"', '""')}"`;
}
