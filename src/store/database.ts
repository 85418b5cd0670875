import pg from "pg";
import {
  AppError,
  backoffMs,
  messageOf,
  systemClock,
  systemRandom,
  type Clock,
  type Log,
  type Random,
} from "../base/index.ts";
import { databaseError, isStalePlan, isTransactionConflict, isUnavailable } from "./database-errors.ts";
import { createStatementNames, type StatementNames } from "./statement-names.ts";

export interface Rows<Row> {
  readonly rows: readonly Row[];
  /** Rows that the statement returned or changed. */
  readonly rowCount: number;
}

/**
 * Runs SQL. Values come as `pg` gives them: `bigint` and `numeric` as string (cast to `int` or `float8` where a
 * number is wanted), `timestamptz` as `Date`, `json`/`jsonb` parsed, `bytea` as `Buffer`, SQL null as null.
 */
export interface Queryable {
  /**
   * One statement with `$1…` parameters; without parameters it may be several, whose rows come back in one list.
   * @throws database.unavailable, disk.full; a violated constraint or wrong SQL as `pg.DatabaseError`.
   */
  query<Row extends object = Record<string, unknown>>(
    sql: string,
    params?: readonly unknown[],
  ): Promise<Rows<Row>>;
}

/** A transaction in progress; unusable once its function has ended. */
export interface Tx extends Queryable {
  readonly inTransaction: true;
  /** Calls `follow` once this transaction has committed, and never where it rolls back or the process dies. */
  afterCommit(follow: () => void): void;
}

export interface TransactionOptions {
  /** Default `read committed`. */
  readonly isolation?: "read committed" | "repeatable read" | "serializable";
}

export interface Database extends Queryable {
  /**
   * Runs `work` in one transaction: committed when it resolves, rolled back when it throws. Deadlocks,
   * serialization failures and statements whose table a migration changed run `work` again (at most 5 times), so it
   * must have no effects but through `tx`.
   * @throws database.unavailable; when the connection broke during COMMIT, `details.outcome` is `unknown`:
   * the transaction may or may not have happened.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Resolves when the server answers. @throws database.unavailable after `deadlineMs`. */
  waitUntilReady(params: Readonly<{ deadlineMs: number }>): Promise<void>;
  /** Ends all connections after their running queries. Idempotent; later queries fail with `database.unavailable`. */
  close(): Promise<void>;
}

export interface OpenDatabaseParams {
  /** From `DatabaseSource.connectionUrl()`. */
  readonly connectionUrl: string;
  /** Connections are opened when needed and closed after 30 s without use. */
  readonly maxConnections: number;
  readonly log: Log;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Shown in `pg_stat_activity`. Default `miyabi`. */
  readonly applicationName?: string;
}

const MAX_ATTEMPTS = 5;
const READY_POLL_MS = 50;
const CONNECT_TIMEOUT_MS = 10_000;
const STATEMENT_TIMEOUT_MS = 60_000;
// A process that was stopped inside a transaction must not hold its locks for ever.
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 30_000;

/** Opens a pool; connects lazily, so it also succeeds while the server is away. */
export function openDatabase(params: Readonly<OpenDatabaseParams>): Database {
  const clock = params.clock ?? systemClock;
  const random = params.random ?? systemRandom;
  const pool = createPool(params);
  const statements = createStatementNames();
  let closing: Promise<void> | null = null;

  const connect = async (): Promise<pg.PoolClient> => {
    if (closing !== null) throw closedError();
    return pool.connect().catch((error: unknown) => {
      throw databaseError(error);
    });
  };

  const query: Queryable["query"] = async <Row extends object>(sql: string, values?: readonly unknown[]) => {
    const client = await connect();
    let broken = false;
    try {
      return await runQuery<Row>(client, sql, values);
    } catch (error) {
      // Of several statements, a failed one may have left the BEGIN before it open.
      broken = isUnavailable(error) || (values === undefined && !(await rollBack(client)));
      throw databaseError(error);
    } finally {
      client.release(broken || client.getTransactionStatus() !== "I");
    }
  };

  const attempt = async <T>(work: (tx: Tx) => Promise<T>, options: TransactionOptions): Promise<T> => {
    const client = await connect();
    let broken = false;
    let open = true;
    const followers: (() => void)[] = [];
    const tx: Tx = {
      inTransaction: true,
      afterCommit: (follow) => void followers.push(follow),
      query: async (sql, values) => {
        if (!open)
          throw new AppError({ code: "internal.bug", message: "A transaction was used after its end." });
        return runQuery<never>(client, sql, values, statements).catch((error: unknown) => {
          if (isStalePlan(error)) statements.renew();
          throw databaseError(error);
        });
      },
    };
    try {
      await client.query(`begin isolation level ${options.isolation ?? "read committed"}`);
      const result = await work(tx);
      open = false;
      await commit(client);
      for (const follow of followers) follow();
      return result;
    } catch (error) {
      open = false;
      broken = isUnavailable(error) || !(await rollBack(client));
      throw error;
    } finally {
      client.release(broken);
    }
  };

  return {
    query,
    transaction: async (work, options = {}) => {
      for (let number = 1; ; number += 1) {
        try {
          return await attempt(work, options);
        } catch (error) {
          if (!isTransactionConflict(error) || number >= MAX_ATTEMPTS) throw databaseError(error);
          await clock.sleep(backoffMs({ attempt: number, baseMs: 10, maxMs: 200, random }));
        }
      }
    },
    waitUntilReady: async ({ deadlineMs }) => {
      const end = clock.monotonicMs() + deadlineMs;
      for (;;) {
        try {
          await query("select 1");
          return;
        } catch (error) {
          const waits = error instanceof AppError && error.code === "database.unavailable";
          if (!waits || closing !== null || clock.monotonicMs() >= end) throw error;
          await clock.sleep(READY_POLL_MS);
        }
      }
    },
    close: () => (closing ??= pool.end()),
  };
}

function createPool(params: Readonly<OpenDatabaseParams>): pg.Pool {
  const pool = new pg.Pool({
    connectionString: params.connectionUrl,
    max: params.maxConnections,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: 30_000,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    application_name: params.applicationName ?? "miyabi",
  });
  // Without these two listeners a connection that breaks while idle, or between two queries, would end the process.
  pool.on("error", (error) => params.log.debug({ error: messageOf(error) }, "idle database connection lost"));
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

async function runQuery<Row extends object>(
  client: pg.PoolClient,
  sql: string,
  values: readonly unknown[] | undefined,
  statements?: StatementNames,
): Promise<Rows<Row>> {
  // Without values it may be several statements, which cannot be prepared.
  const name = values === undefined || values.length === 0 ? undefined : statements?.nameOf(sql);
  const answer: pg.QueryResult<Row> | pg.QueryResult<Row>[] =
    values === undefined
      ? await client.query<Row>(sql)
      : await client.query<Row>({ text: sql, values: [...values], ...(name === undefined ? {} : { name }) });
  const results = Array.isArray(answer) ? answer : [answer];
  return {
    rows: results.flatMap((result) => result.rows),
    rowCount: results.reduce((sum, result) => sum + (result.rowCount ?? 0), 0),
  };
}

async function commit(client: pg.PoolClient): Promise<void> {
  try {
    const { command } = await client.query("commit");
    // After a failed statement whose error `work` swallowed, the server answers COMMIT with ROLLBACK.
    if (command === "ROLLBACK")
      throw new AppError({
        code: "internal.bug",
        message: "A transaction was committed although one of its statements had failed.",
      });
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    throw new AppError({
      code: "database.unavailable",
      message: "The database connection broke during a commit; it may or may not have happened.",
      details: { outcome: "unknown" },
      cause: error,
    });
  }
}

async function rollBack(client: pg.PoolClient): Promise<boolean> {
  try {
    await client.query("rollback");
    return true;
  } catch {
    return false;
  }
}

function closedError(): AppError {
  return new AppError({ code: "database.unavailable", message: "The database connection is closed." });
}
