import { existsSync } from "node:fs";
import Fastify, { type FastifyInstance, type FastifyPluginAsync } from "fastify";
import fastifyStatic from "@fastify/static";
import fastifyWebsocket from "@fastify/websocket";
import { AppError, errnoOf, type Log } from "../base/index.ts";
import { LOGIN_PATH, loginBody } from "../contract/index.ts";
import type { Sessions } from "../security/index.ts";
import { COOKIE, createAccess } from "./access.ts";
import { openApiDocument } from "./open-api.ts";
import { sendProblem } from "./problem.ts";
import { registerRoutes, type Handlers } from "./register.ts";
import { registerStreams, type StreamParams } from "./streams.ts";

export interface ApiServerParams {
  readonly handlers: Handlers;
  readonly streams: Omit<StreamParams, "access">;
  readonly sessions: Sessions;
  readonly cliToken: string;
  readonly hosts: readonly string[];
  /** Directory of the built console. */
  readonly webDir: string;
  readonly version: string;
  /** Gateway, MCP and agent hosts: they check their own keys. */
  readonly plugins: readonly FastifyPluginAsync[];
  /** `ok` decides between 200 and 503. */
  readonly health: () => Promise<{ readonly ok: boolean; readonly body: unknown }>;
  /** Prometheus text. */
  readonly metrics: () => Promise<string>;
  readonly log: Log;
}

const SECURITY_HEADERS = {
  "content-security-policy":
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
} as const;

/** The HTTP server of console, API, event stream, gateway and agent hosts. It listens when told. */
export async function createApiServer(params: Readonly<ApiServerParams>): Promise<FastifyInstance> {
  const fastify = Fastify({
    bodyLimit: 1024 * 1024,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 200 },
  });
  const access = createAccess(params);
  fastify.setErrorHandler((error, _request, reply) => sendProblem(reply, error, params.log));
  fastify.addHook("onRequest", async (request, reply) => {
    access.checkOrigin(request);
    reply.headers(SECURITY_HEADERS);
  });
  await fastify.register(fastifyWebsocket, { options: { maxPayload: 16 * 1024 * 1024 } });
  for (const plugin of params.plugins) await fastify.register(plugin);

  registerRoutes(fastify, access, params.handlers);
  registerStreams(fastify, { ...params.streams, access });
  fastify.get("/healthz", { config: { permission: "public" } }, async (_request, reply) => {
    const { ok, body } = await params.health();
    return reply.code(ok ? 200 : 503).send(body);
  });
  fastify.get("/metrics", { config: { permission: "view" } }, async (request, reply) => {
    await access.identify(request);
    return reply.type("text/plain; version=0.0.4").send(await params.metrics());
  });
  fastify.get("/api/docs/json", { config: { permission: "view" } }, async (request) => {
    await access.identify(request);
    return openApiDocument(params.version);
  });
  fastify.post(LOGIN_PATH, { config: { permission: "public" } }, async (request, reply) => {
    const body = loginBody.safeParse(request.body);
    if (!body.success)
      throw new AppError({
        code: "input.invalid",
        message: "code: the login link is incomplete.",
        fix: "miyabi login",
      });
    const { token, expiresAt } = await params.sessions.redeem(body.data.code);
    return reply
      .header(
        "set-cookie",
        `${COOKIE}=${token}; Path=/; HttpOnly; SameSite=Strict; Expires=${expiresAt.toUTCString()}`,
      )
      .send({ signedIn: true });
  });
  await registerConsole(fastify, params.webDir);
  return fastify;
}

/** Static files of the console; unknown paths of pages get its index, unknown paths of the API a problem. */
async function registerConsole(fastify: FastifyInstance, webDir: string): Promise<void> {
  const built = existsSync(webDir);
  if (built)
    await fastify.register(fastifyStatic, {
      root: webDir,
      wildcard: true,
      cacheControl: false,
      setHeaders: (reply, file) =>
        reply.header(
          "cache-control",
          file.includes("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
        ),
    });
  fastify.setNotFoundHandler((request, reply) => {
    const isPage =
      request.method === "GET" &&
      !/^\/(api|v1|mcp)\b/.test(request.url) &&
      (request.headers.accept ?? "").includes("text/html");
    if (isPage && built) return reply.header("cache-control", "no-cache").sendFile("index.html");
    if (isPage)
      return reply
        .type("text/html")
        .send(
          "<!doctype html><title>miyabi</title><p>The console is not built. Run <code>npm run build</code>.</p>",
        );
    throw new AppError({
      code: "not_found",
      message: `There is nothing at ${request.method} ${request.url.split("?")[0]}.`,
      fix: "/api/docs/json lists what there is.",
    });
  });
}

/** Listens on the loopback interface. @throws port.taken */
export async function listen(
  fastify: FastifyInstance,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  try {
    await fastify.listen({ host, port });
  } catch (error) {
    if (errnoOf(error) !== "EADDRINUSE") throw error;
    throw new AppError({
      code: "port.taken",
      message: `Port ${port} on ${host} is in use by another program.`,
      fix: `End that program (ss -ltnp 'sport = :${port}' shows it), or choose another port: --port ${port + 1}, or \`port:\` in miyabi.yaml.`,
      details: { field: "port", port },
      cause: error,
    });
  }
}
