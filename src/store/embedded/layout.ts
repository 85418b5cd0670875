import { chmod, mkdir, readFile, readlink, rmdir, stat, symlink } from "node:fs/promises";
import path from "node:path";
import { errnoOf, type Home, type ProcessRunner, type Random } from "../../base/index.ts";
import { startFailed } from "./failure.ts";

/** The operating system's user that the server runs as. */
export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Where one installation's server lives. All paths are absolute. */
export interface ServerLayout {
  /** Holds everything of the server; ours. */
  readonly root: string;
  readonly dataDir: string;
  /** Holds the unix socket; only the server's user may enter, so being able to connect is the authentication. */
  readonly socketDir: string;
  readonly logFile: string;
  /** Whom to run it as; null: as ourselves. */
  readonly user: ServerUser | null;
}

interface LayoutParams {
  readonly home: Home;
  /** Effective user of this process. */
  readonly uid: number;
  readonly processRunner: ProcessRunner;
  readonly random: Random;
  /** Directory for installations whose home the server's user cannot enter. Default `/var/lib`. */
  readonly fallbackParent?: string;
}

const LONGEST_SOCKET_PATH = 100; // a unix socket's path has 107 bytes; the lock beside it has 5 more
const SOCKET_NAME = ".s.PGSQL.5432";

/**
 * Finds, or on first start decides and creates, the server's directories. The decision is kept as `postgresql` in
 * the home (a directory, or as root a link to one that the server's user can enter), so it never changes later.
 */
export async function prepareLayout(params: Readonly<LayoutParams>): Promise<ServerLayout> {
  const { home } = params;
  const inHome = path.join(home.root, "postgresql");
  await mkdir(home.logsDir, { recursive: true, mode: 0o700 });
  if (params.uid !== 0) {
    await mkdir(inHome, { recursive: true, mode: 0o700 });
    return layout(inHome, path.join(home.runDir, "pg"), home, null);
  }
  // PostgreSQL refuses to run as root.
  const user = await pickUser(path.join(inHome, "data"));
  await mkdir(home.root, { recursive: true, mode: 0o711 });
  if ((await kindOf(inHome)) === "absent") await decide(params, inHome, user);
  const target = await resolveLink(inHome);
  await mkdir(target, { recursive: true });
  // Explicitly, because a strict umask would keep the server's user out.
  await chmod(target, 0o711);
  return layout(target, path.join(target, "socket"), home, user);
}

/** Whether `prepareLayout` has ever been called for this home. */
export async function hasLayout(home: Home): Promise<boolean> {
  return (await kindOf(path.join(home.root, "postgresql"))) !== "absent";
}

function layout(root: string, socketDir: string, home: Home, user: ServerUser | null): ServerLayout {
  return {
    root,
    dataDir: path.join(root, "data"),
    socketDir,
    logFile: path.join(home.logsDir, "postgresql.log"),
    user,
  };
}

async function decide(params: Readonly<LayoutParams>, inHome: string, user: ServerUser): Promise<void> {
  const { home } = params;
  const fits = Buffer.byteLength(path.join(inHome, "socket", SOCKET_NAME)) <= LONGEST_SOCKET_PATH;
  if (fits && (await canEnter(params, home.root, user))) {
    await mkdir(inHome, { mode: 0o711 }).catch(ignoreExisting);
    return;
  }
  const parent = params.fallbackParent ?? "/var/lib";
  const preferred = path.join(parent, `miyabi-${home.instance}`);
  const target = (await createFresh(preferred))
    ? preferred
    : // What is there belongs to an earlier home at this path that somebody removed.
      `${preferred}-${params.random.uuid().slice(0, 8)}`;
  await mkdir(target, { recursive: true, mode: 0o711 });
  try {
    await symlink(target, inHome);
  } catch (error) {
    ignoreExisting(error);
    // Another process decided first; its choice holds.
    if ((await resolveLink(inHome)) !== target) await rmdir(target);
  }
}

/** Whether `directory` is new, or left empty by a start that died here. */
async function createFresh(directory: string): Promise<boolean> {
  try {
    await mkdir(directory, { recursive: false, mode: 0o711 });
    return true;
  } catch (error) {
    ignoreExisting(error);
    return rmdir(directory).then(
      () => true,
      () => false,
    );
  }
}

async function canEnter(
  params: Readonly<LayoutParams>,
  directory: string,
  user: ServerUser,
): Promise<boolean> {
  const { mode, uid } = await stat(directory);
  // Passing through, not listing: what is inside has its own modes.
  if (uid === 0 && (mode & 0o001) === 0) await chmod(directory, (mode & 0o7777) | 0o011);
  const { code } = await params.processRunner.run({
    command: "/bin/sh",
    args: ["-c", 'cd "$1"', "sh", directory],
    env: {},
    timeoutMs: 10_000,
    uid: user.uid,
    gid: user.gid,
  });
  return code === 0;
}

async function pickUser(dataDir: string): Promise<ServerUser> {
  const users = parsePasswd(await readFile("/etc/passwd", "utf8"));
  const owner = await stat(dataDir).then(
    (found) => found.uid,
    () => null,
  );
  const user =
    owner !== null && owner !== 0
      ? users.find((candidate) => candidate.uid === owner)
      : ["postgres", "nobody"].map((name) => users.find((other) => other.name === name)).find(Boolean);
  if (user !== undefined && user.uid !== 0) return user;
  throw startFailed({
    reason: "no_user",
    message: "PostgreSQL does not run as root, and there is no other user for it.",
    fix: "Run `useradd --system --no-create-home postgres`, or start as a normal user.",
  });
}

function parsePasswd(text: string): readonly ServerUser[] {
  return text
    .split("\n")
    .map((line) => line.split(":"))
    .filter((fields) => fields.length >= 7)
    .map((fields) => ({ name: fields[0] ?? "", uid: Number(fields[2]), gid: Number(fields[3]) }));
}

async function kindOf(file: string): Promise<"absent" | "link" | "directory"> {
  try {
    await readlink(file);
    return "link";
  } catch (error) {
    return errnoOf(error) === "ENOENT" ? "absent" : "directory";
  }
}

async function resolveLink(file: string): Promise<string> {
  return (await kindOf(file)) === "link" ? path.resolve(path.dirname(file), await readlink(file)) : file;
}

function ignoreExisting(error: unknown): void {
  if (errnoOf(error) !== "EEXIST") throw error;
}
