import path from "node:path";
import {
  createLog,
  ERROR_KINDS,
  openLogFile,
  resolveHome,
  spawnProcess,
  systemClock,
  toAppError,
} from "../base/index.ts";
import { startControlPlane, type ControlPlane } from "./control-plane.ts";
import { locateInstallation } from "./installation.ts";
import { loadSecrets, loadSettings } from "./settings.ts";
import { announce } from "./announce.ts";
import { READY } from "./child-service.ts";
import type { ChildOptions } from "./up.ts";
import { VERSION } from "./version.ts";

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

  const startSuccessor = (): void => {
    const flags = [
      ...(options.port === null ? [] : ["--port", String(options.port)]),
      ...(options.runtime === null ? [] : ["--runtime", options.runtime]),
      ...(options.profile === null ? [] : ["--agent", options.profile]),
      ...(options.unsafeNoSandbox ? ["--unsafe-no-sandbox"] : []),
    ];
    spawnProcess(process.execPath, [installation.cli, "up", "--no-demo", ...flags], {
      detached: true,
      stdio: "ignore",
      env: withoutOurs(process.env),
    }).unref();
  };

  const end = async (params: { readonly agents: boolean; readonly successor: boolean }): Promise<void> => {
    if (ending) return;
    ending = true;
    // What does not end in time is ended by our exit: every part may be killed at any moment.
    const stopped = plane
      ?.stop(params)
      .catch((error: unknown) => log.error({ error: String(error) }, "stop failed"));
    await Promise.race([stopped, systemClock.sleep(params.successor ? 2_000 : 12_000)]);
    if (params.successor) startSuccessor();
    process.exit(0);
  };
  process.on("SIGTERM", () => void end({ agents: true, successor: false }));
  process.on("SIGINT", () => {}); // a terminal's Ctrl-C goes to the supervisor, which ends us in order
  process.on("disconnect", () => {
    if (ending) return;
    // The supervisor was killed. Agents go on; we end first, so that port and connections are free for our successor.
    log.warn({}, "the supervisor is gone; a new one is started");
    void end({ agents: false, successor: true });
  });

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
    onShutDown: () => process.kill(process.ppid, "SIGTERM"),
  });
  process.send?.(READY);
  if (!options.json) announce({ plane, home, settings, launcher: installation.launcher, env: process.env });
}

function withoutOurs(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { MIYABI_CONNECTION_URL: _url, NODE_CHANNEL_FD: _fd, ...rest } = env;
  return rest;
}

await main().catch((error: unknown) => {
  const failure = toAppError(error);
  process.stderr.write(`error: ${failure.message}\n${failure.fix === null ? "" : `fix: ${failure.fix}\n`}`);
  process.exit(failure.code === "database.unavailable" ? 70 : ERROR_KINDS[failure.code].exitCode);
});
