import os from "node:os";
import path from "node:path";
import { Writable } from "node:stream";
import { fastify } from "fastify";
import { request } from "undici";
import { createLog, systemClock, systemRandom } from "../../src/base/index.ts";
import {
  createGateway,
  gatewaySettings,
  REQUEST_LOGGER,
  type Gateway,
  type KeyTerms,
} from "../../src/gateway/index.ts";
import type { Database } from "../../src/store/index.ts";

export const RUN_KEY = "run-key-of-R1";

export interface GatewayUnderTest {
  readonly url: string;
  readonly gateway: Gateway;
  /** JSON lines of the log. */
  readonly lines: readonly Record<string, unknown>[];
  close(): Promise<void>;
}

/** A task and a run for `RUN_KEY`. */
export async function seedRun(database: Database): Promise<void> {
  await database.query(`
    insert into miyabi.repositories (id, name, path, target_branch) values ('r', 'r', '/r', 'main');
    insert into miyabi.tasks (repository_id, source, title, body, class, own_deadline_at, deadline_at, workflow)
      values ('r', 'api', 't', '', 'P2', now(), now(), '{}');
    insert into miyabi.runs (task_id, step_position, step, kind, queue, attempt, round, cause, job_id)
      values ('T1', 0, 'implement', 'agent', 'code', 1, 1, '{}', gen_random_uuid())`);
}

/** A gateway that listens, with settings as in `miyabi.yaml` and a key for every provider. */
export async function startGateway(
  params: Readonly<{
    database: Database;
    settings: unknown;
    over?: Partial<Parameters<typeof createGateway>[0]>;
  }>,
): Promise<GatewayUnderTest> {
  const lines: Record<string, unknown>[] = [];
  const destination = new Writable({
    write: (line: Buffer, _encoding, done) => {
      lines.push(JSON.parse(line.toString()) as Record<string, unknown>);
      done();
    },
  });
  const settings = gatewaySettings.parse(params.settings);
  const gateway = createGateway({
    settings: () => settings,
    readSecret: () => "sk-provider-secret",
    identifyRun: async (token) =>
      token === RUN_KEY ? { runId: "R1", taskId: "T1", budgetMicros: null } : null,
    identityFile: path.join(os.tmpdir(), `miyabi-identity-${systemRandom.uuid()}`),
    database: params.database,
    clock: systemClock,
    random: systemRandom,
    log: createLog({ name: "test", level: "debug", destination }),
    requestLog: createLog({ name: REQUEST_LOGGER, level: "info", destination }),
    ...params.over,
  });
  const server = fastify();
  await server.register(gateway.plugin);
  const url = await server.listen({ port: 0, host: "127.0.0.1" });
  return {
    url,
    gateway,
    lines,
    close: async () => {
      await gateway.stop();
      server.server.closeAllConnections();
      await server.close();
    },
  };
}

/** Terms of a virtual key that allows everything. */
export const keyTerms = (over: Partial<KeyTerms> = {}): KeyTerms => ({
  name: "k",
  kind: "tool",
  team: null,
  taskId: null,
  models: null,
  requestsPerMinute: null,
  tokensPerMinute: null,
  budgets: { dayMicros: null, monthMicros: null, taskMicros: null },
  cache: false,
  expiresAt: null,
  ...over,
});

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Whether the answer reached its end without the connection breaking. */
  readonly clean: boolean;
  readonly ms: number;
}

/** Asks and reads the answer to whatever end it has. */
export async function ask(
  url: string,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = { "x-api-key": RUN_KEY },
): Promise<Answer> {
  const from = systemClock.monotonicMs();
  const response = await request(url + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  let text = "";
  let clean = true;
  try {
    for await (const part of response.body) text += String(part);
  } catch {
    clean = false;
  }
  return {
    status: response.statusCode,
    headers: response.headers,
    text,
    clean,
    ms: systemClock.monotonicMs() - from,
  };
}
