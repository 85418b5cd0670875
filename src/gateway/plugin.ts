import type {} from "@fastify/swagger";
import type { FastifyContextConfig, FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { dialectError } from "./dialect.ts";
import { ENDPOINTS, GEMINI_PATH, geminiEndpoint, MODELS_ENDPOINTS, type Endpoint } from "./endpoints.ts";

/** What a request asks for, as far as its path says so. */
export interface Asked {
  readonly endpoint: Endpoint;
  /** Where the path names it. */
  readonly model: string | null;
  readonly operation: string | null;
  /** What follows `/models/`; null: nothing. */
  readonly rest: string | null;
}

/** Who may call a route; the server checks that every route says so. */
type RouteAccess = FastifyContextConfig & { readonly permission: "run-key" | "public" };
const RUN_KEY: RouteAccess = { permission: "run-key" };
const PUBLIC: RouteAccess = { permission: "public" };

type Handle = (asked: Asked, request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/** Registers the gateway's endpoints on a server. */
export function createPlugin(handle: Handle): FastifyPluginAsync {
  const restOf = (request: FastifyRequest): string | null =>
    (request.params as { readonly "*"?: string })["*"] ?? null;
  return async (server) => {
    // Bodies stay bytes: they are passed on as they are, and their size is limited while they are read.
    server.removeAllContentTypeParsers();
    server.addContentTypeParser("*", (_request, _payload, done) => done(null));
    const route = {
      exposeHeadRoute: false,
      schema: { hide: true },
      config: RUN_KEY,
    } as const;
    for (const endpoint of [...ENDPOINTS, ...MODELS_ENDPOINTS])
      server.route({
        ...route,
        method: endpoint.method,
        url: endpoint.path,
        handler: (request, reply) =>
          handle({ endpoint, model: null, operation: null, rest: restOf(request) }, request, reply),
      });
    server.route({
      ...route,
      method: "POST",
      url: GEMINI_PATH,
      handler: async (request, reply) => {
        const rest = restOf(request) ?? "";
        const target = geminiEndpoint(rest);
        if (target !== null) return handle({ ...target, rest }, request, reply);
        const answer = dialectError(
          "google",
          "not_supported",
          `There is no operation "${rest.slice(0, 200)}".`,
        );
        return reply.code(404).headers(answer.headers).send(answer.body);
      },
    });
    // Claude Code asks for this before its first call.
    server.route({
      method: ["GET", "HEAD"],
      url: "/api/hello",
      schema: { hide: true },
      config: PUBLIC,
      handler: (_request, reply) => reply.send({ message: "hello" }),
    });
    // Codex tries a WebSocket first. Answered in a hook, because a WebSocket plugin replaces the handler.
    server.route({
      method: "GET",
      url: "/v1/responses",
      exposeHeadRoute: false,
      schema: { hide: true },
      config: PUBLIC,
      onRequest: async (_request, reply) => {
        const answer = dialectError("openai", "websocket", "Responses are streamed over HTTP only.");
        await reply.code(answer.status).headers(answer.headers).send(answer.body);
      },
      handler: () => undefined,
    });
  };
}
