import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Gate } from "./gate.ts";

interface TunnelParams {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What the client sent behind its request already. */
  readonly head: Buffer;
  readonly gate: Gate;
}

const IDLE_MS = 10 * 60_000;

/** Serves one `CONNECT host:port`: 403 and the reason where it is denied, else bytes both ways. Never rejects. */
export async function tunnel({ request, socket, head, gate }: Readonly<TunnelParams>): Promise<void> {
  socket.on("error", () => socket.destroy());
  const target = parseAuthority(request.url ?? "");
  if (target === null) return answer(socket, "400 Bad Request", "CONNECT needs host:port.");
  const result = await gate.open(target.host, target.port);
  if (result.outcome === "denied")
    return answer(socket, "403 Forbidden", `blocked: ${target.host}. ${result.reason}`);
  if (result.outcome === "failed") return answer(socket, "502 Bad Gateway", result.reason);
  if (socket.destroyed) {
    result.socket.destroy();
    return;
  }
  join(socket, result.socket);
  socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
  result.socket.write(head);
}

function parseAuthority(authority: string): { readonly host: string; readonly port: number } | null {
  const match = /^(\[[^\]]*\]|[^:/@\s]+):(\d{1,5})$/.exec(authority);
  return match === null ? null : { host: match[1] ?? "", port: Number(match[2]) };
}

function answer(socket: Duplex, status: string, message: string): void {
  const body = `${message}\n`;
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: text/plain; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function join(inside: Duplex, outside: Socket): void {
  const destroyBoth = (): void => {
    inside.destroy();
    outside.destroy();
  };
  outside.setTimeout(IDLE_MS, destroyBoth);
  for (const socket of [inside, outside]) {
    socket.on("error", destroyBoth);
    socket.on("close", destroyBoth);
  }
  inside.pipe(outside);
  outside.pipe(inside);
}
