import { spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";

/** A Redis of one's own. */
export interface RedisServer {
  readonly url: string;
  /** As if the machine stood still: it accepts connections and does not answer. */
  freeze(): void;
  thaw(): void;
  /** SIGKILL; `start` begins again, empty, at the same port. */
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

const PROGRAMS = ["redis-server", "valkey-server"] as const;

/** The program that this machine has; null: none, so what needs one is skipped. */
export const redisProgram: string | null =
  PROGRAMS.find((name) =>
    (process.env["PATH"] ?? "").split(":").some((directory) => existsIn(directory, name)),
  ) ?? null;
if (redisProgram === null)
  process.stderr.write("Neither redis-server nor valkey-server is installed: tests of Redis are skipped.\n");

function existsIn(directory: string, name: string): boolean {
  try {
    accessSync(path.join(directory, name), constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** On loopback, with nothing kept on disk. */
export async function startRedis(password?: string): Promise<RedisServer> {
  const program = redisProgram;
  if (program === null) throw new Error("no Redis is installed");
  const port = await freePort();
  const directory = mkdtempSync(path.join(os.tmpdir(), "miyabi-redis-"));
  let child: ReturnType<typeof spawn> | null = null;

  const kill = async (): Promise<void> => {
    const running = child;
    child = null;
    if (running === null || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once("exit", resolve));
    running.kill("SIGKILL");
    await ended;
  };
  const start = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const started = spawn(
        program,
        [
          ...["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
          ...["--dir", directory, ...(password === undefined ? [] : ["--requirepass", password])],
        ],
        { stdio: ["ignore", "pipe", "inherit"] },
      );
      child = started;
      started.once("error", reject);
      started.once("exit", () => reject(new Error("Redis has ended")));
      started.stdout.on("data", (text: Buffer) => {
        if (text.includes("Ready to accept connections")) resolve();
      });
    });
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    freeze: () => void child?.kill("SIGSTOP"),
    thaw: () => void child?.kill("SIGCONT"),
    kill,
    start,
    close: async () => {
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
