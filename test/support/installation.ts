import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { mkdtemp, readdir, readFile, readlink, rm } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const root = path.dirname(path.dirname(import.meta.dirname));
const BUNDLE = path.join(root, "dist", "miyabi.js");

interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface TestProcess {
  readonly pid: number;
  readonly parentPid: number;
  /** Its words, with spaces between. */
  readonly args: string;
}

/** One installation of the built product in a directory and on a port of its own. */
export interface TestInstallation {
  readonly home: string;
  readonly port: number;
  /** Starts `up` in the background; the process is the supervisor. */
  up(...flags: readonly string[]): ChildProcess;
  cli(...args: readonly string[]): Promise<CliResult>;
  /** Answer of the API, or null while it is away. */
  get<T>(route: string): Promise<T | null>;
  post<T>(route: string, body: unknown): Promise<T>;
  /** Processes that belong to the installation: by command line, environment or directory, and all below them. */
  processes(): Promise<readonly TestProcess[]>;
  /** Ends whatever is left and removes the home. */
  destroy(): Promise<void>;
}

/** Waits until `probe` gives something, looking again and again. */
export async function eventually<T>(
  what: string,
  timeoutMs: number,
  probe: () => Promise<T | null | undefined | false>,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await delay(50);
  }
}

/** A port of loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function createInstallation(
  env: Readonly<Record<string, string>> = {},
  /** The program to start: this checkout's bundle, or another checkout's launcher. */
  program: string = BUNDLE,
  /** Words before each command of the product, e.g. `unshare --mount`. */
  runBy: readonly string[] = [],
): Promise<TestInstallation> {
  const home = await mkdtemp(path.join(os.tmpdir(), "miyabi-e2e-"));
  const port = await freePort();
  const childEnv = {
    PATH: process.env["PATH"],
    HOME: process.env["HOME"],
    LANG: "C.UTF-8",
    MIYABI_HOME: home,
    ...env,
  };

  const start = (args: readonly string[], stdio: StdioOptions, detached: boolean): ChildProcess => {
    const [command = process.execPath, ...words] = [...runBy, process.execPath, program, ...args];
    return spawn(command, words, { env: childEnv, stdio, detached });
  };

  const token = async (): Promise<string> => (await readFile(path.join(home, "run", "token"), "utf8")).trim();
  const request = async (route: string, init: RequestInit): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}${route}`, {
      ...init,
      headers: { authorization: `Bearer ${await token()}`, "content-type": "application/json" },
      signal: AbortSignal.timeout(30_000),
    });

  const processes: TestInstallation["processes"] = async () => {
    const alive: (TestProcess & { readonly names: boolean })[] = [];
    for (const name of await readdir("/proc")) {
      const pid = Number(name);
      if (!Number.isInteger(pid) || pid === process.pid) continue;
      const [args, environment, stat, directory] = await Promise.all([
        readFile(`/proc/${pid}/cmdline`, "latin1").catch(() => ""),
        readFile(`/proc/${pid}/environ`, "latin1").catch(() => ""),
        readFile(`/proc/${pid}/stat`, "latin1").catch(() => ""),
        // A process in a sandbox has neither our command line nor our environment, but it works in a clone of ours.
        readlink(`/proc/${pid}/cwd`).catch(() => ""),
      ]);
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (args === "" || state === "Z") continue;
      const names =
        args.includes(home) ||
        environment.includes(`MIYABI_HOME=${home}`) ||
        directory === home ||
        directory.startsWith(`${home}/`);
      alive.push({ pid, parentPid: Number(parent), args: args.replaceAll("\0", " "), names });
    }
    const ours = new Set(alive.filter((one) => one.names).map((one) => one.pid));
    for (let known = -1; known !== ours.size;) {
      known = ours.size;
      for (const one of alive) if (ours.has(one.parentPid)) ours.add(one.pid);
    }
    return alive.filter((one) => ours.has(one.pid));
  };

  return {
    home,
    port,
    up: (...flags) => {
      const child = start(["up", "--no-demo", "--port", String(port), ...flags], "ignore", true);
      child.unref();
      return child;
    },
    cli: (...args) =>
      new Promise((resolve) => {
        const child = start(args, ["ignore", "pipe", "pipe"], false);
        let stdout = "";
        let stderr = "";
        child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
        child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
        child.on("close", (code) => resolve({ code: code ?? 1, stdout, stderr }));
      }),
    get: async <T>(route: string) =>
      request(route, {}).then(
        async (response) => (response.ok ? ((await response.json()) as T) : null),
        () => null,
      ),
    post: async <T>(route: string, body: unknown) => {
      const response = await request(route, { method: "POST", body: JSON.stringify(body) });
      if (!response.ok) throw new Error(`${route}: ${response.status} ${await response.text()}`);
      return (await response.json()) as T;
    },
    processes,
    destroy: async () => {
      await eventually("all processes are gone", 20_000, async () => {
        const left = await processes();
        for (const one of left) {
          try {
            process.kill(one.pid, "SIGKILL");
          } catch {
            // It went away by itself.
          }
        }
        return left.length === 0;
      });
      if (process.env["MIYABI_KEEP_HOMES"] === undefined) await rm(home, { recursive: true, force: true });
    },
  };
}
