import { onTestFinished } from "vitest";
import type { FastifyInstance, FastifyPluginAsync } from "fastify";
import { AppError, silentLog, systemClock, systemRandom } from "../base/index.ts";
import { createThreadFeed } from "../chat/thread-feed.ts";
import { readThread } from "../chat/thread-store.ts";
import { ROUTES, type RouteName } from "../contract/index.ts";
import { createSessions, type Sessions } from "../security/index.ts";
import { followGateway } from "../gateway/index.ts";
import { createNotifier, type Database, type Notifier } from "../store/index.ts";
import { createTestDatabase } from "../store/testing.ts";
import type { Handlers } from "./register.ts";
import { createApiServer } from "./server.ts";

export const CLI_TOKEN = "cli-token-for-tests";
export const AS_CLI = { host: "localhost:8000", authorization: `Bearer ${CLI_TOKEN}` } as const;

export interface ApiFixture {
  readonly server: FastifyInstance;
  readonly database: Database;
  readonly notifier: Notifier;
  readonly sessions: Sessions;
}

interface FixtureParams {
  readonly handlers?: Partial<Handlers>;
  readonly plugins?: readonly FastifyPluginAsync[];
  readonly webDir?: string;
  readonly hosts?: readonly string[];
  readonly healthy?: () => boolean;
  readonly opened?: Promise<void>;
}

/** A server over a fresh database; it does not listen. Handlers that are not given refuse with `conflict.state`. */
export async function createApiFixture(params: Readonly<FixtureParams> = {}): Promise<ApiFixture> {
  const { database, connectionUrl } = await createTestDatabase();
  const deps = { log: silentLog, clock: systemClock, random: systemRandom };
  const notifier = createNotifier({ ...deps, connectionUrl });
  await notifier.start();
  const sessions = createSessions({ ...deps, database });
  const server = await createApiServer({
    handlers: { ...refusing(), ...params.handlers },
    streams: {
      ...deps,
      database,
      notifier,
      chat: {
        feed: createThreadFeed({ database, notifier }),
        requireThread: async (person, id) => void (await readThread(database, person, id)),
      },
      followGateway: (handler) => followGateway(notifier, handler),
      screen: (slot) =>
        slot === "kaede"
          ? Promise.resolve({ slot, columns: 80, rows: 24, content: "hello" })
          : Promise.reject(new AppError({ code: "not_found", message: `There is no agent "${slot}".` })),
    },
    chatFile: () => Promise.resolve(null),
    sessions,
    cliToken: CLI_TOKEN,
    hosts: params.hosts ?? [],
    webDir: params.webDir ?? "/nonexistent",
    version: "1.2.3",
    plugins: params.plugins ?? [],
    health: () => {
      const ok = params.healthy?.() ?? true;
      return Promise.resolve({ ok, body: { status: ok ? "ok" : "degraded" } });
    },
    metrics: () => Promise.resolve("miyabi_tasks 1\n"),
    log: silentLog,
    opened: params.opened ?? Promise.resolve(),
    checkAnswers: true,
  });
  onTestFinished(async () => {
    await server.close();
    await notifier.stop();
  });
  return { server, database, notifier, sessions };
}

function refusing(): Handlers {
  const names = Object.keys(ROUTES) as RouteName[];
  const refuse = (): Promise<never> =>
    Promise.reject(new AppError({ code: "conflict.state", message: "Refused." }));
  return Object.fromEntries(names.map((name) => [name, refuse])) as unknown as Handlers;
}
