/** Makes calls and measures them; a process of its own. Connections are kept open, one call at a time on each. */
import net from "node:net";
import { createWireReader, sharedNowMs } from "./wire.ts";
import { serveTasks } from "./worker.ts";

/** Where calls go. */
export interface Target {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface LoadParams {
  readonly target: Target;
  readonly body: string;
  readonly connections: number;
}

interface Exchange {
  readonly status: number;
  readonly ms: number;
  /** Until the first piece of the body. */
  readonly firstMs: number;
}

interface Connection {
  exchange(request: Buffer, onPiece?: (piece: Buffer) => void): Promise<Exchange>;
  close(): void;
}

const requestOf = ({ target, body }: Pick<LoadParams, "target" | "body">): Buffer => {
  const headers = Object.entries({
    host: `127.0.0.1:${target.port}`,
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    ...target.headers,
  });
  const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return Buffer.from(`POST ${target.path} HTTP/1.1\r\n${head}\r\n${body}`);
};

function connect(port: number): Promise<Connection> {
  return new Promise((opened, failed) => {
    let status = 0;
    let startedMs = 0;
    let firstMs = 0;
    let onPiece: ((piece: Buffer) => void) | undefined;
    let done: ((exchange: Exchange) => void) | null = null;
    let broken: ((error: Error) => void) | null = null;
    const socket = net.connect({ host: "127.0.0.1", port, noDelay: true });
    const finish = (): void => {
      const nowMs = performance.now();
      const resolve = done;
      done = null;
      resolve?.({ status, ms: nowMs - startedMs, firstMs: (firstMs || nowMs) - startedMs });
    };
    socket.on(
      "data",
      createWireReader({
        head: (text) => void (status = Number(text.slice(9, 12))),
        body: (piece) => {
          if (firstMs === 0) firstMs = performance.now();
          onPiece?.(piece);
        },
        end: finish,
      }),
    );
    socket.on("connect", () => {
      socket.off("error", failed);
      opened({
        exchange: (request, piece) =>
          new Promise((resolve, reject) => {
            onPiece = piece;
            firstMs = 0;
            done = resolve;
            broken = reject;
            startedMs = performance.now();
            if (socket.destroyed) reject(new Error("the connection is closed"));
            else socket.write(request);
          }),
        close: () => void socket.destroy(),
      });
    });
    socket.on("error", failed);
    const gone = (error?: Error): void => broken?.(error ?? new Error("the connection was closed"));
    socket.on("error", gone).on("close", () => gone());
  });
}

interface Loop extends LoadParams {
  /** Asked before each call. */
  readonly goesOn: () => boolean;
  readonly onExchange: (exchange: Exchange) => void;
  /** A broken connection is replaced. */
  readonly onBroken: () => void;
  readonly pause?: () => Promise<void>;
}

async function callInLoops(loop: Loop): Promise<void> {
  const request = requestOf(loop);
  const one = async (): Promise<void> => {
    let connection: Connection | null = null;
    while (loop.goesOn()) {
      await loop.pause?.();
      try {
        connection ??= await connect(loop.target.port);
        loop.onExchange(await connection.exchange(request));
      } catch {
        loop.onBroken();
        connection?.close();
        connection = null;
      }
    }
    connection?.close();
  };
  await Promise.all(Array.from({ length: loop.connections }, one));
}

export interface Calls {
  /** Of good answers. */
  readonly ms: readonly number[];
  readonly firstMs: readonly number[];
  /** Other status, or no answer at all. */
  readonly failed: number;
  readonly tookMs: number;
}

/** How many of a loop's times are kept: enough for a 99th percentile, little enough for one message. */
const MOST_TIMES = 200_000;

async function measure(
  params: LoadParams,
  goesOn: () => boolean,
  pause?: () => Promise<void>,
): Promise<Calls> {
  const ms: number[] = [];
  const firstMs: number[] = [];
  let failed = 0;
  const startedMs = performance.now();
  await callInLoops({
    ...params,
    goesOn,
    ...(pause === undefined ? {} : { pause }),
    onExchange: (exchange) => {
      if (exchange.status !== 200) return void (failed += 1);
      if (ms.length >= MOST_TIMES) return;
      ms.push(exchange.ms);
      firstMs.push(exchange.firstMs);
    },
    onBroken: () => void (failed += 1),
  });
  return { ms, firstMs, failed, tookMs: performance.now() - startedMs };
}

export interface Streamed {
  readonly chunks: number;
  /** Chunks that did not come, came twice or in another order. */
  readonly lost: number;
  readonly delaysMs: readonly number[];
  /** Streams that ended without `[DONE]`. */
  readonly broken: number;
}

async function oneStream(connection: Connection, request: Buffer, chunks: number): Promise<Streamed> {
  const delaysMs: number[] = [];
  let next = 1;
  let wrong = 0;
  let rest = "";
  let isDone = false;
  const onPiece = (piece: Buffer): void => {
    const nowMs = sharedNowMs();
    rest += piece.toString("latin1");
    let from = 0;
    for (let end = rest.indexOf("\n\n"); end !== -1; end = rest.indexOf("\n\n", from)) {
      const event = rest.slice(from, end);
      from = end + 2;
      if (event.endsWith("[DONE]")) isDone = true;
      const found = /<(\d+) ([\d.]+)>/.exec(event);
      if (found === null) continue;
      if (Number(found[1]) !== next) wrong += 1;
      next = Number(found[1]) + 1;
      delaysMs.push(nowMs - Number(found[2]));
    }
    rest = rest.slice(from);
  };
  const ended = await connection.exchange(request, onPiece).catch(() => null);
  const missing = chunks - delaysMs.length;
  return {
    chunks,
    lost: Math.max(wrong, missing),
    delaysMs,
    broken: ended?.status === 200 && isDone ? 0 : 1,
  };
}

const tasks = {
  /** A number of calls, shared by the connections. */
  calls: ({ count, ...params }: LoadParams & { readonly count: number }): Promise<Calls> => {
    let left = count;
    return measure(params, () => (left -= 1) >= 0);
  },
  /** As many calls as fit into a time. */
  rate: ({ forMs, ...params }: LoadParams & { readonly forMs: number }): Promise<Calls> => {
    const untilMs = performance.now() + forMs;
    return measure(params, () => performance.now() < untilMs);
  },
  /** Calls at an even pace. */
  paced: ({
    forMs,
    perSecond,
    ...params
  }: LoadParams & { readonly forMs: number; readonly perSecond: number }): Promise<Calls> => {
    const startedMs = performance.now();
    let taken = 0;
    const pause = async (): Promise<void> => {
      const dueMs = startedMs + (taken++ * 1_000) / perSecond;
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    };
    return measure(params, () => performance.now() < startedMs + forMs, pause);
  },
  /** Streams that run at the same time, each on its own connection, begun evenly over `spreadMs`. */
  streams: async ({
    chunks,
    spreadMs,
    ...params
  }: LoadParams & { readonly chunks: number; readonly spreadMs: number }): Promise<Streamed> => {
    const request = requestOf(params);
    const all = await Promise.all(
      Array.from({ length: params.connections }, async (_, index) => {
        await new Promise((resolve) => setTimeout(resolve, (index * spreadMs) / params.connections));
        const connection = await connect(params.target.port);
        const streamed = await oneStream(connection, request, chunks);
        connection.close();
        return streamed;
      }),
    );
    const sum = (of: (one: Streamed) => number): number => all.reduce((total, one) => total + of(one), 0);
    return {
      chunks: sum((one) => one.chunks),
      lost: sum((one) => one.lost),
      broken: sum((one) => one.broken),
      delaysMs: all.flatMap((one) => one.delaysMs),
    };
  },
};
export type LoadTasks = typeof tasks;
serveTasks(tasks);
