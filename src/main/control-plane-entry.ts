import path from "node:path";
import {
  createLog,
  ERROR_KINDS,
  isProcessAlive,
  openLogFile,
  resolveHome,
  spawnProcess,
  systemClock,
  toAppError,
} from "../base/index.ts";
import { problemOf } from "../api/index.ts";
import { startControlPlane, type ControlPlane } from "./control-plane.ts";
import { locateInstallation } from "./installation.ts";
import { loadSecrets, loadSettings } from "./settings.ts";
import { announce } from "./announce.ts";
import { HAS_STARTED, MADE_ROOM, READY, TAKES_OVER } from "./supervision.ts";
import type { ChildOptions } from "./up.ts";
import { VERSION } from "./version.ts";

const SUCCESSOR_PAUSE_MS = 200;
const DYING_MS = 1_000;

/** The control plane's process: a child of the supervisor, which it starts anew where that was killed. */
async function main(): Promise<void> {
  const home = resolveHome(process.env);
  const options = JSON.parse(process.argv[2] ?? "{}") as ChildOptions;
  const installation = locateInstallation(import.meta.dirname, VERSION);
  const file = path.join(home.logsDir, "control-plane.log");
  const log = createLog({
    name: "control-plane",
    destination: openLogFile(file),
  });
  const { settings, configured } = await loadSettings(home);
  let plane: ControlPlane | null = null;
  let ending = false;
  let hasEnded = false;

  let successor: ReturnType<typeof spawnProcess> | null = null;
  let wantsShutDown = false;

  /** A new supervisor; we serve until it stands, and start another one where it is killed before. */
  const startSuccessor = (): void => {
    const flags = [
      ...(options.port === null ? [] : ["--port", String(options.port)]),
      ...(options.runtime === null ? [] : ["--runtime", options.runtime]),
      ...(options.profile === null ? [] : ["--agent", options.profile]),
      ...(options.unsafeNoSandbox ? ["--unsafe-no-sandbox"] : []),
    ];
    const started = spawnProcess(process.execPath, [installation.cli, "up", "--no-demo", ...flags], {
      detached: true,
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      env: withoutOurs(process.env),
    });
    successor = started;
    started.unref();
    started.on("message", (message) => {
      if (message === HAS_STARTED) process.exit(0);
      if (message !== TAKES_OVER) return;
      if (hasEnded) return makeRoom();
      if (wantsShutDown) started.kill("SIGTERM");
      void end({ agents: wantsShutDown });
    });
    started.on("disconnect", () => {
      // It lives and has closed the line: it has started its control plane, whether or not that could be heard. One that
      // is being killed loses its lines before it counts as dead.
      void systemClock
        .sleep(DYING_MS)
        .then(() => isProcessAlive(started.pid ?? 0))
        .then((alive) => alive && process.exit(0));
    });
    started.on("error", (error) => log.error({ error: error.message }, "no new supervisor could be started"));
    started.on("exit", (code) => {
      log.warn({ code }, "the new supervisor ended; another one is started");
      void systemClock.sleep(SUCCESSOR_PAUSE_MS).then(startSuccessor);
    });
  };

  const makeRoom = (): void => void successor?.send(MADE_ROOM, () => {}); // Its end says so where it cannot be told.

  const end = async (params: { readonly agents: boolean }): Promise<void> => {
    if (ending) return;
    ending = true;
    // What does not end in time is ended by our exit: every part may be killed at any moment.
    const stopped = plane
      ?.stop(params)
      .catch((error: unknown) => log.error({ error: String(error) }, "stop failed"));
    await Promise.race([stopped, systemClock.sleep(params.agents ? 12_000 : 2_000)]);
    if (params.agents || successor === null) process.exit(0);
    hasEnded = true;
    makeRoom();
  };
  process.on("SIGTERM", () => void end({ agents: true }));
  process.on("SIGINT", () => {}); // a terminal's Ctrl-C goes to the supervisor, which ends us in order
  const onOrphaned = (): void => {
    if (ending || successor !== null) return;
    log.warn({}, "the supervisor is gone; a new one is started");
    startSuccessor();
  };
  process.on("disconnect", onOrphaned);
  // Killed while we were being loaded: the event has been and gone.
  if (process.connected === false) onOrphaned();

  plane = await startControlPlane({
    home,
    settings,
    configured,
    secrets: await loadSecrets(home),
    installation,
    connectionUrl: process.env["MIYABI_CONNECTION_URL"] ?? "",
    options,
    env: process.env,
    log,
    onShutDown: () => {
      wantsShutDown = true;
      // Without a supervisor our parent is somebody else; the next one ends everything as soon as it stands.
      if (process.connected) process.kill(process.ppid, "SIGTERM");
    },
  });
  // Where the supervisor has just been killed there is nobody to be told.
  if (process.connected) process.send?.(READY, undefined, undefined, () => {});
  if (!options.json) announce({ plane, home, settings, launcher: installation.launcher, env: process.env });
}

function withoutOurs(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { MIYABI_CONNECTION_URL: _url, NODE_CHANNEL_FD: _fd, ...rest } = env;
  return rest;
}

await main().catch((error: unknown) => {
  const failure = toAppError(error);
  const options = JSON.parse(process.argv[2] ?? "{}") as Partial<ChildOptions>;
  process.stderr.write(
    options.json === true
      ? `${JSON.stringify(problemOf(failure))}\n`
      : `error: ${failure.message}\n${failure.fix === null ? "" : `fix: ${failure.fix}\n`}`,
  );
  process.exit(failure.code === "database.unavailable" ? 70 : ERROR_KINDS[failure.code].exitCode);
});
