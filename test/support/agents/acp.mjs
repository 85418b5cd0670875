// A minimal ACP agent for tests: `serve({ onPrompt })` answers the handshake; everything else is up to the misbehaviour.
import { createInterface } from "node:readline";

export const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
export const update = (body) =>
  send({ method: "session/update", params: { sessionId: "s-1", update: body } });
export const say = (text) =>
  update({ sessionUpdate: "agent_message_chunk", content: { type: "text", text } });

const waiting = new Map();
let nextId = 1;
export const ask = (method, params) =>
  new Promise((resolve) => {
    const id = `a-${nextId++}`;
    waiting.set(id, resolve);
    send({ id, method, params });
  });

/** `handlers.onPrompt(text, answer, fail)`, `onCancel()`, `onNew(answer, fail)`, `capabilities`. */
export function serve(handlers) {
  createInterface({ input: process.stdin }).on("line", (line) => {
    const { id, method, params, result } = JSON.parse(line);
    const answer = (value) => send({ id, result: value });
    const fail = (error) => send({ id, error });
    if (method === "initialize")
      answer({
        protocolVersion: handlers.version ?? 1,
        agentCapabilities: { mcpCapabilities: { http: true }, ...handlers.capabilities },
      });
    else if (method === "session/new")
      (handlers.onNew ?? ((reply) => reply({ sessionId: "s-1" })))(answer, fail);
    else if (method === "session/load" || method === "session/resume") handlers.onLoad(answer, fail);
    else if (method === "session/prompt") handlers.onPrompt(params.prompt[0].text, answer, fail);
    else if (method === "session/cancel") handlers.onCancel?.();
    else if (method === undefined) waiting.get(id)?.(result);
  });
}
