import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { systemClock } from "../../src/base/index.ts";

/** What the next call meets. */
export type Behaviour =
  | { readonly do: "answer" }
  | { readonly do: "status"; readonly status: number; readonly headers?: Record<string, string> }
  /** Closes the connection (RST) when the request has come. */
  | { readonly do: "reset" }
  | { readonly do: "silent" }
  /** Head and nothing else. */
  | { readonly do: "head-only" }
  /** Some chunks, then the connection breaks. */
  | { readonly do: "cut" }
  | { readonly do: "stall" }
  /** Some chunks, then the end, without the last events. */
  | { readonly do: "early-end" }
  /** Everything but `[DONE]`. */
  | { readonly do: "no-done" }
  | { readonly do: "malformed" }
  | { readonly do: "empty" }
  | { readonly do: "slow-first"; readonly ms: number }
  | { readonly do: "slow-status"; readonly ms: number; readonly status: number }
  | { readonly do: "html" }
  /** A stream whose first event says that the provider is overloaded. */
  | { readonly do: "error-event" };

export interface UpstreamCall {
  readonly path: string;
  readonly atMs: number;
  readonly body: string;
  /** Resolves with the time when the connection was closed before the answer ended. */
  readonly aborted: Promise<number>;
}

export interface FaultyUpstream {
  readonly origin: string;
  readonly calls: readonly UpstreamCall[];
  /** Behaviours of the next calls, in order; the last one stays. */
  plan(...behaviours: readonly Behaviour[]): void;
  close(): Promise<void>;
}

export const ANSWER_TEXT = "Hello, world";
const WORDS = ["Hello", ", ", "world"];

const chunk = (delta: object, finish: string | null): string =>
  `data: ${JSON.stringify({ id: "c1", object: "chat.completion.chunk", created: 1, model: "gpt-5", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const event = (data: { readonly type: string } & Record<string, unknown>): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;

function chatStream(): string[] {
  return [...WORDS.map((content) => chunk({ content }, null)), chunk({}, "stop"), "data: [DONE]\n\n"];
}

function messagesStream(): string[] {
  const usage = { input_tokens: 10, output_tokens: 1 };
  return [
    event({
      type: "message_start",
      message: {
        id: "m1",
        type: "message",
        role: "assistant",
        content: [],
        model: "claude-sonnet-4-5",
        usage,
      },
    }),
    ...WORDS.map((text) =>
      event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }),
    ),
    event({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 3 } }),
    event({ type: "message_stop" }),
  ];
}

function documentOf(path: string): object {
  return path.startsWith("/v1/messages")
    ? {
        id: "m1",
        type: "message",
        role: "assistant",
        model: "claude-sonnet-4-5",
        content: [{ type: "text", text: ANSWER_TEXT }],
        stop_reason: "end_turn",
        usage: { input_tokens: 10, output_tokens: 3 },
      }
    : {
        id: "c1",
        object: "chat.completion",
        created: 1,
        model: "gpt-5",
        choices: [{ index: 0, message: { role: "assistant", content: ANSWER_TEXT }, finish_reason: "stop" }],
        usage: { prompt_tokens: 10, completion_tokens: 3, total_tokens: 13 },
      };
}

/** A provider on loopback that fails as it is told. */
export async function startFaultyUpstream(): Promise<FaultyUpstream> {
  const calls: UpstreamCall[] = [];
  let queue: Behaviour[] = [{ do: "answer" }];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    const aborted = new Promise<number>((resolve) =>
      response.on("close", () => {
        if (!response.writableFinished) resolve(systemClock.monotonicMs());
      }),
    );
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("error", () => {});
    request.on("end", () => {
      const body = Buffer.concat(parts).toString("utf8");
      const path = request.url ?? "/";
      calls.push({ path, body, aborted, atMs: systemClock.monotonicMs() });
      const behaviour = queue.length > 1 ? queue.shift() : queue[0];
      void behave(behaviour ?? { do: "answer" }, path, /"stream":\s*true/.test(body), response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    plan: (...behaviours) => {
      queue = [...behaviours];
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function behave(
  behaviour: Behaviour,
  path: string,
  stream: boolean,
  response: ServerResponse,
): Promise<void> {
  const json = { "content-type": "application/json" };
  switch (behaviour.do) {
    case "silent":
      return;
    case "reset":
      return void response.socket?.resetAndDestroy();
    case "slow-status":
      await systemClock.sleep(behaviour.ms);
      response.writeHead(behaviour.status, json);
      return void response.end('{"error":{"message":"upstream says no"}}');
    case "status":
      response.writeHead(behaviour.status, { ...json, ...behaviour.headers });
      return void response.end('{"error":{"message":"upstream says no"}}');
    case "html":
      response.writeHead(200, { "content-type": "text/html" });
      return void response.end("<html>Sign in to the network</html>");
    case "empty":
      response.writeHead(200, stream ? { "content-type": "text/event-stream" } : json);
      return void response.end();
    case "slow-first":
      await systemClock.sleep(behaviour.ms);
      break;
    default:
  }
  if (!stream) {
    const text = JSON.stringify(documentOf(path));
    response.writeHead(200, { ...json, "content-length": Buffer.byteLength(text) });
    if (behaviour.do === "cut")
      return void response.write(text.slice(0, 40), () => response.socket?.resetAndDestroy());
    if (behaviour.do === "stall") return void response.write(text.slice(0, 40));
    if (behaviour.do === "malformed") return void response.end(`${text.slice(0, -5)}xxxxx`);
    return void response.end(text);
  }
  const chunks = path.startsWith("/v1/messages") ? messagesStream() : chatStream();
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.flushHeaders();
  switch (behaviour.do) {
    case "head-only":
      return;
    case "error-event":
      return void response.end(
        event({ type: "error", error: { type: "overloaded_error", message: "Overloaded" } }),
      );
    case "cut":
      return void response.write(chunks.slice(0, 2).join(""), () => response.socket?.resetAndDestroy());
    case "stall":
      return void response.write(chunks.slice(0, 2).join(""));
    case "early-end":
      return void response.end(chunks.slice(0, 2).join(""));
    case "no-done":
      return void response.end(chunks.slice(0, -1).join(""));
    case "malformed":
      response.write(chunks[0]);
      response.write('data: {"choices":[{"delta":{"content":"x"}}\n\n');
      return void response.end(chunks.slice(1).join(""));
    default:
      for (const one of chunks) response.write(one);
      response.end();
  }
}
