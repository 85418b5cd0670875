// Runs the product's outbox worker, and SIGKILLs itself when every entry that waited has come to the named point.
import { AsyncLocalStorage } from "node:async_hooks";
import { writeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import {
  resolveHome,
  silentLog,
  systemClock,
  systemProcessRunner,
  systemRandom,
} from "../../src/base/index.ts";
import { createGit } from "../../src/repositories/index.ts";
import { createNotifier, createQueue, openDatabase, type Database, type Tx } from "../../src/store/index.ts";
import {
  bossQueueName,
  createOutboxWorker,
  createRunQueue,
  createTaskService,
  type OutboxHandler,
} from "../../src/tasks/index.ts";
import { connectGitHub } from "./connect.ts";

/**
 * `claimed`: the lease is committed, nothing has begun. `before n`, `after n`: around the n-th thing that is sent to GitHub (a request that
 * writes, a push). `sent`: all of it has happened. `recording`: the record is written and not committed. `recorded`: it is.
 */
export type KillPoint =
  "claimed" | `before ${number}` | `after ${number}` | "sent" | "recording" | "recorded";

export interface DyingWorkerParams {
  readonly point: KillPoint;
  readonly home: string;
  readonly connectionUrl: string;
  readonly token: string;
  readonly queues: readonly string[];
  readonly settings: Readonly<Record<string, unknown>>;
}

const params = JSON.parse(process.argv[2] ?? "") as DyingWorkerParams;
const lanes = new AsyncLocalStorage<{ readonly kind: string; sent: number }>();
const arrived: string[] = [];

/** Never goes on where this is the point to die at. */
async function at(point: KillPoint, kind: string): Promise<void> {
  if (point !== params.point) return;
  arrived.push(kind);
  await new Promise(() => {});
}

/** Around something that GitHub sees. */
async function effect<T>(work: () => Promise<T>): Promise<T> {
  const lane = lanes.getStore();
  if (lane === undefined) return work();
  const nth = (lane.sent += 1);
  await at(`before ${nth}`, lane.kind);
  const result = await work();
  await at(`after ${nth}`, lane.kind);
  return result;
}

const { fetch } = globalThis;
const isRead = (input: unknown, init: RequestInit | undefined): boolean =>
  (init?.method ?? "GET") === "GET" ||
  (String(input).endsWith("/graphql") && !/"query":"\s*mutation/.test(String(init?.body)));
globalThis.fetch = (input, init) =>
  isRead(input, init) ? fetch(input, init) : effect(() => fetch(input, init));
const processes: typeof systemProcessRunner = {
  ...systemProcessRunner,
  run: (call) =>
    call.args.includes("push") ? effect(() => systemProcessRunner.run(call)) : systemProcessRunner.run(call),
};

const deps = { log: silentLog, clock: systemClock, random: systemRandom };
const { connectionUrl } = params;
const database = openDatabase({ connectionUrl, maxConnections: 12, log: silentLog });
const notifier = createNotifier({ ...deps, connectionUrl });
const queue = createQueue<Record<string, { readonly runId: string }>>({
  ...deps,
  database,
  notifier,
  queues: Object.fromEntries(params.queues.map((name) => [bossQueueName(name), {}])),
  superviseSeconds: 600,
});
await queue.start();
const github = await connectGitHub({
  database,
  notifier,
  tasks: createTaskService({
    ...deps,
    database,
    queue: createRunQueue(queue),
    approvals: {
      ask: () => Promise.resolve(),
      close: () => Promise.resolve(),
      closeOfRun: () => Promise.resolve(),
    },
  }),
  git: createGit({ processes, searchPath: process.env["PATH"] ?? "" }),
  home: resolveHome({ MIYABI_HOME: params.home }),
  queues: params.queues,
  settings: params.settings,
  readSecret: () => params.token,
});

function dying(handler: OutboxHandler<unknown>): OutboxHandler<unknown> {
  return {
    ...handler,
    send: (entry, signal) =>
      lanes.run({ kind: entry.kind, sent: 0 }, async () => {
        await at("claimed", entry.kind);
        const result = await handler.send(entry, signal);
        await at("sent", entry.kind);
        return result;
      }),
    settle: async (tx, entry, result) => {
      await handler.settle(tx, entry, result);
      settled.set(tx, entry.kind);
      await at("recording", entry.kind);
    },
  };
}

const settled = new WeakMap<Tx, string>();
const recording: Database = {
  ...database,
  transaction: async (work) => {
    let own: Tx | null = null;
    const result = await database.transaction((tx) => work((own = tx)));
    const kind = own === null ? undefined : settled.get(own);
    if (kind !== undefined) await at("recorded", kind);
    return result;
  },
};

// A record that waits for the lock of another one does not come to the point.
const COUNT = `select count(*) filter (where lease_token is not null)::int - (select count(*) from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock')::int as leased,
    count(*) filter (where lease_token is null)::int as waiting
  from miyabi.outbox where state = 'pending' and number = any($1)`;
// What waits behind another one of its target is not its business.
const { rows } = await database.query<{ number: string }>(
  `select number from miyabi.outbox o where state = 'pending' and due_at <= now()
     and not exists (select 1 from miyabi.outbox p where p.target = o.target and p.state = 'pending' and p.number < o.number)`,
);
const numbers = rows.map(({ number }) => number);
const handlers = new Map([...github.handlers].map(([kind, handler]) => [kind, dying(handler)]));
void createOutboxWorker({
  ...deps,
  database: recording,
  notifier,
  handlers,
  concurrency: numbers.length,
}).tick();
for (;;) {
  const counts = await database.query<{ leased: number; waiting: number }>(COUNT, [numbers]);
  const { leased = 0, waiting = 0 } = counts.rows[0] ?? {};
  if (waiting === 0 && leased === (params.point === "recorded" ? 0 : arrived.length)) break;
  await delay(20);
}
writeSync(1, JSON.stringify({ entries: numbers.length, arrived, kinds: [...github.handlers.keys()] }));
process.kill(process.pid, "SIGKILL");
