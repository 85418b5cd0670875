/** A model provider that answers at once and counts what it has answered; a process of its own. */
import net from "node:net";
import { createWireReader, sharedNowMs } from "./wire.ts";
import { serveTasks } from "./worker.ts";

/** What the provider has counted for one peer, by the first part of the path. */
export interface Counted {
  calls: number;
  tokensIn: number;
  tokensOut: number;
}

const counted = new Map<string, Counted>();
/** Streams that are under way, by the tick at which each sends its next chunk. */
const WHEEL_MS = 1_000;
const wheel: Set<Stream>[] = Array.from({ length: WHEEL_MS }, () => new Set());
let tick = 0;

interface Stream {
  readonly socket: net.Socket;
  readonly usage: string;
  readonly chunks: number;
  readonly everyMs: number;
  sent: number;
}

/** Grows with each call, so that no two neighbours cost the same; always as long. */
function countCall(path: string): string {
  const peer = path.split("/", 2)[1] ?? "";
  const sum = counted.get(peer) ?? { calls: 0, tokensIn: 0, tokensOut: 0 };
  counted.set(peer, sum);
  const input = 1_000 + (sum.calls % 97);
  const output = 50 + (sum.calls % 13);
  sum.calls += 1;
  sum.tokensIn += input;
  sum.tokensOut += output;
  return `"usage":{"prompt_tokens":${input},"completion_tokens":${output},"total_tokens":${input + output}}`;
}

const TEXT = "The quick brown fox jumps over the lazy dog, as it does in every benchmark. ".repeat(10);
const DOCUMENT =
  '{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-5","choices":[{"index":0,' +
  `"message":{"role":"assistant","content":"${TEXT}"},"finish_reason":"stop"}],`;

function answer(socket: net.Socket, path: string): void {
  const body = `${DOCUMENT}${countCall(path)}}`;
  socket.write(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
}

const CHUNK =
  'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-5","choices":[{"index":0,"delta":{"content":"';
const chunkEvent = (content: string, finish: string): string =>
  `${CHUNK}${content}"},"finish_reason":${finish}}]}\n\n`;
const framed = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

/** Each chunk says its number and when it was sent. */
function sendChunk(stream: Stream): void {
  const { socket } = stream;
  if (socket.destroyed) return;
  stream.sent += 1;
  socket.write(framed(chunkEvent(`<${stream.sent} ${sharedNowMs().toFixed(3)}>`, "null")));
  if (stream.sent < stream.chunks)
    return void wheel[(tick + Math.max(1, stream.everyMs)) % WHEEL_MS]?.add(stream);
  const last = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-5","choices":[],${stream.usage}}\n\n`;
  socket.write(`${framed(chunkEvent("", '"stop"') + last + "data: [DONE]\n\n")}0\r\n\r\n`);
}

function beginStream(socket: net.Socket, path: string, body: string): void {
  const [, chunks = "1", everyMs = "0"] = /"user":"chunks=(\d+),every=(\d+)"/.exec(body) ?? [];
  socket.write(
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n",
  );
  sendChunk({ socket, usage: countCall(path), chunks: Number(chunks), everyMs: Number(everyMs), sent: 0 });
}

const server = net.createServer({ noDelay: true }, (socket) => {
  let path = "";
  let parts: Buffer[] = [];
  socket.on("error", () => {});
  const read = createWireReader({
    head: (text) => {
      path = text.slice(text.indexOf(" ") + 1, text.indexOf(" ", text.indexOf(" ") + 1));
      parts = [];
    },
    body: (piece) => parts.push(piece),
    end: () => {
      const first = parts[0] ?? Buffer.alloc(0);
      const body = parts.length === 1 ? first : Buffer.concat(parts);
      if (body.includes('"stream":true')) beginStream(socket, path, body.toString("latin1"));
      else answer(socket, path);
    },
  });
  socket.on("data", read);
});

let turning: NodeJS.Timeout | null = null;

/** Catches up where the timer was late, so that no chunk is forgotten. */
function turn(fromMs: number): void {
  const due = Math.floor(sharedNowMs() - fromMs);
  while (tick < due) {
    tick += 1;
    const slot = wheel[tick % WHEEL_MS];
    if (slot === undefined || slot.size === 0) continue;
    const streams = [...slot];
    slot.clear();
    for (const stream of streams) sendChunk(stream);
  }
}

const tasks = {
  listen: async (): Promise<number> => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", 4_096, resolve));
    const fromMs = sharedNowMs();
    turning ??= setInterval(() => turn(fromMs), 1);
    return (server.address() as net.AddressInfo).port;
  },
  counted: (): Record<string, Counted> => Object.fromEntries(counted),
};
export type UpstreamTasks = typeof tasks;
serveTasks(tasks);
