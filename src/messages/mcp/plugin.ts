import type { FastifyContextConfig, FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import type {} from "@fastify/swagger";
import { messageOf } from "../../base/index.ts";
import type { RunIdentity } from "../../tasks/index.ts";
import { toWebRequest, writeWebResponse } from "./http-bridge.ts";
import { registerTools, type ToolParams } from "./tools.ts";

/** Path of the MCP server; agents get the full URL from their host. */
export const MCP_PATH = "/mcp";

export interface McpPluginParams extends Omit<ToolParams, "askWaitMs" | "progressMs"> {
  /** Version that the server names. */
  readonly version: string;
  /** Default 45 s: below the 60 s after which common clients give up. */
  readonly askWaitMs?: number;
  /** Default 10 s. */
  readonly progressMs?: number;
}

const ACCESS: FastifyContextConfig & { readonly permission: "run-key" } = { permission: "run-key" };
const LARGEST_BODY_BYTES = 1024 * 1024;
const MOST_REMEMBERED_RUNS = 10_000;

const INSTRUCTIONS =
  "Tools of Miyabi Orchestra, which gave you this task. Report your result with report_result before you end; " +
  "without it the run counts as failed.";

/**
 * The MCP server for agents over streamable HTTP, for old and new protocol versions. The bearer token is the run; every
 * request stands alone, so a restarted control plane serves the same clients on.
 */
export function createMcpPlugin(params: Readonly<McpPluginParams>): FastifyPluginAsync {
  const tools: ToolParams = {
    ...params,
    askWaitMs: params.askWaitMs ?? 45_000,
    progressMs: params.progressMs ?? 10_000,
  };
  const seen = new Set<string>();

  const noteSeen = async (run: RunIdentity): Promise<void> => {
    const key = `${run.runId}:${run.attempt}`;
    if (seen.has(key)) return;
    await params.runs.mcpSeen({ runId: run.runId, attempt: run.attempt });
    // Forgetting only means that a run is noted once more.
    if (seen.size >= MOST_REMEMBERED_RUNS) seen.clear();
    seen.add(key);
  };

  const serve = async (request: FastifyRequest, reply: FastifyReply, run: RunIdentity): Promise<void> => {
    // Loaded with the first agent: it takes 10 MB.
    const { createMcpHandler, McpServer } = await import("@modelcontextprotocol/server");
    const gone = new AbortController();
    reply.raw.on("close", () => gone.abort());
    reply.raw.on("error", () => {});
    const handler = createMcpHandler(
      () => {
        const server = new McpServer(
          { name: "miyabi", version: params.version },
          { instructions: INSTRUCTIONS },
        );
        registerTools(server, tools, run, gone.signal);
        return server;
      },
      { onerror: (error) => params.log.debug({ run: run.runId, error: error.message }, "MCP request") },
    );
    const response = await handler.fetch(
      toWebRequest(request, gone.signal),
      request.body === undefined ? {} : { parsedBody: request.body },
    );
    await writeWebResponse(response, reply, gone.signal);
  };

  const handle = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | void> => {
    const token = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
    const run = token === undefined ? null : await params.runs.identifyRun(token);
    if (run === null) return unknownRun(reply, token !== undefined);
    await noteSeen(run);
    reply.hijack();
    await serve(request, reply, run).catch((error: unknown) => {
      params.log.debug({ run: run.runId, error: messageOf(error) }, "MCP exchange ended early");
      reply.raw.destroy();
    });
  };

  return async (server) => {
    server.route({
      method: ["GET", "POST", "DELETE"],
      url: MCP_PATH,
      exposeHeadRoute: false,
      bodyLimit: LARGEST_BODY_BYTES,
      schema: { hide: true },
      config: ACCESS,
      handler: handle,
    });
  };
}

/** 403, not 401: a client that sees 401 starts to look for a login instead of showing the message to its model. */
function unknownRun(reply: FastifyReply, hasToken: boolean): FastifyReply {
  const message = hasToken
    ? "This run is not yours any more: it has ended or was given to another agent. Stop working on it."
    : "The run's token is missing.";
  return reply.code(403).send({ jsonrpc: "2.0", id: null, error: { code: -32_001, message } });
}
