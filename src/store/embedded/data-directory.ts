import { chmod, chown, lstat, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { errnoOf, type ProcessRunner, type Random } from "../../base/index.ts";
import type { Binaries } from "./binaries.ts";
import { judgeStart, startFailed } from "./failure.ts";
import type { ServerLayout } from "./layout.ts";
import { SUPERUSER, WAL_SEGMENT_MB } from "./settings.ts";

interface InitialiseParams {
  readonly layout: ServerLayout;
  readonly binaries: Binaries;
  readonly processRunner: ProcessRunner;
  readonly random: Random;
  /** Whether the new files are flushed to disk; only tests say no. */
  readonly sync: boolean;
}

const INITDB_TIMEOUT_MS = 120_000;

/** Major version that the data directory belongs to, or null where there is none yet. */
export async function dataDirectoryMajor(layout: ServerLayout): Promise<number | null> {
  try {
    return Number.parseInt(await readFile(path.join(layout.dataDir, "PG_VERSION"), "utf8"), 10);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return null;
    throw error;
  }
}

/**
 * Makes the data directory. It is built under another name and renamed when complete and flushed, so a data
 * directory that exists is whole; of two processes that do this at once, one wins and the other's work is removed.
 * @throws database.start_failed
 */
export async function initialiseDataDirectory(params: Readonly<InitialiseParams>): Promise<void> {
  const { layout, binaries } = params;
  const temporary = `${layout.dataDir}.${params.random.uuid()}.tmp`;
  try {
    await mkdir(temporary, { mode: 0o700 });
    if (layout.user !== null) await chown(temporary, layout.user.uid, layout.user.gid);
    const { code, stderr } = await params.processRunner.run({
      command: path.join(binaries.binDir, "initdb"),
      args: [
        `--pgdata=${temporary}`,
        `--username=${SUPERUSER}`,
        "--encoding=UTF8",
        // The built-in provider sorts the same on every system and after every upgrade of its C library.
        ...(binaries.major >= 17
          ? ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
          : ["--locale=C"]),
        "--auth=trust",
        `--wal-segsize=${WAL_SEGMENT_MB}`,
        "--data-checksums",
        "--no-instructions",
        ...(params.sync ? [] : ["--no-sync"]),
      ],
      // With TZ given, initdb does not try every time zone on the disk.
      env: { TZ: "UTC", LC_ALL: "C", PATH: "/usr/bin:/bin" },
      cwd: "/",
      timeoutMs: INITDB_TIMEOUT_MS,
      ...(layout.user === null ? {} : { uid: layout.user.uid, gid: layout.user.gid }),
    });
    if (code !== 0) throw judgeStart(stderr.split("\n").filter(Boolean).slice(-12)).error;
    await rename(temporary, layout.dataDir);
    if (params.sync) await flushDirectory(layout.root);
  } catch (error) {
    if (!["ENOTEMPTY", "EEXIST"].includes(errnoOf(error) ?? "")) throw error;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/**
 * Creates the socket's directory for the server's user alone. As that is what keeps others out of the database,
 * one that somebody else made (the path may be below /tmp) is refused.
 */
export async function prepareSocketDirectory(layout: ServerLayout, uid: number): Promise<void> {
  const directory = layout.socketDir;
  const owner = layout.user?.uid ?? uid;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (layout.user !== null) await chown(directory, layout.user.uid, layout.user.gid);
  const found = await lstat(directory);
  if (!found.isDirectory() || found.uid !== owner)
    throw startFailed({
      reason: "not_writable",
      message: `The database cannot start: ${directory} belongs to somebody else.`,
      fix: `Remove ${directory}, then start again.`,
    });
  if ((found.mode & 0o777) !== 0o700) await chmod(directory, 0o700);
}

const LEFTOVER_AGE_MS = 60 * 60 * 1000; // no start takes this long

/** Removes what starts that died left half-made, once no start can be using it any more. */
export async function removeLeftovers(layout: ServerLayout, now: Date): Promise<void> {
  for (const name of await readdir(layout.root)) {
    if (!name.endsWith(".tmp")) continue;
    const file = path.join(layout.root, name);
    const { mtimeMs } = await lstat(file);
    if (now.getTime() - mtimeMs > LEFTOVER_AGE_MS) await rm(file, { recursive: true, force: true });
  }
}

async function flushDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  await handle.sync().finally(() => handle.close());
}
