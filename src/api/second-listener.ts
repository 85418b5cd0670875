import { createServer, type Server } from "node:http";
import type { FastifyInstance } from "fastify";
import { createLoop, messageOf, type Clock, type Log, type Random, type Service } from "../base/index.ts";

interface SecondListenerParams {
  /** Must listen itself, or be ready. */
  readonly fastify: FastifyInstance;
  readonly host: string;
  readonly port: number;
  /** Where `/` leads. */
  readonly startPage: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

const LOOK_MS = 2_000;

/**
 * The same server on a second port, without WebSockets. A port that is taken holds nothing up: it is tried again until
 * it is free, and the log says so once.
 */
export function createSecondListener(params: Readonly<SecondListenerParams>): Service {
  const { fastify, host, port, log } = params;
  let server: Server | null = null;
  let complained = false;

  const open = async (): Promise<void> => {
    const candidate = createServer((request, response) => {
      if (request.method === "GET" && request.url === "/")
        return void response.writeHead(302, { location: params.startPage }).end();
      fastify.routing(request, response);
    });
    await new Promise<void>((resolve, reject) => {
      candidate.once("error", reject);
      candidate.listen({ host, port }, resolve);
    });
    candidate.on("error", (error) => log.warn({ port, error: messageOf(error) }, "second port"));
    server = candidate;
    complained = false;
    log.info({ port }, "second port open");
  };

  const loop = createLoop({
    name: "second port",
    intervalMs: LOOK_MS,
    clock: params.clock,
    random: params.random,
    log,
    tick: async () => {
      if (server !== null) return;
      try {
        await open();
      } catch (error) {
        if (!complained) log.error({ port, error: messageOf(error) }, "second port cannot be opened yet");
        complained = true;
      }
    },
  });

  return {
    name: "second port",
    start: async () => {
      await loop.tick();
      await loop.start();
    },
    stop: async () => {
      await loop.stop();
      const open = server;
      server = null;
      if (open === null) return;
      open.closeAllConnections();
      await new Promise((resolve) => open.close(resolve));
    },
  };
}
