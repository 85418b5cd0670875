import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { silentLog, systemClock, systemRandom } from "../../base/index.ts";
import type { ControlMessage } from "../protocol.ts";
import { type ConnectionState, createConnection } from "./connection.ts";
import { until } from "./host-fixture.ts";

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function setup(token = "right") {
  const sockets: WebSocket[] = [];
  const server = createServer();
  const line = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    if (request.headers.authorization !== "Bearer right") {
      socket.end("HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    line.handleUpgrade(request, socket, head, (accepted) => {
      sockets.push(accepted);
      accepted.send(JSON.stringify({ type: "welcome", heartbeatMs: 60, run: "none" }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const states: ConnectionState[] = [];
  const messages: ControlMessage[] = [];
  const over = new AbortController();
  const connection = createConnection({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    readToken: () => Promise.resolve(token),
    createHello: () => ({ type: "heartbeat", slot: "kaede", state: "idle" }),
    createHeartbeat: () => ({ type: "heartbeat", slot: "kaede", state: "idle" }),
    onMessage: (message) => messages.push(message),
    onState: (state) => states.push(state),
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  });
  const running = connection.run(over.signal);
  open.push(async () => {
    over.abort();
    await running;
    for (const socket of sockets) socket.terminate();
    await new Promise((resolve) => server.close(resolve));
  });
  return { connection, sockets, states, messages };
}

describe("connection to a control plane", () => {
  test("comes back after it was cut", async () => {
    const { sockets, states, connection } = await setup();
    await until(() => connection.isWelcome());
    sockets[0]?.terminate();
    await until(() => sockets.length === 2 && connection.isWelcome());
    expect(states).toEqual(["connected", "away", "connected"]);
  });

  test("gives up a line on which nothing comes any more", async () => {
    const { sockets, states } = await setup();
    await until(() => sockets.length === 1 && states.length === 1);
    sockets[0]?.pause();
    await until(() => sockets.length === 2);
    expect(states).toContain("away");
  });

  test("stays on a quiet line that answers pings", async () => {
    const { sockets, states } = await setup();
    await until(() => states.length === 1);
    const seen: number[] = [];
    sockets[0]?.on("ping", () => seen.push(1));
    await until(() => seen.length >= 8);
    expect(sockets).toHaveLength(1);
  });

  test("says that its token is refused and keeps trying", async () => {
    const { states, connection } = await setup("wrong");
    await until(() => states.length >= 2);
    expect(new Set(states)).toEqual(new Set(["refused"]));
    expect(connection.send({ type: "heartbeat", slot: "kaede", state: "idle" })).toBe(false);
  });

  test("ignores what it does not understand", async () => {
    const { sockets, messages, connection } = await setup();
    await until(() => connection.isWelcome());
    sockets[0]?.send("{}");
    sockets[0]?.send("not json");
    sockets[0]?.send(JSON.stringify({ type: "idle-view", text: "hello" }));
    await until(() => messages.some((message) => message.type === "idle-view"));
    expect(messages).toHaveLength(2);
  });
});
