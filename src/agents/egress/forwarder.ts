import net from "node:net";
import { READY_PATH } from "./routes.ts";

/** Where the forwarder listens inside the sandbox; its network namespace is its own, so the port is always free. */
export const FORWARDER_PORT = 8790;
/** The agent's base URL of the gateway (no `/v1`). */
export const forwarderUrl = (port: number): string => `http://127.0.0.1:${port}`;
/** Our MCP server as the agent sees it. */
export const forwarderMcpUrl = (port: number): string => `${forwarderUrl(port)}/mcp`;

/** A port that nobody listens on, for a forwarder without a sandbox: runs share the loopback there, and each is known by its own. */
export function findForwarderPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        resolve(address === null || typeof address === "string" ? FORWARDER_PORT : address.port),
      );
    });
  });
}

/**
 * Runs inside the sandbox: pipes each connection on the loopback to the run's socket, tells the socket that it listens and
 * prints a line. Its source text is sent into the sandbox as it stands, so it may use nothing but its parameters.
 */
function forward(
  network: typeof net,
  out: { write(text: string): unknown; on(event: "error", listener: () => void): unknown },
  socketPath: string,
  port: number,
  readyPath: string,
): void {
  const server = network.createServer({ allowHalfOpen: true, noDelay: true }, (inside) => {
    const outside = network.connect({ path: socketPath, allowHalfOpen: true });
    const destroyBoth = (): void => {
      inside.destroy();
      outside.destroy();
    };
    inside.on("error", destroyBoth);
    outside.on("error", destroyBoth);
    inside.on("close", () => outside.destroy());
    outside.on("close", () => inside.destroy());
    inside.pipe(outside);
    outside.pipe(inside);
  });
  server.listen(port, "127.0.0.1", () => {
    out.on("error", () => {});
    out.write("ready\n");
    const told = network.connect(socketPath);
    told.on("error", () => {});
    told.end(`GET ${readyPath} HTTP/1.1\r\nhost: sandbox\r\nconnection: close\r\n\r\n`);
    told.resume();
  });
}

interface ForwarderParams {
  /** Node's program as seen inside. */
  readonly nodeFile: string;
  /** The run's socket as seen inside. */
  readonly socketPath: string;
  /** Default `FORWARDER_PORT`. */
  readonly port?: number;
}

/**
 * The command that starts the forwarder. Its code travels as an argument: no file of the product has to be visible inside,
 * and no module loader or type stripping costs start time. Pure.
 */
export function forwarderCommand(params: Readonly<ForwarderParams>): {
  readonly command: string;
  readonly args: readonly string[];
} {
  const { nodeFile, socketPath, port = FORWARDER_PORT } = params;
  const values = [socketPath, port, READY_PATH].map((value) => JSON.stringify(value)).join(",");
  const source = `(${forward.toString()})(require("node:net"),process.stdout,${values})`;
  // Few threads and a small young generation: it copies bytes, one process per agent.
  return { command: nodeFile, args: ["--v8-pool-size=0", "--max-semi-space-size=1", "-e", source] };
}
