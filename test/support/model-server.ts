import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { systemClock } from "../../src/base/index.ts";

/** What the server does with the next calls. */
export type Fault =
  /** Answers with an error of its own. */
  | { readonly kind: "status"; readonly status: number }
  /** Closes the connection before it answers. */
  | { readonly kind: "reset" }
  /** Reads the request and never answers. */
  | { readonly kind: "silent" }
  /** Streams a part, then breaks the connection. */
  | { readonly kind: "cut" }
  /** Streams a part, then ends the response as if all were well. */
  | { readonly kind: "early-end" }
  /** Streams a part, then says nothing more. */
  | { readonly kind: "stall" };

export interface SeenCall {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** Resolves when the connection of this call was closed before its answer ended. */
  readonly aborted: Promise<void>;
}

export interface ModelServer {
  readonly origin: string;
  readonly calls: readonly SeenCall[];
  /** Null: everything works. */
  fault: Fault | null;
  /** Whether chat streams name their usage. */
  streamUsage: boolean;
  /** What documents of chat completions and messages say. */
  answerText: string;
  /** Whether answers are compressed. */
  gzip: boolean;
  /** Pause between two chunks of a stream, ms. */
  chunkMs: number;
  close(): Promise<void>;
}

export const ANTHROPIC_USAGE = {
  input_tokens: 100,
  cache_creation_input_tokens: 40,
  cache_read_input_tokens: 2_000,
  output_tokens: 25,
};
export const CHAT_USAGE = {
  prompt_tokens: 500,
  completion_tokens: 40,
  total_tokens: 540,
  prompt_tokens_details: { cached_tokens: 128 },
  completion_tokens_details: { reasoning_tokens: 10 },
};
export const RESPONSES_USAGE = {
  input_tokens: 700,
  input_tokens_details: { cached_tokens: 200 },
  output_tokens: 60,
  output_tokens_details: { reasoning_tokens: 20 },
  total_tokens: 760,
};

export const GEMINI_USAGE = {
  promptTokenCount: 900,
  candidatesTokenCount: 30,
  thoughtsTokenCount: 5,
  totalTokenCount: 935,
};

const anthropicEvent = (data: { readonly type: string }): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const dataEvent = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;

function chunksOf(url: string, model: string, streamUsage: boolean): string[] {
  if (url.startsWith("/v1/messages")) {
    const start = { ...ANTHROPIC_USAGE, output_tokens: 1 };
    const deltas = ["Grüße", " 日本", '\\"usage\\"'].map((text, index) =>
      anthropicEvent({
        type: "content_block_delta",
        ...{ index, delta: { type: "text_delta", text } },
      } as { type: string }),
    );
    return [
      anthropicEvent({ type: "message_start", ...{ message: { id: "msg_1", model, usage: start } } } as {
        type: string;
      }),
      ...deltas,
      anthropicEvent({
        type: "message_delta",
        ...{ delta: { stop_reason: "end_turn" }, usage: { output_tokens: ANTHROPIC_USAGE.output_tokens } },
      } as { type: string }),
      anthropicEvent({ type: "message_stop" }),
    ];
  }
  if (url.startsWith("/v1/responses"))
    return [
      anthropicEvent({ type: "response.created" }),
      anthropicEvent({ type: "response.output_text.delta" }),
      anthropicEvent({ type: "response.completed", ...{ response: { model, usage: RESPONSES_USAGE } } } as {
        type: string;
      }),
    ];
  if (url.startsWith("/v1beta/"))
    return ["Hel", "lo"].map((text, index) => dataEvent(geminiAnswer(modelIn(url), text, index === 1)));
  const choice = (delta: object, finish: string | null): object => ({
    model,
    choices: [{ index: 0, delta, finish_reason: finish }],
    usage: null,
  });
  return [
    dataEvent(choice({ content: "Hel" }, null)),
    dataEvent(choice({ content: "lo" }, null)),
    dataEvent(choice({}, "stop")),
    ...(streamUsage ? [dataEvent({ model, choices: [], usage: CHAT_USAGE })] : []),
    "data: [DONE]\n\n",
  ];
}

/** Gemini names its model in the path. */
const modelIn = (url: string): string => /models\/([^:]+):/.exec(url)?.[1] ?? "unknown-model";

function geminiAnswer(modelVersion: string, text: string, isLast: boolean): object {
  const content = { role: "model", parts: [{ text }] };
  return {
    candidates: [isLast ? { content, finishReason: "STOP" } : { content }],
    modelVersion,
    ...(isLast ? { usageMetadata: GEMINI_USAGE } : {}),
  };
}

/** Vectors that tell apples from bananas. */
function embeddingsOf(model: string, input: readonly string[]): object {
  const times = (text: string, word: string): number => text.split(word).length - 1;
  return {
    object: "list",
    model,
    data: input.map((text, index) => ({
      index,
      embedding: [times(text, "apple"), times(text, "banana"), 0.1],
    })),
    usage: { prompt_tokens: 10 * input.length, total_tokens: 10 * input.length },
  };
}

function documentOf(url: string, model: string, said: string): object {
  if (url.endsWith(":countTokens")) return { totalTokens: 43 };
  if (url.startsWith("/v1beta/")) return geminiAnswer(modelIn(url), "hi", true);
  if (url.startsWith("/v1/messages/count_tokens")) return { input_tokens: 42 };
  if (url.startsWith("/v1/messages"))
    return { type: "message", model, content: [{ type: "text", text: said }], usage: ANTHROPIC_USAGE };
  if (url.startsWith("/v1/responses/input_tokens"))
    return { object: "response.input_tokens", input_tokens: 44 };
  if (url.startsWith("/v1/responses")) return { object: "response", model, usage: RESPONSES_USAGE };
  if (url.startsWith("/v1/models")) return { object: "list", data: [{ id: "gpt-5" }] };
  return { model, choices: [{ message: { content: said }, finish_reason: "stop" }], usage: CHAT_USAGE };
}

/** A model provider for tests: OpenAI's, Anthropic's and Google's endpoints, streaming or not, with faults on demand. */
export async function startModelServer(): Promise<ModelServer> {
  const calls: SeenCall[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    const aborted = new Promise<void>((resolve) =>
      response.on("close", () => {
        if (!response.writableFinished) resolve();
      }),
    );
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("error", () => {});
    request.on("end", () => {
      const { method = "GET", url = "/", headers, rawHeaders } = request;
      const body = Buffer.concat(parts);
      calls.push({ method, url, headers, rawHeaders, body, aborted });
      void answer(mock, { url, body }, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const mock: ModelServer = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    fault: null,
    streamUsage: true,
    answerText: "hi",
    gzip: false,
    chunkMs: 0,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return mock;
}

async function answer(
  mock: ModelServer,
  call: { readonly url: string; readonly body: Buffer },
  response: ServerResponse,
): Promise<void> {
  const { fault } = mock;
  if (fault?.kind === "silent") return;
  if (fault?.kind === "reset") return void response.destroy();
  const json = { "content-type": "application/json", "x-request-id": "req_upstream" };
  if (fault?.kind === "status") {
    response.writeHead(fault.status, { ...json, "retry-after": "7" });
    response.end('{"error":  {"message":"upstream says no"}}');
    return;
  }
  const asked = parse(call.body);
  const model = asked.model ?? "unknown-model";
  if (asked.stream !== true && !call.url.includes(":streamGenerateContent")) {
    const text = JSON.stringify(
      call.url === "/v1/embeddings"
        ? embeddingsOf(model, asked.input as readonly string[])
        : documentOf(call.url, model, mock.answerText),
    );
    response.writeHead(200, mock.gzip ? { ...json, "content-encoding": "gzip" } : json);
    response.end(mock.gzip ? gzipSync(text) : text);
    return;
  }
  const chunks = chunksOf(call.url, model, mock.streamUsage);
  response.writeHead(200, {
    "content-type": "text/event-stream",
    ...(mock.gzip ? { "content-encoding": "gzip" } : {}),
  });
  if (mock.gzip) return void response.end(gzipSync(chunks.join("")));
  const upTo = fault === null ? chunks.length : 2;
  for (const chunk of chunks.slice(0, upTo)) {
    response.write(chunk);
    if (mock.chunkMs > 0) await systemClock.sleep(mock.chunkMs);
  }
  if (fault?.kind === "stall") return;
  if (fault?.kind === "cut") response.write("data: {", () => response.destroy());
  else response.end();
}

function parse(body: Buffer): { model?: string; stream?: boolean; input?: unknown } {
  return body.length === 0 ? {} : (JSON.parse(body.toString("utf8")) as ReturnType<typeof parse>);
}

/** Bytes that a whole stream of the endpoint has. */
export function streamText(url: string, model: string, streamUsage = true): string {
  return chunksOf(url, model, streamUsage).join("");
}
