import type {} from "@fastify/swagger";
import type { FastifyContextConfig, FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import type { Dispatcher } from "undici";
import type { Clock, Log, Random, Service } from "../base/index.ts";
import type { Database } from "../store/index.ts";
import { logCall } from "./call-log.ts";
import { dialectError, type Dialect, type Refusal } from "./dialect.ts";
import { ENDPOINTS, type Endpoint } from "./endpoints.ts";
import { callerKeys, requestHeaders } from "./headers.ts";
import { insertCalls, sumCost, type CostSum, type ModelCall } from "./ledger-store.ts";
import { createLedgerWriter } from "./ledger-writer.ts";
import { costOfUsage } from "./price.ts";
import { chooseProvider, providerPath, type Provider, type ReadSecret } from "./provider.ts";
import { relay, type RelayResult } from "./relay.ts";
import { modelOf, readRequestBody } from "./request-body.ts";
import type { GatewaySettings } from "./settings.ts";
import { createUpstreams } from "./upstreams.ts";
import { createTap } from "./usage/tap.ts";
import { UNKNOWN_USAGE } from "./usage/usage.ts";

/** Whom a run key stands for. */
export interface GatewayCaller {
  readonly runId: string;
  readonly taskId: string;
}

export interface GatewayParams {
  /** Asked for every call, so that a reload takes effect at once. */
  readonly settings: () => GatewaySettings;
  readonly readSecret: ReadSecret;
  /** The run that a key belongs to; null where the key is unknown or its attempt is over. */
  readonly identifyRun: (token: string) => Promise<GatewayCaller | null>;
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Gets one line per call; its name is `REQUEST_LOGGER`. */
  readonly requestLog: Log;
}

export interface Gateway extends Service {
  /** Registers the endpoints, each with `config.permission`: `run-key` (checked here) or `public`. */
  readonly plugin: FastifyPluginAsync;
  /** Cost of a task or a run so far, calls that have just ended included. */
  costOf(of: { readonly taskId: string } | { readonly runId: string }): Promise<CostSum>;
  /** Cost of all calls that began at or after an instant. */
  costSince(since: Date): Promise<CostSum>;
}

interface Call {
  readonly id: string;
  readonly endpoint: Endpoint;
  readonly dialect: Dialect;
  readonly startedAt: Date;
  readonly startedMs: number;
  readonly caller: GatewayCaller;
  readonly provider: Provider;
}

/** The gateway: every model call of an agent goes through it, so that no agent holds a key and each cost is known. */
export function createGateway(params: Readonly<GatewayParams>): Gateway {
  const { clock } = params;
  const upstreams = createUpstreams();
  const ledger = createLedgerWriter({
    insert: (calls) => insertCalls(params.database, calls),
    clock,
    random: params.random,
    log: params.log,
  });
  const open = new Set<Promise<void>>();

  const identify = async (request: FastifyRequest): Promise<GatewayCaller | null> => {
    for (const key of callerKeys(request.headers)) {
      const caller = await params.identifyRun(key);
      if (caller !== null) return caller;
    }
    return null;
  };

  const refuse = (reply: FastifyReply, dialect: Dialect, refusal: Refusal, message: string): void => {
    const answer = dialectError(dialect, refusal, message);
    params.log.warn({ refusal, status: answer.status }, message);
    // The rest of a body that nobody wants is read and dropped, so that the caller gets to see the answer.
    reply.raw.req.resume();
    reply.raw.writeHead(answer.status, answer.headers).end(answer.body);
  };

  const serve = async (endpoint: Endpoint, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const dialect = endpoint.dialect(request.headers);
    const settings = params.settings();
    const caller = await identify(request);
    if (caller === null)
      return refuse(
        reply,
        dialect,
        "unauthenticated",
        "The key is unknown, or the run it belonged to is over.",
      );
    const choice = chooseProvider(dialect, settings, params.readSecret);
    if (choice.state === "missing") return refuse(reply, dialect, "not_configured", choice.message);
    if (!ledger.hasRoom())
      return refuse(reply, dialect, "ledger_unavailable", "The ledger cannot be written; no call is made.");
    const call: Call = {
      id: params.random.uuid(),
      endpoint,
      dialect,
      startedAt: clock.now(),
      startedMs: clock.monotonicMs(),
      caller,
      provider: choice.provider,
    };
    const read = await readRequestBody(request.raw, settings.maxBodyBytes);
    if (read.outcome === "aborted") return;
    if (read.outcome === "too_large")
      return refuse(
        reply,
        dialect,
        "too_large",
        `The request is larger than ${settings.maxBodyBytes} bytes (gateway.maxBodyBytes).`,
      );
    const model = endpoint.method === "POST" ? modelOf(read.body) : null;
    const dispatcher = await upstreams.open(choice.provider.origin, settings.timeouts);
    const result = await pass(call, request, reply, dispatcher, read.body, settings.timeouts.totalMs);
    if (endpoint.method === "POST") await record(call, model, result);
  };

  const pass = (
    call: Call,
    request: FastifyRequest,
    reply: FastifyReply,
    dispatcher: Dispatcher,
    body: Buffer,
    totalMs: number,
  ): Promise<RelayResult> =>
    relay({
      dispatcher,
      provider: call.provider.name,
      dialect: call.dialect,
      method: call.endpoint.method,
      path: providerPath(call.provider, request.raw.url ?? call.endpoint.path),
      headers: requestHeaders(request.raw.rawHeaders, request.headers.connection, call.provider.headers),
      body: call.endpoint.method === "POST" ? body : null,
      response: reply.raw,
      createTap: (status, headers) => createTap({ usage: call.endpoint.usage, status, headers }),
      totalMs,
      clock,
    });

  const record = async (call: Call, asked: string | null, result: RelayResult): Promise<void> => {
    const totalMs = clock.monotonicMs() - call.startedMs;
    const free = isFree(call, result);
    const usage = result.observation?.usage ?? UNKNOWN_USAGE;
    const model = result.observation?.model ?? asked;
    const cost = free
      ? null
      : await costOfUsage({
          model,
          usage,
          priceProvider: call.provider.settings.priceProvider,
          baseUrl: call.provider.settings.baseUrl,
          dialectProvider: call.dialect,
          at: call.startedAt,
        });
    const row: ModelCall = {
      id: call.id,
      runId: call.caller.runId,
      taskId: call.caller.taskId,
      provider: call.provider.name,
      endpoint: call.endpoint.name,
      model,
      status: result.status,
      usage,
      usageComplete: free || result.observation?.complete === true,
      price: cost?.price ?? null,
      costMicros: free ? 0 : (cost?.micros ?? null),
      firstByteMs: result.firstByteMs,
      totalMs,
      outcome: result.outcome,
      error: result.error,
      startedAt: call.startedAt,
    };
    ledger.add(row);
    logCall(params.requestLog, row);
  };

  const handle = (endpoint: Endpoint) => async (request: FastifyRequest, reply: FastifyReply) => {
    reply.hijack();
    const work = serve(endpoint, request, reply).catch((error: unknown) => {
      params.log.error({ error: String(error), endpoint: endpoint.name }, "gateway call failed");
      if (reply.raw.headersSent) reply.raw.destroy();
      else refuse(reply, endpoint.dialect(request.headers), "upstream_failed", "The gateway failed.");
    });
    open.add(work);
    await work.finally(() => open.delete(work));
  };

  return {
    name: "gateway",
    plugin: createPlugin(handle),
    costOf: async (of) => {
      await ledger.flushed();
      return sumCost(params.database, of);
    },
    costSince: async (since) => {
      await ledger.flushed();
      return sumCost(params.database, { since });
    },
    start: () => Promise.resolve(),
    stop: async () => {
      await upstreams.close();
      await Promise.all(open);
      await ledger.stop();
    },
  };
}

/** Whether a call costs nothing for sure: it has no usage, was rejected, or never reached the provider. */
function isFree(call: Call, result: RelayResult): boolean {
  return call.endpoint.usage === "none" || result.outcome === "rejected" || !result.sent;
}

/** Who may call a route; the server checks that every route says so. */
type RouteAccess = FastifyContextConfig & { readonly permission: "run-key" | "public" };
const RUN_KEY: RouteAccess = { permission: "run-key" };
const PUBLIC: RouteAccess = { permission: "public" };

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

function createPlugin(handle: (endpoint: Endpoint) => Handler): FastifyPluginAsync {
  return async (server) => {
    // Bodies stay bytes: they are passed on as they are, and their size is limited while they are read.
    server.removeAllContentTypeParsers();
    server.addContentTypeParser("*", (_request, _payload, done) => done(null));
    for (const endpoint of ENDPOINTS)
      server.route({
        method: endpoint.method,
        url: endpoint.path,
        exposeHeadRoute: false,
        schema: { hide: true },
        config: RUN_KEY,
        handler: handle(endpoint),
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
