import { createHash } from "node:crypto";
import os from "node:os";
import path from "node:path";

/** Where everything of one installation lives. All paths are absolute. */
export interface Home {
  /** `$MIYABI_HOME`, else `/var/lib/miyabi` as root, else `$XDG_DATA_HOME/miyabi`. */
  readonly root: string;
  /** Installation settings, YAML. */
  readonly configFile: string;
  /** Secrets as `NAME=value` lines; mode 0600. */
  readonly envFile: string;
  /** Sockets and pid files; short enough for a unix socket's 107 bytes. */
  readonly runDir: string;
  /** JSON log files, one per process kind. */
  readonly logsDir: string;
  /** Bare caches of the repositories: `<repositoryId>.git`. */
  readonly repositoriesDir: string;
  /** One directory per agent session: `clone/`, `home/`, `tmp/`. */
  readonly sessionsDir: string;
  /** Spools of agent hosts: events that the control plane has not confirmed yet. */
  readonly spoolDir: string;
  /** Results of `prepare`, by lockfile hash. */
  readonly prepareDir: string;
  /** Stable 8 hex digits that tell this installation from others on the machine. */
  readonly instance: string;
}

const LONGEST_RUN_DIR = 60; // leaves 47 characters for a socket's name

/** Derives all paths from the environment and the user. Touches nothing. */
export function resolveHome(
  env: Readonly<Record<string, string | undefined>>,
  uid: number = process.getuid?.() ?? 1000,
): Home {
  const configured = env["MIYABI_HOME"];
  const root = path.resolve(
    configured !== undefined && configured !== ""
      ? configured
      : uid === 0
        ? "/var/lib/miyabi"
        : path.join(
            env["XDG_DATA_HOME"] ?? path.join(env["HOME"] ?? os.homedir(), ".local", "share"),
            "miyabi",
          ),
  );
  const instance = createHash("sha256").update(root).digest("hex").slice(0, 8);
  const inside = path.join(root, "run");
  return {
    root,
    configFile: path.join(root, "miyabi.yaml"),
    envFile: path.join(root, ".env"),
    runDir:
      Buffer.byteLength(inside) <= LONGEST_RUN_DIR ? inside : path.join("/tmp", `miyabi-${uid}-${instance}`),
    logsDir: path.join(root, "logs"),
    repositoriesDir: path.join(root, "repositories"),
    sessionsDir: path.join(root, "sessions"),
    spoolDir: path.join(root, "spool"),
    prepareDir: path.join(root, "prepare"),
    instance,
  };
}
