import { chmod } from "node:fs/promises";
import path from "node:path";
import {
  createLog,
  ensurePrivateDirectory,
  openLogFile,
  resolveHome,
  signalProcess,
  systemClock,
  systemProcessRunner,
  systemRandom,
  toAppError,
  type Log,
} from "../base/index.ts";
import { createEmbeddedPostgres, createExternalPostgres, type DatabaseSource } from "../store/index.ts";
import { createChildService } from "./child-service.ts";
import { holdRole } from "./role-lock.ts";
import { locateInstallation } from "./installation.ts";
import { loadSecrets, loadSettings } from "./settings.ts";
import { HAS_STARTED, MADE_ROOM, TAKES_OVER } from "./supervision.ts";
import { VERSION } from "./version.ts";

export interface UpOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Instead of the configured port. */
  readonly port: number | null;
  /** `auto`: with no configuration and no task, the sample project is worked on. */
  readonly demo: "auto" | "never";
  readonly profile: string | null;
  readonly runtime: "tmux" | "process" | null;
  readonly unsafeNoSandbox: boolean;
  readonly json: boolean;
}

const LONGEST_FAREWELL_MS = 10_000;

/**
 * The supervisor: holds the installation's role, keeps the database and the control plane running, and ends both in
 * order on SIGINT or SIGTERM. Small on purpose; killed itself, it leaves both alive, and the control plane starts a
 * new one, which then takes that control plane's place with one of its own. Resolves with the exit code.
 * @throws daemon.already_running, database.start_failed, config.invalid, disk.not_writable.
 */
export async function runUp(options: Readonly<UpOptions>): Promise<number> {
  const home = resolveHome(options.env);
  await ensurePrivateDirectory(home.root, 0o711);
  await ensurePrivateDirectory(home.runDir);
  await ensurePrivateDirectory(home.logsDir);
  await chmod(home.runDir, 0o700);
  const lock = await holdRole({ role: "supervisor", instance: home.instance, home: home.root });
  const log = createLog({
    name: "supervisor",
    destination: openLogFile(path.join(home.logsDir, "supervisor.log")),
  });
  await loadSettings(home);
  const source = await openSource(options, log);
  say(
    options,
    source.kind === "embedded"
      ? "Starting the embedded PostgreSQL …"
      : "Connecting to the database of DATABASE_URL …",
  );
  const end = new AbortController();
  let exitCode = 0;
  const finish = (code: number): void => {
    exitCode = code;
    end.abort();
  };
  await source.start();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => finish(0));
  await takeOver();
  const installation = locateInstallation(import.meta.dirname, VERSION);
  const controlPlane = createChildService({
    name: "control-plane",
    args: ["--max-semi-space-size=64", installation.controlPlane, JSON.stringify(childOptions(options))],
    env: { ...options.env, MIYABI_CONNECTION_URL: source.connectionUrl(), MIYABI_HOME: home.root },
    clock: systemClock,
    random: systemRandom,
    log,
    onGivenUp: finish,
  });
  if (!end.signal.aborted) await controlPlane.start();
  tellPredecessor(HAS_STARTED);
  if (process.connected) process.disconnect();
  await keepDatabase(source, end.signal, log, () => finish(69));
  await controlPlane.stop();
  await source.stop();
  lock.release();
  return exitCode;
}

/** Where a control plane started this one, waits until that has made room: port and connections are free then. */
async function takeOver(): Promise<void> {
  if (process.connected !== true) return;
  const parent = process.ppid;
  const room = new AbortController();
  process.once("disconnect", () => room.abort());
  process.on("message", (message) => message === MADE_ROOM && room.abort());
  tellPredecessor(TAKES_OVER);
  await systemClock.sleep(LONGEST_FAREWELL_MS, room.signal).then(
    () => signalProcess(parent, "SIGKILL"),
    () => {},
  );
}

/** It may end at this very moment, and then needs to know nothing. */
function tellPredecessor(message: string): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

/** What the control plane takes over from the command line; also what a new supervisor is started with. */
export type ChildOptions = Pick<
  UpOptions,
  "port" | "demo" | "profile" | "runtime" | "unsafeNoSandbox" | "json"
>;

function childOptions(options: Readonly<UpOptions>): ChildOptions {
  const { port, demo, profile, runtime, unsafeNoSandbox, json } = options;
  return { port, demo, profile, runtime, unsafeNoSandbox, json };
}

async function openSource(options: Readonly<UpOptions>, log: Log): Promise<DatabaseSource> {
  const home = resolveHome(options.env);
  const secrets = await loadSecrets(home);
  const url = options.env["DATABASE_URL"] ?? secrets.get("DATABASE_URL");
  if (url !== undefined && url !== "") return createExternalPostgres({ url, clock: systemClock });
  return createEmbeddedPostgres({
    home,
    log,
    clock: systemClock,
    random: systemRandom,
    processRunner: systemProcessRunner,
  });
}

/** Starts the server again whenever it is gone, until `signal` aborts. */
async function keepDatabase(
  source: DatabaseSource,
  signal: AbortSignal,
  log: Log,
  giveUp: () => void,
): Promise<void> {
  for (let failures = 0; !signal.aborted;) {
    await source.waitForExit(signal);
    if (signal.aborted) return;
    log.warn({}, "the database ended; it is started again");
    try {
      await source.start();
      failures = 0;
    } catch (error) {
      failures += 1;
      const { code, message } = toAppError(error);
      log.error({ code, error: message, failures }, "the database could not be started");
      // Room comes back by itself or by a person's hand; until then there is nothing else to do.
      if (failures >= 20 && code !== "disk.full") return giveUp();
      await systemClock.sleep(Math.min(30_000, 500 * failures), signal).catch(() => {});
    }
  }
}

function say(options: Readonly<UpOptions>, text: string): void {
  if (!options.json) process.stderr.write(`${text}\n`);
}
