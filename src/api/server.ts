import fastifyStatic from "@fastify/static";
import fastifyWebsocket from "@fastify/websocket";
import Fastify, {
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";
import { AppError, type Log } from "../base/index.ts";
import { LOGIN_PATH, LOGOUT_PATH, loginBody } from "../contract/index.ts";
import type { Sessions } from "../security/index.ts";
import { guardRoutes, type Access } from "./access.ts";
import { registerChatFiles, type ReadChatFile } from "./chat-files.ts";
import { registerConsole } from "./console-files.ts";
import { registerDocs } from "./docs.ts";
import { createFirstAnswers } from "./first-answers.ts";
import { measureHttp } from "./http-metrics.ts";
import { sendProblem } from "./problem.ts";
import { registerRoutes, type Handlers } from "./register.ts";
import { registerStreams, type StreamParams, type Streams } from "./streams.ts";

export interface ApiServerParams {
  readonly handlers: Handlers;
  readonly streams: StreamParams;
  readonly chatFile: ReadChatFile;
  readonly sessions: Pick<Sessions, "identify" | "redeem" | "end">;
  /** Of `<home>/run/token`; may do everything. */
  readonly cliToken: string;
  /** Names beside localhost under which the server may be addressed, without ports. */
  readonly hosts: readonly string[];
  /** Further ports and the port whose cookie they share. */
  readonly portAliases?: ReadonlyMap<string, string>;
  /** Directory of the built console; it may appear later. */
  readonly webDir: string;
  readonly version: string;
  /** Gateway, MCP and agent hosts: their routes name their permission as all others do. */
  readonly plugins: readonly FastifyPluginAsync[];
  /** For `/healthz`; `ok` decides between 200 and 503. */
  readonly health: () => Promise<{ readonly ok: boolean; readonly body: unknown }>;
  /** Prometheus text of everything but HTTP. */
  readonly metrics: () => Promise<string>;
  readonly log: Log;
  /** Resolves when requests can be served; until then they wait. */
  readonly opened: Promise<void>;
  /** Compare every answer with the contract. Default false; tests set it. */
  readonly checkAnswers?: boolean;
}

const SECURITY_HEADERS = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    // Components set their sizes and colours in style elements.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "worker-src 'self' blob:",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; "),
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;

/** The HTTP server of console, API, event streams, gateway and agent hosts. It listens when `listen` says so. */
export async function createApiServer(params: Readonly<ApiServerParams>): Promise<FastifyInstance> {
  const fastify = Fastify({
    bodyLimit: 1024 * 1024,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 200 },
    // A path that cannot be read meets no route, and with it no hook.
    frameworkErrors: (error, _request, reply) => {
      void sendProblem(reply.headers(SECURITY_HEADERS), error, params.log);
    },
  });
  fastify.setErrorHandler((error, _request, reply) => sendProblem(reply, error, params.log));
  acceptJsonOnly(fastify);
  // The port is taken before the rest starts: who comes in between waits for a moment instead of being refused. No promise
  // where there is nothing to wait for: calls of models come by the thousand.
  let waiting: (() => void)[] | null = [];
  const open = async (): Promise<void> => {
    await params.opened;
    const all = waiting ?? [];
    waiting = null;
    for (const goOn of all) goOn();
  };
  void open();
  fastify.addHook("onRequest", (_request, reply, done) => {
    reply.headers(SECURITY_HEADERS);
    if (waiting === null) done();
    else waiting.push(done);
  });
  const httpMetrics = measureHttp(fastify);
  // Before the guard: it ends the connection of an upgrade that is refused, but only if its hook ran first.
  await fastify.register(fastifyWebsocket, { options: { maxPayload: 16 * 1024 * 1024 } });
  const access = guardRoutes(fastify, params);
  await fastify.register(fastifyStatic, { serve: false, root: params.webDir });

  registerConsole(fastify, params.webDir);
  for (const plugin of params.plugins) await fastify.register(plugin);
  registerRoutes(fastify, {
    access,
    handlers: params.handlers,
    firstAnswers: createFirstAnswers(params.streams.database),
    checkAnswers: params.checkAnswers ?? false,
  });
  const streams = registerStreams(fastify, params.streams, access);
  registerChatFiles(fastify, { access, read: params.chatFile });
  registerDocs(fastify, params.version);
  registerLogin(fastify, { sessions: params.sessions, access, streams });
  fastify.get("/healthz", { config: { permission: "public" } }, async (_request, reply) => {
    const { ok, body } = await params.health();
    return reply
      .code(ok ? 200 : 503)
      .header("cache-control", "no-store")
      .send(body);
  });
  fastify.get("/metrics", { config: { permission: "view" } }, async (_request, reply) => {
    const texts = await Promise.all([params.metrics(), httpMetrics()]);
    return reply.type("text/plain; version=0.0.4; charset=utf-8").send(texts.join("\n"));
  });
  return fastify;
}

/** Pages elsewhere may send text without asking first, but not JSON; an empty body is none. */
function acceptJsonOnly(fastify: FastifyInstance): void {
  const parse = fastify.getDefaultJsonParser("error", "error");
  fastify.removeContentTypeParser(["text/plain", "application/json"]);
  fastify.addContentTypeParser<string>("application/json", { parseAs: "string" }, (request, body, done) => {
    if (body.trim() === "") return done(null, undefined);
    return parse(request, body, done);
  });
}

interface LoginParams {
  readonly sessions: Pick<Sessions, "redeem" | "end">;
  readonly access: Pick<Access, "cookieName" | "sessionOf">;
  readonly streams: Streams;
}

/** Exchanges a login link's code for the cookie, and ends it again. The code is repeated in no answer and no log. */
function registerLogin(fastify: FastifyInstance, { sessions, access, streams }: Readonly<LoginParams>): void {
  const setCookie = (request: FastifyRequest, reply: FastifyReply, token: string, expires: Date): void => {
    const cookie = `${access.cookieName(request)}=${token}; Path=/; HttpOnly; SameSite=Strict; Expires=${expires.toUTCString()}`;
    reply
      .header("set-cookie", request.protocol === "https" ? `${cookie}; Secure` : cookie)
      .header("cache-control", "no-store");
  };
  fastify.post(LOGIN_PATH, { config: { permission: "public" } }, async (request, reply) => {
    const body = loginBody.safeParse(request.body);
    if (!body.success)
      throw new AppError({
        code: "input.invalid",
        message: "code: the login link is not complete.",
        fix: "miyabi login",
        details: { field: "code" },
      });
    const { token, expiresAt } = await sessions.redeem(body.data.code);
    setCookie(request, reply, token, expiresAt);
    return reply.send({ signedIn: true });
  });
  fastify.post(LOGOUT_PATH, { config: { permission: "view" } }, async (request, reply) => {
    const token = access.sessionOf(request);
    if (token !== null) await sessions.end(token);
    streams.recheck();
    setCookie(request, reply, "", new Date(0));
    return reply.send({ signedIn: false });
  });
}
