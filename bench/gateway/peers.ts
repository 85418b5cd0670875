import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { eventually, freePort } from "../../test/support/installation.ts";
import { cpuMsOf, familyOf } from "../processes.ts";
import type { Cores } from "./cores.ts";
import type { Target } from "./load.ts";
import { startOurs, type Ours } from "./ours.ts";
import { installPortkey } from "./portkey.ts";

export const PEER_NAMES = ["direct", "nginx", "portkey", "ours"] as const;
export type PeerName = (typeof PEER_NAMES)[number];

/** Something between the load and the provider, or nothing. */
export interface Peer {
  readonly name: PeerName;
  readonly target: Target;
  /** CPU time of the gateway's processes so far, milliseconds; null for none. */
  cpuMs(): Promise<number | null>;
  stop(): Promise<void>;
}

export interface Peers {
  /** In the order in which they are shown; ours is the last one. */
  readonly all: readonly Peer[];
  readonly ours: Ours;
  /** Peers that are not there, and why. */
  readonly skipped: readonly string[];
  stop(): Promise<void>;
}

interface PeersParams {
  readonly upstreamPort: number;
  readonly cores: Cores;
  readonly note: (text: string) => void;
}

const NGINX = "/usr/sbin/nginx";

/** Starts everybody in front of the same provider. */
export async function startPeers(params: Readonly<PeersParams>): Promise<Peers> {
  const skipped: string[] = [];
  const all: Peer[] = [
    {
      name: "direct",
      target: { port: params.upstreamPort, path: "/direct/v1/chat/completions", headers: {} },
      cpuMs: async () => null,
      stop: async () => {},
    },
  ];
  const stop = async (): Promise<void> => {
    await Promise.all(all.map((peer) => peer.stop()));
  };
  try {
    if (await isFile(NGINX)) all.push(await startNginx(params));
    else skipped.push("nginx: skipped: nginx is not installed (apt-get install nginx-light)");
    const portkey = await installPortkey(params.note);
    if ("program" in portkey) all.push(await startPortkey(portkey.program, params));
    else skipped.push(`portkey: skipped: ${portkey.skipped}`);
    const ours = await startOurs(params);
    all.push(ours);
    return { all, ours, skipped, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startNginx({ upstreamPort, cores }: Readonly<PeersParams>): Promise<Peer> {
  const directory = await mkdtemp(path.join(tmpdir(), "miyabi-bench-nginx-"));
  const port = await freePort();
  const config = path.join(directory, "nginx.conf");
  await writeFile(
    config,
    `${process.getuid?.() === 0 ? "user root;\n" : ""}worker_processes 1;
pid ${directory}/pid;
error_log ${directory}/error.log;
events { worker_connections 8192; }
http {
  access_log ${directory}/access.log;
  client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy; fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi; scgi_temp_path ${directory}/scgi;
  client_max_body_size 64m; client_body_buffer_size 1m;
  keepalive_requests 100000000; keepalive_timeout 600s;
  upstream provider { server 127.0.0.1:${upstreamPort}; keepalive 2048; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }
  }
}
`,
  );
  const child = start([...cores.measured, NGINX, "-p", directory, "-c", config, "-g", "daemon off;"], {});
  return opened("nginx", port, {}, child, directory);
}

/** Portkey's gateway; its calls go to the provider where they bring no configuration of their own. */
export async function startPortkey(
  program: string,
  { upstreamPort, cores }: Readonly<PeersParams>,
): Promise<Peer> {
  const port = await freePort();
  const command = [...cores.measured, process.execPath, program, "--headless", `--port=${port}`];
  const child = start(command, { NODE_ENV: "production", TRUSTED_CUSTOM_HOSTS: "127.0.0.1,localhost" });
  return opened("portkey", port, portkeyHeaders(`http://127.0.0.1:${upstreamPort}/portkey/v1`), child, null);
}

/** What it has to be told with every call. */
const portkeyHeaders = (baseUrl: string): Record<string, string> => ({
  authorization: "Bearer sk-benchmark",
  "x-portkey-provider": "openai",
  "x-portkey-custom-host": baseUrl,
});

function start(command: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  const [program = "", ...args] = command;
  return spawn(program, args, {
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
    stdio: ["ignore", "ignore", "ignore"],
  });
}

async function opened(
  name: PeerName,
  port: number,
  headers: Readonly<Record<string, string>>,
  child: ChildProcess,
  directory: string | null,
): Promise<Peer> {
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    if (directory !== null) await rm(directory, { recursive: true, force: true });
  };
  try {
    await eventually(`${name} listens`, 30_000, () => listens(port));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    name,
    target: {
      port,
      path: name === "portkey" ? "/v1/chat/completions" : `/${name}/v1/chat/completions`,
      headers,
    },
    cpuMs: async () => {
      const times = await Promise.all((await familyOf([child.pid ?? 0])).map(cpuMsOf));
      return times.reduce((sum, one) => sum + one, 0);
    },
    stop,
  };
}

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect({ host: "127.0.0.1", port });
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });

const isFile = (file: string): Promise<boolean> =>
  stat(file).then(
    (info) => info.isFile(),
    () => false,
  );
