import type { FastifyInstance } from "fastify";
import { acceptHandover } from "../agents/index.ts";
import { createApiServer, createHostsPlugin } from "../api/index.ts";
import { followGateway } from "../gateway/index.ts";
import { readLogs } from "../logs/index.ts";
import { createMcpPlugin, VERDICTS } from "../messages/index.ts";
import { ADMIN_PERMISSIONS, createSessions } from "../security/index.ts";
import { createChatHandlers } from "./chat-handlers.ts";
import { createDeadLetterHandlers } from "./dead-letter-handlers.ts";
import { createGatewayHandlers } from "./gateway-handlers.ts";
import { createHandlers } from "./handlers.ts";
import { createMetrics } from "./metrics.ts";
import type { ControlPlaneParams, Parts } from "./parts.ts";
import { createRunPorts } from "./run-ports.ts";
import { sampleName, startSample, type SampleParams } from "./sample.ts";

interface ServerParams extends Pick<
  ControlPlaneParams,
  "home" | "settings" | "installation" | "log" | "onShutDown"
> {
  readonly parts: Parts;
  readonly sample: SampleParams;
  /** Resolves when requests can be served. */
  readonly opened: Promise<void>;
}

/** The HTTP server over the parts: API, console, gateway, tools of agents, agent hosts. It does not listen yet. */
export async function createServer(params: Readonly<ServerParams>): Promise<FastifyInstance> {
  const { home, settings, installation, log, parts, sample } = params;
  const { clock, random, port, domain, services, gateway, desk, reads, status, chat, github } = parts;
  const { database } = domain;
  const sessions = createSessions({ database, random, clock });
  const createLoginLink = async (): Promise<{ url: string; expiresAt: Date }> => {
    const { code, expiresAt } = await sessions.createLoginCode({
      name: "browser",
      permissions: ADMIN_PERMISSIONS,
    });
    return { url: `http://localhost:${port}/login#${code}`, expiresAt };
  };
  const metrics = createMetrics({ domain, agents: desk, gitHubUsage: github?.usage ?? null });
  return createApiServer({
    handlers: {
      ...createHandlers({
        domain,
        reads,
        agents: desk,
        status,
        clock,
        home,
        startDemo: (profile) => startSample(sample, { name: sampleName(sample), profile }),
        createLoginLink,
        shutDown: params.onShutDown,
      }),
      ...createGatewayHandlers({ gateway, settings: parts.gatewaySettings.current, database, clock }),
      ...createChatHandlers(chat),
      ...createDeadLetterHandlers(parts.deadLetters),
      listLogs: ({ query }) =>
        readLogs(database, {
          taskId: query.task,
          slot: query.agent,
          since: query.since === undefined ? undefined : new Date(query.since),
          cursor: query.cursor,
          limit: query.limit,
        }),
    },
    streams: {
      database,
      notifier: domain.notifier,
      screen: desk.screen,
      chat: { feed: chat.feed, requireThread: chat.require },
      followGateway: (handler) => followGateway(domain.notifier, handler),
      clock,
      log,
    },
    chatFile: chat.attachment,
    sessions,
    cliToken: parts.cliToken,
    hosts: settings.hosts,
    ...(settings.chat.port === null
      ? {}
      : { portAliases: new Map([[String(settings.chat.port), String(port)]]) }),
    webDir: installation.webDir,
    version: installation.version,
    plugins: [
      gateway.plugin,
      createMcpPlugin({
        version: installation.version,
        database,
        mailboxes: domain.mailboxes,
        questions: domain.questions,
        log,
        runs: createRunPorts({ domain, hub: services.hub, verdicts: VERDICTS }),
      }),
      createHostsPlugin({
        hub: services.hub,
        hostToken: parts.hostToken,
        maxHandoverBytes: settings.limits.handoverBytes,
        acceptHandover: (run, body) =>
          acceptHandover(
            {
              database,
              git: domain.git,
              home,
              random,
              work: domain.work,
              maxBytes: settings.limits.handoverBytes,
            },
            run,
            body,
          ),
      }),
    ],
    health: async () => {
      const components = await status.health();
      return {
        ok: components.every((one) => one.state !== "down"),
        body: {
          status: components.every((one) => one.state === "ok") ? "ok" : "degraded",
          version: installation.version,
          components,
        },
      };
    },
    metrics: async () => (await Promise.all([metrics(), gateway.metrics()])).join("\n"),
    log,
    opened: params.opened,
  });
}
