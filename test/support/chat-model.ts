import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { systemClock } from "../../src/base/index.ts";

export interface AskedMessage {
  readonly role: string;
  readonly content: string | readonly { readonly type: string; readonly text?: string }[];
}

export interface AskedCall {
  readonly model: string;
  readonly messages: readonly AskedMessage[];
  readonly stream?: boolean;
  /** Resolves when the caller went away before the end. */
  readonly aborted: Promise<void>;
  /** Resolves when its connection is over, whoever ended it. */
  readonly ended: Promise<void>;
}

/** What it answers: pieces, sent one after another; `hold` waits before the rest until `release`. */
export type Reply = readonly string[] | { readonly status: number; readonly message: string };

export interface ChatModel {
  readonly origin: string;
  readonly calls: readonly AskedCall[];
  /** Pause between two pieces, ms. */
  pieceMs: number;
  reply: (call: AskedCall) => Reply;
  /** Number of pieces after which every answer waits for `release`; null: none waits. */
  holdAfter: number | null;
  release(): void;
  close(): Promise<void>;
}

/** A provider of `/v1/chat/completions` that says what a test wants, as slowly as it wants. */
export async function startChatModel(): Promise<ChatModel> {
  const calls: AskedCall[] = [];
  let waiting: (() => void)[] = [];
  const server = createServer((request, response) => {
    if (request.method === "GET") {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ object: "list", data: [{ id: "gpt-5", object: "model" }] }));
      return;
    }
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("error", () => {});
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(parts).toString("utf8")) as Omit<AskedCall, "aborted" | "ended">;
      const aborted = new Promise<void>((resolve) =>
        response.on("close", () => {
          if (!response.writableFinished) resolve();
        }),
      );
      const ended = new Promise<void>((resolve) => response.on("close", resolve));
      const call = { ...body, aborted, ended };
      calls.push(call);
      void answer(call, response);
    });
  });

  const answer = async (call: AskedCall, response: ServerResponse): Promise<void> => {
    const reply = model.reply(call);
    if ("status" in reply) {
      response.writeHead(reply.status, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: { message: reply.message, type: "server_error" } }));
      return;
    }
    const usage = { prompt_tokens: 12, completion_tokens: reply.length, total_tokens: 12 + reply.length };
    if (call.stream !== true) {
      if (model.holdAfter !== null) await new Promise<void>((resolve) => waiting.push(resolve));
      const choices = [
        { index: 0, message: { role: "assistant", content: reply.join("") }, finish_reason: "stop" },
      ];
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ object: "chat.completion", model: call.model, choices, usage }));
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    const send = (choices: readonly object[], sum: object | null): void =>
      void response.write(`data: ${JSON.stringify({ model: call.model, choices, usage: sum })}\n\n`);
    for (const [index, content] of reply.entries()) {
      if (index === model.holdAfter) await new Promise<void>((resolve) => waiting.push(resolve));
      send([{ index: 0, delta: { content }, finish_reason: null }], null);
      if (model.pieceMs > 0) await systemClock.sleep(model.pieceMs);
    }
    send([{ index: 0, delta: {}, finish_reason: "stop" }], null);
    send([], usage);
    response.end("data: [DONE]\n\n");
  };

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const model: ChatModel = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    pieceMs: 0,
    reply: () => ["Hello", " there."],
    holdAfter: null,
    release: () => {
      model.holdAfter = null;
      for (const resolve of waiting) resolve();
      waiting = [];
    },
    close: async () => {
      model.release();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return model;
}
