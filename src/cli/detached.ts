import { open, readFile } from "node:fs/promises";
import path from "node:path";
import {
  AppError,
  ensurePrivateDirectory,
  ERROR_KINDS,
  resolveHome,
  spawnProcess,
  systemClock,
  type ErrorCode,
  quoteForShell,
} from "../base/index.ts";
import { openClient, type Client } from "./client.ts";

export interface UpFlags {
  readonly port?: number;
  readonly demo: boolean;
  readonly agent?: string;
  readonly runtime?: "tmux" | "process";
  readonly unsafeNoSandbox?: true;
}

export interface Started {
  readonly client: Client;
  readonly logFile: string;
}

const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 60_000;
const POLL_MS = 100;
const TELL_EVERY_MS = 5_000;
const TAIL_LINES = 20;

/** The running product where it answers; null where it does not run. */
export async function findRunning(env: NodeJS.ProcessEnv): Promise<Client | null> {
  try {
    const client = await openClient(env);
    await client.call("whoAmI");
    return client;
  } catch (error) {
    if (error instanceof AppError && error.code === "daemon.not_running") return null;
    throw error;
  }
}

/**
 * Starts `up` as a session of its own, with its output in `<home>/logs/up.log`, and waits until the API answers.
 * A start that is interrupted goes on by itself.
 * @throws daemon.already_running; what `up` ended with, e.g. port.taken; daemon.start_failed after 60 s.
 */
export async function startDetached(
  env: NodeJS.ProcessEnv,
  flags: UpFlags,
  note: (text: string) => void,
): Promise<Started> {
  const home = resolveHome(env);
  const { isRoleHeld } = await import("../main/index.ts");
  if (await isRoleHeld({ role: "supervisor", instance: home.instance }))
    throw new AppError({
      code: "daemon.already_running",
      message: `miyabi runs already on ${home.root}.`,
      fix: "miyabi status",
    });
  await ensurePrivateDirectory(home.root, 0o711);
  await ensurePrivateDirectory(home.logsDir);
  const logFile = path.join(home.logsDir, "up.log");
  const log = await open(logFile, "w", 0o600);
  const child = spawnProcess(
    process.execPath,
    [...process.execArgv, process.argv[1] ?? "", ...argsOf(flags)],
    {
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
      env,
    },
  );
  let exitCode: number | null = null;
  child.on("error", () => (exitCode = 70));
  child.on("exit", (code) => (exitCode = code ?? 70));
  child.unref();
  await log.close();
  note("Starting miyabi …");
  const startedAt = systemClock.monotonicMs();
  for (let told = 0; ;) {
    const client = exitCode === null ? await findRunning(env).catch(() => null) : null;
    if (client !== null) return { client, logFile };
    const waitedMs = systemClock.monotonicMs() - startedAt;
    if (exitCode !== null || waitedMs > START_DEADLINE_MS) throw await startFailure(exitCode, logFile);
    if (waitedMs > (told + 1) * TELL_EVERY_MS) {
      told += 1;
      note(`  ${Math.round(waitedMs / 1000)} s: ${(await tailOf(logFile)).at(-1) ?? "nothing said yet"}`);
    }
    await systemClock.sleep(POLL_MS);
  }
}

function argsOf(flags: UpFlags): string[] {
  return [
    "up",
    ...(flags.port === undefined ? [] : ["--port", String(flags.port)]),
    ...(flags.demo ? [] : ["--no-demo"]),
    ...(flags.agent === undefined ? [] : ["--agent", flags.agent]),
    ...(flags.runtime === undefined ? [] : ["--runtime", flags.runtime]),
    ...(flags.unsafeNoSandbox === true ? ["--unsafe-no-sandbox"] : []),
  ];
}

async function tailOf(logFile: string): Promise<string[]> {
  const text = await readFile(logFile, "utf8").catch(() => "");
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-TAIL_LINES);
}

/** Exit codes say of which kind the failure is; the words are in the log's tail. */
async function startFailure(exitCode: number | null, logFile: string): Promise<AppError> {
  const tail = await tailOf(logFile);
  const codes: Readonly<Record<number, ErrorCode>> = {
    [ERROR_KINDS["config.invalid"].exitCode]: "config.invalid",
    [ERROR_KINDS["disk.not_writable"].exitCode]: "disk.not_writable",
    [ERROR_KINDS["disk.full"].exitCode]: "disk.full",
    [ERROR_KINDS["port.taken"].exitCode]: "port.taken",
    [ERROR_KINDS["database.start_failed"].exitCode]: "database.start_failed",
  };
  const said = exitCode === null ? null : ownWords(tail);
  return new AppError({
    code: codes[exitCode ?? 0] ?? "daemon.start_failed",
    message:
      said?.message ??
      [
        exitCode === null
          ? `miyabi did not answer within ${START_DEADLINE_MS / 1000} s; it is still starting, or stuck.`
          : `miyabi did not start (exit code ${exitCode}).`,
        ...(tail.length === 0 ? [] : ["Its last words:", ...tail.map((line) => `  ${line}`)]),
      ].join("\n"),
    fix: said?.fix ?? (exitCode === null ? `tail -f ${quoteForShell(logFile)}` : "miyabi doctor"),
    details: { logFile, exitCode },
  });
}

/** The error that the start ended with, as it said it itself; null where it said none. */
function ownWords(tail: readonly string[]): { readonly message: string; readonly fix: string | null } | null {
  const at = tail.findLastIndex((line) => line.startsWith("error: "));
  if (at < 0) return null;
  const fixAt = tail.findIndex((line, index) => index > at && line.startsWith("fix: "));
  const message = tail.slice(at, fixAt < 0 ? undefined : fixAt).join("\n");
  return {
    message: message.slice("error: ".length),
    fix: fixAt < 0 ? null : (tail[fixAt] ?? "").slice("fix: ".length).trim(),
  };
}

/** Asks the product to end and waits until nothing of it holds the data directory. @throws process.timeout after 60 s. */
export async function shutDown(env: NodeJS.ProcessEnv, client: Client): Promise<void> {
  const { isRoleHeld } = await import("../main/index.ts");
  const { instance } = resolveHome(env);
  await client.call("shutDown");
  const deadline = systemClock.monotonicMs() + STOP_DEADLINE_MS;
  while (await isRoleHeld({ role: "supervisor", instance })) {
    if (systemClock.monotonicMs() > deadline)
      throw new AppError({
        code: "process.timeout",
        message: `It is still running after ${STOP_DEADLINE_MS / 1000} s.`,
        fix: "miyabi logs --system",
      });
    await systemClock.sleep(POLL_MS);
  }
}

const RESTART_DEADLINE_MS = 15_000;

/** Ends the product also where its control plane is just being restarted; nothing to do where it does not run. @throws process.timeout */
export async function endRunning(env: NodeJS.ProcessEnv): Promise<void> {
  const { isRoleHeld } = await import("../main/index.ts");
  const { instance } = resolveHome(env);
  const deadline = systemClock.monotonicMs() + RESTART_DEADLINE_MS;
  while (systemClock.monotonicMs() < deadline) {
    const client = await findRunning(env).catch(() => null);
    if (client !== null) return shutDown(env, client);
    if (!(await isRoleHeld({ role: "supervisor", instance }))) return;
    await systemClock.sleep(POLL_MS);
  }
  throw new AppError({
    code: "process.timeout",
    message: "miyabi does not answer, so it could not be shut down.",
    fix: "miyabi shutdown",
  });
}
