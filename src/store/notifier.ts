import pg from "pg";
import {
  AppError,
  backoffMs,
  messageOf,
  type Clock,
  type Log,
  type Random,
  type Service,
} from "../base/index.ts";
import type { Queryable } from "./database.ts";

/** What a handler is told. `missed`: the connection was away, so anything may have happened; look at the rows. */
export type Notification =
  { readonly kind: "notified"; readonly payload: string } | { readonly kind: "missed" };

export interface Notifier extends Service {
  /**
   * Calls `handler` for each notification on `channel`, and once with `missed` after every time that the connection
   * was down, and when a channel that is new to a running notifier is being heard. What was subscribed before `start`
   * misses nothing once that has resolved. Handlers are called one after another and must not throw or block.
   * Returns the function that ends the subscription.
   */
  subscribe(channel: string, handler: (notification: Notification) => void): () => void;
}

export interface NotifierParams {
  readonly connectionUrl: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
}

const CHANNEL_NAME = /^[a-z][a-z0-9_]{0,62}$/;
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 2_000;
const CONNECT_TIMEOUT_MS = 5_000;
// A cut network gives no sign on a connection that only listens.
const HEARTBEAT_MS = 15_000;
const LONGEST_PAYLOAD_BYTES = 7_900; // PostgreSQL takes less than 8,000

/**
 * Announces a change with the transaction: subscribers hear of it when, and only if, it commits. Equal
 * announcements of one transaction arrive once.
 */
export async function notify(tx: Queryable, channel: string, payload: string): Promise<void> {
  if (!CHANNEL_NAME.test(channel) || Buffer.byteLength(payload) > LONGEST_PAYLOAD_BYTES)
    throw new AppError({ code: "internal.bug", message: `This cannot be announced on "${channel}".` });
  await tx.query("select pg_notify($1, $2)", [channel, payload]);
}

/**
 * Hears NOTIFY on one connection of its own and keeps it up: after a failure it reconnects with back-off, for ever.
 * `start` resolves once the first connection was tried; it does not fail when the server is away.
 */
export function createNotifier(params: Readonly<NotifierParams>): Notifier {
  const handlers = new Map<string, Set<(notification: Notification) => void>>();
  let stopping: AbortController | null = null;
  let running: Promise<void> = Promise.resolve();
  let connected: Session | null = null;

  const listen = async (session: Session, channels: Iterable<string>): Promise<void> => {
    for (const channel of channels) await session.ask(`listen ${channel}`);
  };

  const tell = (channel: string, notification: Notification): void => {
    for (const handler of handlers.get(channel) ?? []) handler(notification);
  };

  const run = async (signal: AbortSignal, firstTry: () => void): Promise<void> => {
    let failures = 0;
    for (let connections = 0; !signal.aborted;) {
      const session = openSession(params.connectionUrl, tell);
      try {
        await session.client.connect();
        await listen(session, handlers.keys());
        failures = 0;
        connected = session;
        // From here on nothing is lost, so what happened before can be asked for now.
        if (connections > 0) for (const channel of handlers.keys()) tell(channel, { kind: "missed" });
        connections += 1;
        firstTry();
        await keepUp(session, params.clock, signal);
      } catch (error) {
        connections = Math.max(connections, 1);
        failures += 1;
        if (failures <= 1) params.log.debug({ error: messageOf(error) }, "notification connection lost");
      } finally {
        connected = null;
        firstTry();
        await session.close();
      }
      if (signal.aborted) return;
      const pauseMs = backoffMs({
        attempt: Math.max(1, failures),
        baseMs: FIRST_RETRY_MS,
        maxMs: LONGEST_RETRY_MS,
        random: params.random,
      });
      await params.clock.sleep(pauseMs, signal).catch(() => {});
    }
  };

  return {
    name: "notifier",
    subscribe: (channel, handler) => {
      if (!CHANNEL_NAME.test(channel))
        throw new AppError({ code: "internal.bug", message: `"${channel}" is no channel name.` });
      const known = handlers.get(channel);
      const set = known ?? new Set();
      handlers.set(channel, set.add(handler));
      // A failure shows on the connection itself, which is then replaced and listens to everything again.
      if (known === undefined && connected !== null)
        void listen(connected, [channel]).then(
          () => tell(channel, { kind: "missed" }),
          () => {},
        );
      return () => void set.delete(handler);
    },
    start: async () => {
      if (stopping !== null) return;
      const controller = (stopping = new AbortController());
      await new Promise<void>((resolve) => {
        running = run(controller.signal, resolve);
      });
    },
    stop: async () => {
      stopping?.abort();
      await running;
      stopping = null;
    },
  };
}

interface Session {
  readonly client: pg.Client;
  /** Statements are sent one after the other, whoever asks meanwhile. */
  ask(statement: string): Promise<void>;
  /** Resolves when the connection has ended, whoever ended it. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

function openSession(
  connectionUrl: string,
  tell: (channel: string, notification: Notification) => void,
): Session {
  const client = new pg.Client({
    connectionString: connectionUrl,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    application_name: "miyabi-notifier",
  });
  client.on("error", () => {});
  client.on("notification", ({ channel, payload }) =>
    tell(channel, { kind: "notified", payload: payload ?? "" }),
  );
  const ended = new Promise<void>((resolve) => client.once("end", () => resolve()));
  let last: Promise<unknown> = Promise.resolve();
  const ask = async (statement: string): Promise<void> => {
    const answer = last.then(() => client.query(statement));
    last = answer.catch(() => {});
    await answer;
  };
  return { client, ask, ended, close: () => client.end().catch(() => {}) };
}

/** Resolves when the connection is gone, does not answer any more, or `signal` aborts. */
async function keepUp(session: Session, clock: Clock, signal: AbortSignal): Promise<void> {
  const pause = new AbortController();
  const wake = (): void => pause.abort();
  let over = false;
  signal.addEventListener("abort", wake, { once: true });
  void session.ended.then(() => {
    over = true;
    wake();
  });
  try {
    while (!over && !signal.aborted) {
      await clock.sleep(HEARTBEAT_MS, pause.signal).catch(() => {});
      if (!over && !signal.aborted) await session.ask("select 1");
    }
  } finally {
    signal.removeEventListener("abort", wake);
  }
}
