import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import http, { type IncomingMessage, type RequestListener } from "node:http";
import net, { type AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { silentLog, systemClock } from "../../base/index.ts";
import { createRunSocket } from "./run-socket.ts";

async function setup(upstream: RequestListener) {
  const directory = await mkdtemp(path.join(os.tmpdir(), "miyabi-socket-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const server = http.createServer(upstream);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const socketPath = path.join(directory, "s");
  const runSocket = await createRunSocket({
    socketPath,
    upstream: {
      gatewayUrl: `http://127.0.0.1:${port}/gateway/`,
      mcpUrl: `http://127.0.0.1:${port}/api/mcp`,
      token: "run",
    },
    allow: ["files.example.org"],
    onDenied: () => {},
    clock: systemClock,
    log: silentLog,
    network: {
      resolve: () => Promise.resolve(["93.184.215.14"]),
      connect: () => net.connect(port, "127.0.0.1"),
      ownAddresses: () => [],
    },
  });
  onTestFinished(() => runSocket.close());
  const send = (
    options: http.RequestOptions,
  ): { request: http.ClientRequest; response: Promise<IncomingMessage> } => {
    const request = http.request({ socketPath, agent: false, ...options });
    const response = new Promise<IncomingMessage>((resolve, reject) => {
      request.on("response", resolve);
      request.on("error", reject);
    });
    response.catch(() => {});
    return { request, response };
  };
  return { socketPath, runSocket, send };
}

describe("createRunSocket", () => {
  it("passes requests on under the gateway's path, as the run, without the agent's credentials", async () => {
    const { send } = await setup((request, response) => {
      const { authorization, cookie } = request.headers;
      const seen = [
        request.method,
        request.url,
        authorization,
        cookie,
        request.headers["x-api-key"],
        request.headers["x-other"],
      ];
      response.writeHead(207, { "x-answer": "yes" });
      request.on("data", (chunk: Buffer) => seen.push(chunk.toString()));
      request.on("end", () => response.end(seen.join("|")));
    });
    const headers = {
      authorization: "Bearer a",
      "x-api-key": "b",
      cookie: "c",
      "x-other": "kept",
      connection: "close, x-hop",
    };
    const { request, response } = send({
      method: "POST",
      path: "/v1beta/models/m:generate?alt=sse&key=secret",
      headers,
    });
    request.end("body");
    const answer = await response;
    expect(answer.statusCode).toBe(207);
    expect(answer.headers["x-answer"]).toBe("yes");
    expect(await text(answer)).toBe("POST|/gateway/v1beta/models/m:generate?alt=sse|Bearer run|||kept|body");
  });

  it("streams both ways, chunk by chunk", async () => {
    const { send } = await setup((request, response) => {
      response.flushHeaders();
      request.on("data", (chunk: Buffer) => response.write(`<${chunk.toString()}>`));
      request.on("end", () => response.end());
    });
    const { request, response } = send({ method: "POST", path: "/v1/responses" });
    request.flushHeaders();
    const answer = await response;
    const chunks = answer[Symbol.asyncIterator]();
    for (const word of ["one", "two"]) {
      request.write(word);
      expect(String((await chunks.next()).value)).toBe(`<${word}>`);
    }
    request.end();
    expect((await chunks.next()).done).toBe(true);
  });

  it("never lets a body pass for a second request", async () => {
    const seen: string[] = [];
    const { socketPath } = await setup((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      request.resume().on("end", () => response.end("{}"));
    });
    const hidden = "POST /api/tasks HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n";
    const chunked = `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`;
    for (const framed of [
      `transfer-encoding: chunked\r\n\r\n${chunked}`,
      `content-length: ${hidden.length}\r\n\r\n${hidden}`,
      `content-length: ${hidden.length}\r\nconnection: content-length\r\n\r\n${hidden}`,
    ]) {
      const socket = net.connect(socketPath);
      socket.write(`GET /v1/models HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${framed}`);
      await text(socket);
    }
    expect(seen).toEqual(Array.from({ length: 3 }, () => "GET /gateway/v1/models"));
  });

  it("cancels upstream when the client goes away", async () => {
    const gone = Promise.withResolvers<void>();
    const { send } = await setup((request, response) => {
      request.resume();
      response.write("data: 1\n\n");
      response.on("close", gone.resolve);
    });
    const { request, response } = send({ method: "POST", path: "/v1/messages" });
    request.end("{}");
    await response;
    request.destroy();
    await gone.promise;
  });

  it("says what is wrong: unknown path, no upstream", async () => {
    const { send } = await setup((request) => request.socket.destroy());
    const unknown = send({ path: "/api/tasks" });
    unknown.request.end();
    expect((await unknown.response).statusCode).toBe(404);
    const broken = send({ path: "/v1/models" });
    broken.request.end();
    expect((await broken.response).statusCode).toBe(502);
  });

  it("limits a request's body", async () => {
    const { send } = await setup((request) => request.resume());
    const { request, response } = send({ method: "POST", path: "/v1/messages" });
    request.on("error", () => {});
    const chunk = Buffer.alloc(1024 * 1024);
    for (let sent = 0; sent < 65; sent += 1) request.write(chunk);
    request.end();
    expect((await response).statusCode).toBe(413);
  });

  it("fetches plain http from an allowed host and refuses others by name", async () => {
    const { send } = await setup((request, response) =>
      response.end(`${request.headers.host} ${request.url}`),
    );
    const allowed = send({ path: "http://files.example.org/a?b", headers: { host: "files.example.org" } });
    allowed.request.end();
    expect(await text(await allowed.response)).toBe("files.example.org /a?b");
    const denied = send({ path: "http://evil.example.org/" });
    denied.request.end();
    const answer = await denied.response;
    expect(answer.statusCode).toBe(403);
    expect(await text(answer)).toContain("blocked: evil.example.org");
  });

  it("closes tunnels and requests with the run, and is gone then", async () => {
    const { socketPath, runSocket } = await setup((request) => request.resume());
    const socket = net.connect(socketPath);
    const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
    const connected = new Promise<string>((resolve) =>
      socket.once("data", (data: Buffer) => resolve(data.toString())),
    );
    socket.on("error", () => {});
    socket.write("CONNECT files.example.org:443 HTTP/1.1\r\nhost: files.example.org\r\n\r\n");
    expect(await connected).toContain("200 Connection Established");
    await runSocket.close();
    await closed;
    expect(existsSync(socketPath)).toBe(false);
    await runSocket.close();
  });

  it("answers a refused tunnel with 403 and a reason that people can read", async () => {
    const { socketPath } = await setup(() => {});
    const socket = net.connect(socketPath);
    socket.write("CONNECT evil.example.org:443 HTTP/1.1\r\nhost: x\r\n\r\n");
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1.1 403 /);
    expect(answer).toContain(
      "blocked: evil.example.org. evil.example.org is not on this repository's egress allow-list.",
    );
  });

  it("takes the place of a socket file that a crash left, and refuses a path that is too long", async () => {
    const { runSocket } = await setup(() => {});
    await runSocket.close();
    await expect(
      createRunSocket({
        socketPath: `/tmp/${"x".repeat(120)}`,
        upstream: { gatewayUrl: "http://127.0.0.1", mcpUrl: "http://127.0.0.1/mcp", token: "t" },
        allow: [],
        onDenied: () => {},
        clock: systemClock,
        log: silentLog,
      }),
    ).rejects.toMatchObject({ code: "input.invalid" });
  });
});
