import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { hostMessage, type ControlMessage, type HostMessage, type RunSpec } from "../protocol.ts";

export const HOST_TOKEN = "host-token";

/**
 * A control plane for tests: keeps what hosts say, acknowledges it, takes bundles and answers as our MCP server. It can go
 * away and come back on the same port.
 */
export interface FakeControlPlane {
  readonly url: string;
  readonly messages: HostMessage[];
  readonly bundles: { readonly runId: string; readonly attempt: string; readonly bytes: Buffer }[];
  /** Answer to `hello`; default `continue` where the run is alive, else `drop`. */
  decide: (hello: Extract<HostMessage, { type: "hello" }>) => "continue" | "drop" | "none";
  /** What a renewal is answered with. */
  renewals: "renewed" | "lost" | "silent";
  acksItems: boolean;
  /** Answers 503 to hand-overs. */
  refusesBundles: boolean;
  send(message: ControlMessage): void;
  assign(spec: RunSpec): void;
  all<T extends HostMessage["type"]>(type: T): Extract<HostMessage, { type: T }>[];
  waitFor<T extends HostMessage["type"]>(
    type: T,
    wanted?: (message: Extract<HostMessage, { type: T }>) => boolean,
    timeoutMs?: number,
  ): Promise<Extract<HostMessage, { type: T }>>;
  /** Everything that the transcripts say, in order and once. */
  items(): { readonly seq: number; readonly body: { readonly kind: string } }[];
  text(): string;
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
}

export async function openFakeControlPlane(): Promise<FakeControlPlane> {
  let line: WebSocket | null = null;
  let fence = { runId: "R1", attempt: 1 };
  const messages: HostMessage[] = [];
  const watchers = new Set<() => void>();
  const bundles: FakeControlPlane["bundles"] = [];
  const send = (message: ControlMessage): void => line?.send(JSON.stringify(message));

  const answer = (message: HostMessage): void => {
    switch (message.type) {
      case "hello":
        send({ type: "welcome", heartbeatMs: 500, run: plane.decide(message) });
        return;
      case "renew":
        if (plane.renewals !== "silent") send({ type: plane.renewals, ...fenceOf(message) });
        return;
      case "transcript":
        if (plane.acksItems)
          send({ type: "ack-transcript", ...fenceOf(message), seq: message.items.at(-1)?.seq ?? 0 });
        return;
      case "finished":
        send({ type: "ack-finished", ...fenceOf(message) });
        return;
      default:
        return;
    }
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? "/", "http://localhost");
    const upload = /^\/api\/hosts\/runs\/(R\d+)\/bundle$/.exec(url.pathname);
    if (upload !== null && request.headers.authorization === `Bearer ${HOST_TOKEN}`) {
      if (plane.refusesBundles) return void response.writeHead(503).end();
      const attempt = url.searchParams.get("attempt") ?? "";
      bundles.push({ runId: upload[1] ?? "", attempt, bytes: Buffer.concat(chunks) });
      response.writeHead(204).end();
      return;
    }
    if (url.pathname === "/mcp")
      return serveMcp(JSON.parse(Buffer.concat(chunks).toString("utf8")), response);
    response.writeHead(404).end();
  };
  const serveMcp = (call: McpCall, response: ServerResponse): void => {
    if (call.params?.name === "report_result")
      send({ type: "verdict", ...fence, verdict: call.params.arguments?.["verdict"] ?? "done" });
    const result =
      call.method === "initialize"
        ? { protocolVersion: "2025-06-18", capabilities: {}, serverInfo: { name: "fake", version: "1" } }
        : { content: [{ type: "text", text: "recorded" }] };
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ jsonrpc: "2.0", id: call.id ?? null, result }));
  };

  const open = async (port: number): Promise<() => Promise<void>> => {
    const server = createServer((request, response) => void serve(request, response));
    const sockets = new WebSocketServer({ server, path: "/api/hosts/connect" });
    sockets.on("connection", (socket, request) => {
      if (request.headers.authorization !== `Bearer ${HOST_TOKEN}`) return socket.close();
      line = socket;
      socket.on("message", (data) => {
        const message = hostMessage.parse(JSON.parse(String(data)));
        messages.push(message);
        answer(message);
        for (const watch of watchers) watch();
      });
    });
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return async () => {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    };
  };
  let url = "";
  let close = await open(0);

  const plane: FakeControlPlane = {
    get url() {
      return url;
    },
    messages,
    bundles,
    renewals: "renewed",
    acksItems: true,
    refusesBundles: false,
    decide: ({ run }) => (run === null ? "none" : run.alive ? "continue" : "drop"),
    send,
    assign: (spec) => {
      fence = fenceOf(spec);
      send({ type: "assign", spec });
    },
    all: (type) => messages.filter((message) => message.type === type) as never,
    waitFor: (type, wanted = () => true, timeoutMs = 15_000) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = plane.all(type).find(wanted);
          if (found === undefined) return;
          clearTimeout(timer);
          watchers.delete(look);
          resolve(found);
        };
        const timer = setTimeout(() => {
          watchers.delete(look);
          const heard = messages.map((message) => message.type).join(" ");
          reject(new Error(`no ${type} in time; heard: ${heard}\n${plane.text()}`));
        }, timeoutMs);
        watchers.add(look);
        look();
      }),
    items: () => {
      const bySeq = new Map(
        plane.all("transcript").flatMap(({ items }) => items.map((item) => [item.seq, item])),
      );
      return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
    },
    text: () => JSON.stringify(plane.items().map((item) => item.body)),
    goAway: async () => {
      await close();
      line = null;
    },
    comeBack: async () => {
      close = await open(Number(new URL(url).port));
    },
  };
  return plane;
}

interface McpCall {
  readonly id?: number;
  readonly method: string;
  readonly params?: { readonly name?: string; readonly arguments?: Record<string, string> };
}

const fenceOf = (fence: { readonly runId: string; readonly attempt: number }) => ({
  runId: fence.runId,
  attempt: fence.attempt,
});
