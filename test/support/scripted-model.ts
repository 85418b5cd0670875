import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { LLMock, type ChatCompletionRequest, type FixtureResponse } from "@copilotkit/aimock";
import { z } from "zod";

/** What the model "decides", in order: one action per request that offers tools. */
export type ModelAction =
  | { readonly shell: string }
  /** A tool of our MCP server. */
  | { readonly mcp: string; readonly args: Readonly<Record<string, unknown>> }
  | { readonly say: string };

export interface ScriptedModel {
  /** Without `/v1`. Answers the protocols of OpenAI, Anthropic and Google. */
  readonly url: string;
  /** Names of the tools that the agent offered last. */
  offeredTools(): readonly string[];
  /** Paths asked for, with the status of each answer. */
  requests(): readonly string[];
  close(): Promise<void>;
}

const SHELL_TOOLS = ["Bash", "bash", "exec_command", "shell_command", "shell", "run_shell_command"];

/** Where a conversation stands: the last prompt of ours, and how many tools have answered since. */
export interface Situation {
  readonly prompt: string;
  readonly toolResults: number;
}

/** Actions in the order of the requests, or by where the conversation stands, whatever else the agent asks in between. */
export type Script = readonly ModelAction[] | ((situation: Situation) => ModelAction);

/** Tokens that every answer claims to have used. */
export const SCRIPTED_USAGE = { input: 1_200, output: 40 } as const;
const USAGE = {
  prompt_tokens: SCRIPTED_USAGE.input,
  completion_tokens: SCRIPTED_USAGE.output,
  total_tokens: SCRIPTED_USAGE.input + SCRIPTED_USAGE.output,
  input_tokens: SCRIPTED_USAGE.input,
  output_tokens: SCRIPTED_USAGE.output,
};

function situationOf({ messages }: ChatCompletionRequest): Situation {
  const texts = messages.map(({ content }) =>
    typeof content === "string" ? content : JSON.stringify(content),
  );
  const last = messages.findLastIndex(
    ({ role }, index) => role === "user" && /Role: \w+/.test(texts[index] ?? ""),
  );
  return {
    prompt: texts[last] ?? "",
    toolResults: messages.slice(last + 1).filter(({ role }) => role === "tool").length,
  };
}

/** A mock model server that carries out a script, whichever coding agent asks: it finds the agent's own name for a tool. */
export async function startScriptedModel(script: Script): Promise<ScriptedModel> {
  const actions = typeof script === "function" ? [] : [...script];
  let offered: string[] = [];
  const mock = new LLMock({ port: 0, logLevel: "silent" });
  mock.on({ predicate: () => true }, (request: ChatCompletionRequest): FixtureResponse => {
    const tools = request.tools ?? [];
    const names = tools.map((tool) => tool.function.name);
    if (!names.some((name) => SHELL_TOOLS.includes(name))) return { content: "A task" };
    offered = names;
    const action =
      typeof script === "function"
        ? script(situationOf(request))
        : (actions.shift() ?? { say: "Nothing is left to do." });
    return { ...respond(action, tools), usage: USAGE };
  });
  await mock.start();
  const front = await startFront(mock.url);
  return {
    url: front.url,
    offeredTools: () => offered,
    requests: () =>
      mock.getRequests().map((entry) => `${entry.method} ${entry.path} ${entry.response.status}`),
    close: async () => {
      front.server.closeAllConnections();
      front.server.close();
      await mock.stop();
    },
  };
}

function respond(action: ModelAction, tools: NonNullable<ChatCompletionRequest["tools"]>): FixtureResponse {
  if ("say" in action) return { content: action.say };
  if ("mcp" in action) {
    const tool = tools.find(({ function: { name } }) => name.endsWith(action.mcp));
    if (tool === undefined) return { content: `I was not offered ${action.mcp}.` };
    return { toolCalls: [{ name: tool.function.name, arguments: JSON.stringify(action.args) }] };
  }
  const shell = tools.find(({ function: { name } }) => SHELL_TOOLS.includes(name));
  const name = shell?.function.name ?? "shell";
  return {
    toolCalls: [
      { name, arguments: JSON.stringify(shellArguments(shell?.function.parameters, action.shell)) },
    ],
  };
}

/** Agents differ in what they call the command and whether it is a list of words. */
function shellArguments(parameters: object | undefined, command: string): Record<string, unknown> {
  const properties =
    parameters !== undefined && "properties" in parameters && typeof parameters.properties === "object"
      ? (parameters.properties as Record<string, { readonly type?: string }>)
      : {};
  const args: Record<string, unknown> = {};
  if (properties["cmd"] !== undefined) args["cmd"] = command;
  else args["command"] = properties["command"]?.type === "array" ? ["/bin/sh", "-c", command] : command;
  if (properties["description"] !== undefined) args["description"] = "Runs a command";
  return args;
}

const namespacedTools = z.looseObject({
  tools: z.array(
    z.looseObject({
      type: z.string(),
      name: z.string().optional(),
      tools: z.array(z.looseObject({ name: z.string() })).optional(),
    }),
  ),
});

/** Codex offers MCP tools in namespaces, which the mock server does not know: they become plain functions on the way there, and calls of them get their namespace back. */
async function startFront(target: string): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString("utf8");
      const answer = await fetch(target + (request.url ?? "/"), {
        method: request.method ?? "POST",
        headers: Object.entries(request.headers).flatMap(([name, value]) =>
          typeof value === "string" && !["host", "connection", "content-length"].includes(name)
            ? [[name, value] as [string, string]]
            : [],
        ),
        ...(body === "" ? {} : { body: flattenNamespaces(body) }),
      });
      const text = await answer.text();
      response.writeHead(answer.status, {
        "content-type": answer.headers.get("content-type") ?? "text/plain",
      });
      response.end(
        text
          .replace(/"name":"([\w-]+)\.([\w-]+)"/g, '"name":"$2","namespace":"$1"')
          // Gemini itself says STOP where it calls a function.
          .replace(/"finishReason":"FUNCTION_CALL"/g, '"finishReason":"STOP"'),
      );
    })().catch((error: unknown) =>
      response.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, server };
}

function flattenNamespaces(body: string): string {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return body;
  }
  const parsed = namespacedTools.safeParse(value);
  if (!parsed.success || !parsed.data.tools.some((tool) => tool.type === "namespace")) return body;
  const tools = parsed.data.tools.flatMap((tool) =>
    tool.type === "namespace"
      ? (tool.tools ?? []).map((inner) => ({
          ...inner,
          type: "function",
          name: `${tool.name ?? ""}.${inner.name}`,
        }))
      : [tool],
  );
  return JSON.stringify({ ...parsed.data, tools });
}
