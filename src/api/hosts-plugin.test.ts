import { buffer } from "node:stream/consumers";
import type { Readable } from "node:stream";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { AS_CLI, createApiFixture } from "./api-fixture.ts";
import { createHostsPlugin } from "./hosts-plugin.ts";
import { listen } from "./listen.ts";

const TOKEN = "host-token-for-tests";
const AS_HOST = { host: "localhost:8000", authorization: `Bearer ${TOKEN}` } as const;
const MAX_BYTES = 3_000_000;

async function setup() {
  const taken: { readonly runId: string; readonly attempt: number; readonly bytes: Buffer }[] = [];
  let accepted = 0;
  const { server } = await createApiFixture({
    plugins: [
      createHostsPlugin({
        hub: {
          accept: (socket) => {
            accepted += 1;
            socket.send("welcome");
          },
        },
        hostToken: TOKEN,
        maxHandoverBytes: MAX_BYTES,
        acceptHandover: async (run, body: Readable) => {
          const bytes = await buffer(body);
          if (run.attempt !== 1) return "lost";
          taken.push({ ...run, bytes });
          return "accepted";
        },
      }),
    ],
  });
  return { server, taken, accepted: () => accepted };
}

test("a hand-over is streamed to its run, larger than any JSON body may be", async () => {
  const { server, taken } = await setup();
  const payload = Buffer.alloc(2_500_000, 7);
  const answer = await server.inject({
    method: "PUT",
    url: "/api/hosts/runs/R1/bundle?attempt=1",
    headers: { ...AS_HOST, "content-type": "application/octet-stream" },
    payload,
  });
  expect(answer.statusCode).toBe(204);
  expect(taken).toHaveLength(1);
  expect(taken[0]).toMatchObject({ runId: "R1", attempt: 1 });
  expect(taken[0]?.bytes.equals(payload)).toBe(true);
});

test("a late, broken or too large hand-over is refused with its reason", async () => {
  const { server, taken } = await setup();
  const put = async (path: string, payload: Buffer) =>
    (
      await server.inject({
        method: "PUT",
        url: `/api/hosts/runs/${path}`,
        headers: { ...AS_HOST, "content-type": "application/octet-stream" },
        payload,
      })
    ).json<unknown>();
  const some = Buffer.from("bundle");
  expect(await put("R1/bundle?attempt=2", some)).toMatchObject({ status: 409, code: "lease.lost" });
  for (const path of ["R1/bundle", "R1/bundle?attempt=x", "R1/bundle?attempt=0", "T1/bundle?attempt=1"])
    expect(await put(path, some), path).toMatchObject({ status: 422, code: "input.invalid" });
  expect(await put("R1/bundle?attempt=1", Buffer.alloc(MAX_BYTES + 1))).toMatchObject({
    status: 413,
    code: "input.too_large",
  });
  expect(taken).toEqual([]);
});

test("only the host token opens the hosts' routes, and it opens nothing else", async () => {
  const { server, taken } = await setup();
  for (const authorization of [AS_CLI.authorization, "Bearer wrong", ""]) {
    const answer = await server.inject({
      method: "PUT",
      url: "/api/hosts/runs/R1/bundle?attempt=1",
      headers: { host: "localhost:8000", authorization, "content-type": "application/octet-stream" },
      payload: "bundle",
    });
    expect(answer.json(), authorization).toMatchObject({ status: 401, code: "api.unauthenticated" });
  }
  expect(taken).toEqual([]);
  expect((await server.inject({ url: "/api/whoami", headers: AS_HOST })).statusCode).toBe(401);
});

test("a host connects with its token under our own name; other names and pages are refused", async () => {
  const { server, accepted } = await setup();
  await listen(server, { host: "127.0.0.1", port: 0 });
  const address = server.server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const connect = (headers: Record<string, string>) =>
    new Promise<number | string>((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/api/hosts/connect`, { headers });
      socket.on("message", (data: Buffer) => {
        resolve(data.toString());
        socket.terminate();
      });
      socket.on("unexpected-response", (request, response) => {
        resolve(response.statusCode ?? 0);
        request.destroy();
      });
      socket.on("error", reject);
    });
  const authorization = AS_HOST.authorization;
  expect(await connect({ authorization })).toBe("welcome");
  expect(await connect({ authorization: "Bearer wrong" })).toBe(401);
  expect(await connect({ authorization, host: "evil.example" })).toBe(403);
  expect(await connect({ authorization, origin: "http://evil.example" })).toBe(403);
  expect(accepted()).toBe(1);
});
