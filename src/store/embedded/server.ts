import { open, rename } from "node:fs/promises";
import path from "node:path";
import {
  AppError,
  isProcessAlive,
  processStartTicks,
  signalProcess,
  spawnProcess,
  type Clock,
  type Home,
  type Log,
  type ProcessRunner,
  type Random,
} from "../../base/index.ts";
import type { DatabaseSource } from "../database-source.ts";
import { probeServer } from "../probe.ts";
import { ensureBinaries, type Binaries } from "./binaries.ts";
import {
  dataDirectoryMajor,
  initialiseDataDirectory,
  prepareSocketDirectory,
  removeLeftovers,
} from "./data-directory.ts";
import { diskFailure, judgeStart, readLogTail, sizeOf, startFailed } from "./failure.ts";
import { hasLayout, prepareLayout, type ServerLayout } from "./layout.ts";
import { findServer, readServerStatus, removeStalePidFile, type ServerProcess } from "./postmaster.ts";
import {
  DATABASE_NAME,
  serverSettings,
  settingArguments,
  SUPERUSER,
  type ServerSettings,
} from "./settings.ts";

export interface EmbeddedPostgresParams {
  readonly home: Home;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  readonly processRunner: ProcessRunner;
  /** Settings that differ from ours, by name; a running server that is adopted keeps those it was started with. */
  readonly settings?: ServerSettings;
  /** How long `start` waits for a server that is starting or recovering. Default 120 s. */
  readonly startDeadlineMs?: number;
  /** Default: the effective user of this process. */
  readonly uid?: number;
  /** As root: parent of the server's directory where its user cannot enter the home. Default `/var/lib`. */
  readonly fallbackParent?: string;
}

export interface EmbeddedPostgres extends DatabaseSource {
  readonly kind: "embedded";
  /** The server that `start` started or adopted, or null before that. It may have died since. */
  serverProcess(): ServerProcess | null;
}

const POLL_MS = 20;
const WATCH_MS = 500;
const STOP_FAST_MS = 20_000;
const STOP_IMMEDIATE_MS = 5_000;
const LOG_ROTATE_BYTES = 16 * 1024 * 1024;

/**
 * Runs PostgreSQL for one installation as a process of its own, which outlives this one on purpose.
 *
 * `start` adopts the server that already runs on the data directory, else starts one, making the data directory
 * first if there is none. Any number of processes may call it at once: one starts the server, the others adopt it.
 * Killed at any moment, the next `start` finishes what this one began.
 * @throws database.start_failed with `details.reason` (`StartFailureReason`) and the server's last log lines.
 */
export function createEmbeddedPostgres(params: Readonly<EmbeddedPostgresParams>): EmbeddedPostgres {
  const uid = params.uid ?? process.getuid?.() ?? 1000;
  let layout: ServerLayout | null = null;
  let server: ServerProcess | null = null;
  let url: string | null = null;
  let starting: Promise<void> | null = null;

  const start = async (): Promise<void> => {
    const deadlineAt = params.clock.monotonicMs() + (params.startDeadlineMs ?? 120_000);
    try {
      layout ??= await prepareLayout({ ...params, uid });
      server = await startOrAdopt(params, layout, uid, deadlineAt);
      url = socketUrl(layout);
    } catch (error) {
      throw diskFailure(layout?.root ?? params.home.root, error);
    }
  };

  return {
    name: "postgresql",
    kind: "embedded",
    start: () => (starting ??= start().finally(() => (starting = null))),
    stop: async () => {
      await starting?.catch(() => {});
      if (layout === null && !(await hasLayout(params.home))) return;
      layout ??= await prepareLayout({ ...params, uid });
      const running = await findServer(layout.dataDir);
      if (running !== null) await stopServer(params, running);
      server = null;
    },
    connectionUrl: () => {
      if (url === null)
        throw new AppError({ code: "database.unavailable", message: "The database has not been started." });
      return url;
    },
    serverProcess: () => server,
    waitForExit: async (signal) => {
      const watched = server;
      if (watched === null) return;
      while (!signal.aborted && (await isProcessAlive(watched.pid, watched.startTicks)))
        await params.clock.sleep(WATCH_MS, signal).catch(() => {});
    },
  };
}

function socketUrl(layout: ServerLayout): string {
  return `postgres://${SUPERUSER}@localhost/${DATABASE_NAME}?host=${encodeURIComponent(layout.socketDir)}`;
}

async function startOrAdopt(
  params: Readonly<EmbeddedPostgresParams>,
  layout: ServerLayout,
  uid: number,
  deadlineAt: number,
): Promise<ServerProcess> {
  for (;;) {
    const running = await findServer(layout.dataDir);
    if (running !== null) {
      if (!(await becomesReady(params, layout, running, deadlineAt))) continue;
      params.log.info({ pid: running.pid }, "adopted the running database server");
      return running;
    }
    const binaries = await prepareFiles(params, layout, uid);
    const launched = await launch(params, layout, binaries, deadlineAt);
    if (launched.state === "ready") {
      params.log.info({ pid: launched.server.pid }, "database server started");
      await removeLeftovers(layout, params.clock.now());
      return launched.server;
    }
    const { error, transient } = judgeStart(launched.log);
    if (!transient || params.clock.monotonicMs() >= deadlineAt) throw error;
    await removeStalePidFile(layout.dataDir, params.random);
    await params.clock.sleep(5 * POLL_MS);
  }
}

async function prepareFiles(
  params: Readonly<EmbeddedPostgresParams>,
  layout: ServerLayout,
  uid: number,
): Promise<Binaries> {
  const { root, user } = layout;
  const neededMajor = await dataDirectoryMajor(layout);
  const binaries = await ensureBinaries({ ...params, root, user, neededMajor });
  if (neededMajor === null)
    await initialiseDataDirectory({
      ...params,
      layout,
      binaries,
      sync: params.settings?.["fsync"] !== "off",
    });
  await prepareSocketDirectory(layout, uid);
  return binaries;
}

type Launched =
  | { readonly state: "ready"; readonly server: ServerProcess }
  | { readonly state: "exited"; readonly log: readonly string[] };

async function launch(
  params: Readonly<EmbeddedPostgresParams>,
  layout: ServerLayout,
  binaries: Binaries,
  deadlineAt: number,
): Promise<Launched> {
  const logStart = await rotateLog(layout.logFile);
  const logHandle = await open(layout.logFile, "a", 0o600);
  let exited = false;
  const child = spawnProcess(
    path.join(binaries.binDir, "postgres"),
    ["-D", layout.dataDir, ...settingArguments(serverSettings(layout, binaries.major, params.settings))],
    {
      cwd: "/",
      env: { LC_ALL: "C", PATH: "/usr/bin:/bin", TZ: "UTC" },
      stdio: ["ignore", logHandle.fd, logHandle.fd],
      // A session of its own: it survives us, our terminal and a signal to our process group.
      detached: true,
      ...(layout.user === null ? {} : { uid: layout.user.uid, gid: layout.user.gid }),
    },
  );
  const ended = new Promise<void>((resolve) => {
    const onEnd = (): void => {
      exited = true;
      resolve();
    };
    child.once("exit", onEnd);
    child.once("error", onEnd);
  });
  child.unref();
  await logHandle.close();
  const startTicks = child.pid === undefined ? null : await processStartTicks(child.pid);
  if (child.pid !== undefined && startTicks !== null) {
    const server = { pid: child.pid, startTicks };
    if (await becomesReady(params, layout, server, deadlineAt, () => exited))
      return { state: "ready", server };
  }
  await ended;
  return { state: "exited", log: await readLogTail(layout.logFile, logStart) };
}

/** True when `server` answers, false when it is gone. @throws database.start_failed at the deadline; the server is left to go on. */
async function becomesReady(
  params: Readonly<EmbeddedPostgresParams>,
  layout: ServerLayout,
  server: ServerProcess,
  deadlineAt: number,
  hasExited: () => boolean = () => false,
): Promise<boolean> {
  for (;;) {
    if (hasExited() || !(await isProcessAlive(server.pid, server.startTicks))) return false;
    const owner = await findServer(layout.dataDir);
    if (owner?.pid === server.pid && (await readServerStatus(layout.dataDir)) === "ready") {
      const answer = await probeServer(socketUrl(layout));
      if (answer.state === "ready") return true;
    }
    if (params.clock.monotonicMs() >= deadlineAt)
      throw startFailed({
        reason: "deadline",
        message: `The database server (pid ${server.pid}) runs but does not answer yet.`,
        fix: "Wait: after a crash it reads its log first. If nothing moves in postgresql.log, end that process and start again.",
        log: await readLogTail(layout.logFile, 0),
      });
    await params.clock.sleep(POLL_MS);
  }
}

/** Keeps one older log. Only when a server starts: a running one holds the file open. */
async function rotateLog(file: string): Promise<number> {
  const size = await sizeOf(file);
  if (size < LOG_ROTATE_BYTES) return size;
  await rename(file, `${file}.1`);
  return 0;
}

async function stopServer(params: Readonly<EmbeddedPostgresParams>, server: ServerProcess): Promise<void> {
  const steps = [
    // Fast: ends the sessions and writes a checkpoint.
    { signal: "SIGINT", waitMs: STOP_FAST_MS },
    // Immediate: no checkpoint, recovery at the next start.
    { signal: "SIGQUIT", waitMs: STOP_IMMEDIATE_MS },
    { signal: "SIGKILL", waitMs: STOP_IMMEDIATE_MS },
  ] as const;
  for (const { signal, waitMs } of steps) {
    if (!(await isProcessAlive(server.pid, server.startTicks))) return;
    signalProcess(server.pid, signal);
    const end = params.clock.monotonicMs() + waitMs;
    while (params.clock.monotonicMs() < end) {
      if (!(await isProcessAlive(server.pid, server.startTicks))) return;
      await params.clock.sleep(POLL_MS);
    }
    params.log.warn({ pid: server.pid, signal }, "the database server did not stop in time");
  }
}
