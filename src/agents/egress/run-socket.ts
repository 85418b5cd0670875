import { chmod, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { AppError, messageOf, type Clock, type Log } from "../../base/index.ts";
import { parseAllowList } from "./allow-list.ts";
import { createGate, type Denial, type Gate } from "./gate.ts";
import { endToEndHeaders, identifiedHeaders } from "./headers.ts";
import { systemNetwork, type EgressNetwork } from "./network.ts";
import { connectPatiently } from "./connect-patiently.ts";
import { refuse, relay } from "./relay.ts";
import { READY_PATH, routeOf, type Upstream } from "./routes.ts";
import { tunnel } from "./tunnel.ts";

interface RunSocketParams {
  /** In a directory of its own for this attempt (mode 0700): whoever can connect is the run. At most 107 bytes. */
  readonly socketPath: string;
  readonly upstream: Upstream;
  /** Host names that may be reached from inside; see `parseAllowList`. */
  readonly allow: readonly string[];
  readonly onDenied: (denial: Denial) => void;
  readonly clock: Clock;
  readonly log: Log;
  /** Default: the real internet. */
  readonly network?: EgressNetwork;
}

export interface RunSocket {
  /** Resolves when the forwarder inside listens; an agent that needs the network before must be started after it. */
  readonly ready: Promise<void>;
  /** Ends the run's way out at once, with every open connection. Idempotent. */
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 64 * 1024 ** 2;
const MAX_CONNECTIONS = 256;
const MAX_SOCKET_PATH_BYTES = 107;

/**
 * Serves a run's only way out on a unix socket: gateway and MCP with the run's token put in, and an egress proxy
 * (`CONNECT`, and `http://` in absolute form) for allowed names. It dies with this process or with `close()`.
 * @throws input.invalid where the path is too long for a socket; config.invalid for bad allow-list entries or URLs.
 */
export async function createRunSocket(params: Readonly<RunSocketParams>): Promise<RunSocket> {
  if (Buffer.byteLength(params.socketPath) > MAX_SOCKET_PATH_BYTES)
    throw new AppError({
      code: "input.invalid",
      message: `${params.socketPath} is too long for a unix socket (${MAX_SOCKET_PATH_BYTES} bytes).`,
    });
  for (const known of ["/mcp", "/v1/models"]) routeOf(known, params.upstream);
  const gate = createGate({
    allowList: parseAllowList(params.allow),
    network: params.network ?? systemNetwork,
    clock: params.clock,
    onDenied: params.onDenied,
  });
  const ready = Promise.withResolvers<void>();
  const tunnels = new Set<Duplex>();
  const server = createServer(
    {
      // Against clients that send slowly to hold connections; a body of the largest size fits on a loopback.
      headersTimeout: 10_000,
      requestTimeout: 120_000,
      keepAliveTimeout: 60_000,
      connectionsCheckingInterval: 5_000,
      maxHeaderSize: 64 * 1024,
    },
    (request, response) => {
      serve({ request, response, params, gate, onReady: ready.resolve }).catch((error: unknown) => {
        params.log.error({ error: messageOf(error) }, "a request from the sandbox failed");
        refuse(response, 500, "This request could not be served.");
      });
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.on("connect", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    tunnels.add(socket);
    socket.once("close", () => tunnels.delete(socket));
    void tunnel({ request, socket, head, gate });
  });
  server.on("clientError", (_error, socket) => socket.destroy());
  await listen(server, params.socketPath);
  let closed: Promise<void> | null = null;
  return {
    ready: ready.promise,
    close: () => {
      closed ??= new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        for (const socket of tunnels) socket.destroy();
      }).then(() => rm(params.socketPath, { force: true }));
      return closed;
    },
  };
}

async function listen(server: Server, socketPath: string): Promise<void> {
  // A socket file that a killed process left cannot be bound again.
  await rm(socketPath, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socketPath, () => {
      server.off("error", reject);
      resolve();
    });
  });
  await chmod(socketPath, 0o600);
}

interface ServeParams {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly params: Readonly<RunSocketParams>;
  readonly gate: Gate;
  readonly onReady: () => void;
}

async function serve({ request, response, params, gate, onReady }: Readonly<ServeParams>): Promise<void> {
  const target = request.url ?? "/";
  if (!target.startsWith("/")) return serveAbsolute(request, response, gate);
  if (target === READY_PATH) {
    onReady();
    response.writeHead(204).end();
    return;
  }
  const url = routeOf(target, params.upstream);
  if (url === null)
    return refuse(response, 404, "Only the gateway (/v1/…), /mcp and the proxy are served here.");
  const headers = identifiedHeaders(request.headers, params.upstream.token);
  const socket = await connectPatiently({ url, clock: params.clock, isWanted: () => !response.destroyed });
  if (socket === null) return refuse(response, 502, `${url.host} cannot be reached.`);
  await relay({ request, response, url, headers, maxBodyBytes: MAX_BODY_BYTES, socket });
}

async function serveAbsolute(request: IncomingMessage, response: ServerResponse, gate: Gate): Promise<void> {
  const url = URL.canParse(request.url ?? "") ? new URL(request.url ?? "") : null;
  if (url === null || url.protocol !== "http:" || url.username !== "")
    return refuse(response, 400, "The proxy takes http:// requests, and CONNECT for everything else.");
  const result = await gate.open(url.hostname, url.port === "" ? 80 : Number(url.port));
  if (result.outcome === "denied") return refuse(response, 403, `blocked: ${url.hostname}. ${result.reason}`);
  if (result.outcome === "failed") return refuse(response, 502, result.reason);
  const { socket } = result;
  await relay({
    request,
    response,
    url,
    headers: endToEndHeaders(request.headers),
    maxBodyBytes: MAX_BODY_BYTES,
    socket,
  });
}
