import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { AppError, type Log } from "../base/index.ts";
import type { Database, Tx } from "./database.ts";

interface Migration {
  readonly id: number;
  /** File name without `.sql`. */
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file, hex. */
  readonly checksum: string;
}

interface AppliedMigration {
  readonly id: number;
  readonly name: string;
  readonly checksum: string;
}

export interface MigrateParams {
  readonly database: Database;
  readonly log: Log;
  /** Default: `migrations` beside this module, in the sources as in a bundle (whose build copies the files there). */
  readonly directory?: string;
}

export interface MigrateResult {
  /** Names of the migrations that this call applied. */
  readonly applied: readonly string[];
}

const FILE_NAME = /^(\d{4})_[a-z0-9_]+\.sql$/;
const LOCK_KEY = 6_220_117; // any number that nothing else in this database locks

/**
 * Brings the schema `miyabi` up to date with the files `NNNN_name.sql`, in their order, each in a transaction of its
 * own together with its record. Safe to call from several processes at once and after a crash at any moment.
 * @throws database.migration_changed when an applied file differs or is gone, database.newer when the database has
 * migrations that this program does not know, database.unavailable.
 */
export async function migrate(params: Readonly<MigrateParams>): Promise<MigrateResult> {
  const migrations = await readMigrations(params.directory ?? path.join(import.meta.dirname, "migrations"));
  const applied: string[] = [];
  for (;;) {
    const name = await params.database.transaction((tx) => applyNext(tx, migrations));
    if (name === null) return { applied };
    params.log.info({ migration: name }, "database migration applied");
    applied.push(name);
  }
}

/** Reads and orders the files. @throws internal.bug for a wrong name or a number used twice. */
async function readMigrations(directory: string): Promise<readonly Migration[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".sql")).sort();
  const migrations = await Promise.all(
    names.map(async (file) => {
      const number = FILE_NAME.exec(file)?.[1];
      if (number === undefined)
        throw new AppError({ code: "internal.bug", message: `"${file}" is not named NNNN_name.sql.` });
      const sql = await readFile(path.join(directory, file), "utf8");
      const checksum = createHash("sha256").update(sql).digest("hex");
      return { id: Number(number), name: path.basename(file, ".sql"), sql, checksum };
    }),
  );
  const twice = migrations.find((migration, index) => migrations[index - 1]?.id === migration.id);
  if (twice !== undefined)
    throw new AppError({ code: "internal.bug", message: `Two migrations have the number of ${twice.name}.` });
  return migrations;
}

async function applyNext(tx: Tx, migrations: readonly Migration[]): Promise<string | null> {
  await tx.query("select pg_advisory_xact_lock($1)", [LOCK_KEY]);
  await tx.query(`create schema if not exists miyabi;
    create table if not exists miyabi.migration (
      id int primary key,
      name text not null,
      checksum text not null,
      applied_at timestamptz not null default now()
    )`);
  const { rows } = await tx.query<AppliedMigration>(
    "select id, name, checksum from miyabi.migration order by id",
  );
  verify(rows, migrations);
  const done = new Set(rows.map(({ id }) => id));
  const next = migrations.find(({ id }) => !done.has(id));
  if (next === undefined) return null;
  await tx.query("set local statement_timeout = 0");
  await tx.query(next.sql);
  await tx.query("insert into miyabi.migration (id, name, checksum) values ($1, $2, $3)", [
    next.id,
    next.name,
    next.checksum,
  ]);
  return next.name;
}

function verify(applied: readonly AppliedMigration[], migrations: readonly Migration[]): void {
  const newest = migrations.at(-1)?.id ?? -1;
  for (const row of applied) {
    const known = migrations.find(({ id }) => id === row.id);
    if (known?.checksum === row.checksum) continue;
    if (known === undefined && row.id > newest)
      throw new AppError({
        code: "database.newer",
        message: `The database was migrated by a newer version of Miyabi Orchestra (${row.name}).`,
        fix: "Start that version, or restore a backup from before the upgrade.",
        details: { migration: row.name },
      });
    throw new AppError({
      code: "database.migration_changed",
      message: `The migration ${row.name} was applied to this database, but its file has ${known === undefined ? "gone" : "changed"}.`,
      fix: "Reinstall this version of Miyabi Orchestra; its files are not as they were released.",
      details: { migration: row.name },
    });
  }
}
