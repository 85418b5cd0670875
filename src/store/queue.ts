import { createHash } from "node:crypto";
import { PgBoss, type QueueOptions as BossQueueOptions } from "pg-boss";
import { AppError, messageOf, type Log, type Service } from "../base/index.ts";
import { databaseError } from "./database-errors.ts";
import type { Database, Queryable } from "./database.ts";
import type { Notifier } from "./notifier.ts";

/** How one queue treats its jobs. */
export interface QueueOptions {
  /** Tries after the first one. Default 2. */
  readonly retryLimit?: number;
  /** Pause before the first retry; doubles each time. Default 0. */
  readonly retryDelaySeconds?: number;
  /** Longest pause. Default: no limit. */
  readonly maxRetryDelaySeconds?: number;
  /** A fetched job that is not settled by then is given to somebody else. Default 900. */
  readonly expireSeconds?: number;
  /** Another queue, which gets what failed for good. Default: none. */
  readonly deadLetter?: string;
  /** How long a settled job can still be seen. Default 3,600. */
  readonly keepSettledSeconds?: number;
}

/** Data of each queue's jobs, by queue name. */
export type JobTypes = Readonly<Record<string, object>>;

export interface SendParams<Jobs extends JobTypes, Name extends keyof Jobs & string> {
  readonly queue: Name;
  readonly data: Jobs[Name];
  /** A UUID chosen by the caller; a second job with it is not sent. Default: random. */
  readonly id?: string;
  /** Higher first; equal ones by the time of their transaction, in milliseconds. Default 0. */
  readonly priority?: number;
  /** Not before. A number is seconds from now. Default: at once. */
  readonly startAfter?: Date | number;
  /** By which `reschedule` and `removeWaiting` find it. */
  readonly singletonKey?: string;
}

export interface FetchedJob<Data> {
  readonly id: string;
  readonly data: Data;
  /** 0 on the first try. Settling with the job itself changes nothing once somebody else has got it. */
  readonly retryCount: number;
}

/** Addresses one try of a fetched job. */
export type JobAttempt = Pick<FetchedJob<object>, "id" | "retryCount">;

/**
 * Queues in the same database as the state. Every call takes the transaction it belongs to, so that job and state
 * change commit together; passing the `Database` instead makes it a transaction of its own.
 * A job that is fetched in a transaction is back at once when that rolls back, whatever happened to the process.
 */
export interface Queue<Jobs extends JobTypes> extends Service {
  /** Id of the job, or null where one with that id exists already. */
  send<Name extends keyof Jobs & string>(
    tx: Queryable,
    params: Readonly<SendParams<Jobs, Name>>,
  ): Promise<string | null>;
  /** Sends many at once, far faster than one by one. */
  sendBatch<Name extends keyof Jobs & string>(
    tx: Queryable,
    queue: Name,
    jobs: readonly Omit<SendParams<Jobs, Name>, "queue">[],
  ): Promise<void>;
  /** Takes up to `limit` jobs that are due, highest priority first and then oldest; jobs that others are taking are skipped. */
  fetch<Name extends keyof Jobs & string>(
    tx: Queryable,
    params: Readonly<{ queue: Name; limit: number }>,
  ): Promise<readonly FetchedJob<Jobs[Name]>[]>;
  /** Marks fetched jobs as done. Returns how many were still ours. */
  complete(tx: Queryable, queue: keyof Jobs & string, jobs: readonly JobAttempt[]): Promise<number>;
  /** Gives fetched jobs back for a retry by the queue's rules; out of retries they go to its dead letter queue. */
  fail(
    tx: Queryable,
    queue: keyof Jobs & string,
    jobs: readonly JobAttempt[],
    reason: string,
  ): Promise<number>;
  /** Changes priority or start of the waiting jobs with this key. Returns how many there were. */
  reschedule(
    tx: Queryable,
    params: Readonly<{
      queue: keyof Jobs & string;
      singletonKey: string;
      priority?: number;
      startAfter?: Date | number;
    }>,
  ): Promise<number>;
  /** Deletes jobs in any state. Returns how many there were. */
  remove(tx: Queryable, queue: keyof Jobs & string, ids: readonly string[]): Promise<number>;
  /** Deletes the jobs with this key that nobody has fetched yet. Returns how many there were. */
  removeWaiting(tx: Queryable, queue: keyof Jobs & string, singletonKey: string): Promise<number>;
  /**
   * Calls `wake` when a job that is due was sent to `queue`, and whenever that may have been missed. Deferred jobs
   * and retries come due silently, so a consumer also asks from time to time. Returns the function that ends it.
   */
  onJobs(queue: keyof Jobs & string, wake: () => void): () => void;
}

export interface QueueParams<Jobs extends JobTypes> {
  readonly database: Database;
  readonly notifier: Notifier;
  readonly queues: Readonly<Record<keyof Jobs & string, QueueOptions>>;
  readonly log: Log;
  /** How often expired jobs are looked for. Default 60: jobs end in the transaction that fetches them. */
  readonly superviseSeconds?: number;
}

const SCHEMA = "pgboss";
// What pg-boss derives from its schema's name for NOTIFY.
const CHANNEL = `pgboss_${createHash("sha224").update(SCHEMA).digest("hex").slice(0, 24)}`;
const RARELY_SECONDS = 600;
// pg-boss deletes jobs that wait longer, by default after 14 days; ours wait as long as it takes.
const KEEP_WAITING_SECONDS = 10 * 365 * 24 * 3_600;

/** Carries the queues on pg-boss, over the connections of `database` and `notifier`; it opens none of its own. */
export function createQueue<Jobs extends JobTypes>(params: Readonly<QueueParams<Jobs>>): Queue<Jobs> {
  let boss: PgBoss | null = null;
  let starting: Promise<void> | null = null;

  const start = async (): Promise<void> => {
    if (boss !== null) return;
    const created = createBoss(params);
    try {
      await created.start();
      await createQueues(created, params.queues);
    } catch (error) {
      // What it had started by then would go on asking the database.
      await created.stop({ graceful: false }).catch(() => {});
      throw error;
    }
    boss = created;
  };

  const running = (): PgBoss => {
    if (boss !== null) return boss;
    throw new AppError({ code: "database.unavailable", message: "The queue has not been started." });
  };

  return {
    name: "queue",
    start: () => (starting ??= start().finally(() => (starting = null))),
    stop: async () => {
      await starting?.catch(() => {});
      const stopped = boss;
      boss = null;
      await stopped?.stop({ graceful: false });
    },
    send: async (tx, { queue, data, ...options }) =>
      running().send(queue, data, { ...options, db: adapt(tx) }),
    sendBatch: async (tx, queue, jobs) => {
      await running().insert(
        queue,
        jobs.map((job) => ({ ...job })),
        { db: adapt(tx), returnId: false },
      );
    },
    fetch: async <Name extends keyof Jobs & string>(
      tx: Queryable,
      { queue, limit }: Readonly<{ queue: Name; limit: number }>,
    ) => {
      const jobs = await running().fetch<Jobs[Name]>(queue, {
        batchSize: limit,
        includeMetadata: true,
        db: adapt(tx),
      });
      // They are the right ones, but come in the order in which the server happened to update them.
      jobs.sort((a, b) => b.priority - a.priority || a.createdOn.getTime() - b.createdOn.getTime());
      return jobs.map(({ id, data, retryCount }) => ({ id, data, retryCount }));
    },
    complete: async (tx, queue, jobs) =>
      jobs.length === 0
        ? 0
        : affected(await running().complete(queue, jobs.map(toAttempt), null, { db: adapt(tx) })),
    fail: async (tx, queue, jobs, reason) =>
      jobs.length === 0
        ? 0
        : affected(await running().fail(queue, jobs.map(toAttempt), { reason }, { db: adapt(tx) })),
    reschedule: async (tx, { queue, ...options }) => {
      const { updated } = await running().update(queue, undefined, {
        ...options,
        match: "all",
        db: adapt(tx),
      });
      return updated;
    },
    remove: async (tx, queue, ids) =>
      ids.length === 0 ? 0 : affected(await running().deleteJob(queue, [...ids], { db: adapt(tx) })),
    removeWaiting: async (tx, queue, singletonKey) => {
      const { rowCount } = await tx.query(
        `delete from ${SCHEMA}.job where name = $1 and singleton_key = $2 and state < 'active'`,
        [queue, singletonKey],
      );
      return rowCount;
    },
    onJobs: (queue, wake) =>
      params.notifier.subscribe(CHANNEL, (notification) => {
        if (notification.kind === "missed" || notification.payload === queue) wake();
      }),
  };
}

function createBoss<Jobs extends JobTypes>(params: Readonly<QueueParams<Jobs>>): PgBoss {
  const superviseSeconds = params.superviseSeconds ?? 60;
  const boss = new PgBoss({
    schema: SCHEMA,
    db: adapt(params.database),
    superviseIntervalSeconds: superviseSeconds,
    monitorIntervalSeconds: superviseSeconds,
    queueCacheIntervalSeconds: RARELY_SECONDS,
    bamIntervalSeconds: RARELY_SECONDS,
    // Dependencies and schedules are ours.
    flowIntervalSeconds: RARELY_SECONDS,
    schedule: false,
    monitorVacuum: false,
  });
  boss.on("error", (error) => {
    const known = databaseError(error);
    const away = known instanceof AppError && known.code === "database.unavailable";
    params.log[away ? "debug" : "error"]({ error: messageOf(error) }, "queue maintenance failed");
  });
  boss.on("warning", ({ message, data }) => params.log.warn({ data }, `queue: ${message}`));
  return boss;
}

async function createQueues(boss: PgBoss, queues: Readonly<Record<string, QueueOptions>>): Promise<void> {
  // A queue must exist before another one names it as its dead letter queue.
  const entries = Object.entries(queues).sort(
    ([, a], [, b]) => Number(a.deadLetter !== undefined) - Number(b.deadLetter !== undefined),
  );
  const existing = new Set((await boss.getQueues()).map(({ name }) => name));
  for (const [name, options] of entries) {
    const settings = toBossOptions(options);
    if (existing.has(name)) {
      await boss.updateQueue(name, { retryDelayMax: null, deadLetter: null, ...settings });
    } else await boss.createQueue(name, { ...settings, policy: "standard" });
    // Loads pg-boss's cache, so that a call in a transaction never needs a second connection for it.
    await boss.findJobs(name, { id: "00000000-0000-4000-8000-000000000000" });
  }
}

function toBossOptions(options: QueueOptions): BossQueueOptions & { deadLetter?: string; notify: boolean } {
  const { retryDelaySeconds = 0, maxRetryDelaySeconds } = options;
  const backsOff = retryDelaySeconds > 0;
  return {
    retryLimit: options.retryLimit ?? 2,
    retryDelay: retryDelaySeconds,
    retryBackoff: backsOff,
    expireInSeconds: options.expireSeconds ?? 900,
    retentionSeconds: KEEP_WAITING_SECONDS,
    deleteAfterSeconds: options.keepSettledSeconds ?? 3_600,
    notify: true,
    ...(backsOff && maxRetryDelaySeconds !== undefined ? { retryDelayMax: maxRetryDelaySeconds } : {}),
    ...(options.deadLetter === undefined ? {} : { deadLetter: options.deadLetter }),
  };
}

function toAttempt({ id, retryCount }: JobAttempt): JobAttempt {
  return { id, retryCount };
}

/** pg-boss's types leave out the count that it returns. */
function affected(response: object): number {
  return "affected" in response ? Number(response.affected) : 0;
}

/** pg-boss asks for rows and nothing else. */
function adapt(queryable: Queryable): {
  executeSql(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
} {
  return {
    executeSql: async (text, values) => {
      const { rows } = await queryable.query(text, values);
      return { rows: [...rows] };
    },
  };
}
