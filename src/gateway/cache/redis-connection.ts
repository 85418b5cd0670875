import { messageOf, type Clock, type Log } from "../../base/index.ts";

export type RedisCommand = readonly (string | Buffer)[];

/** One connection, made again whenever it is lost. */
export interface RedisConnection {
  readonly state: "ok" | "away";
  /** One value; null: there is none, or Redis is away. Never rejects. */
  ask(command: RedisCommand): Promise<Buffer | null>;
  /** All or none; nothing happens while Redis is away. Never rejects. */
  tell(commands: readonly RedisCommand[]): Promise<void>;
  /** Rejects where Redis is away or does not answer in time; replies are buffers and lists of them. */
  send(command: RedisCommand): Promise<unknown>;
  sendAll(commands: readonly RedisCommand[]): Promise<void>;
  close(): Promise<void>;
}

const CONNECT_MS = 2_000;
/** A cache that is slower than this is none. */
const ANSWER_MS = 250;
/** How long a Redis that did not answer in time is left alone. */
const PAUSE_MS = 2_000;
const LONGEST_RECONNECT_MS = 5_000;

/** Connects in the background. The client is loaded with the first use: only those pay for it who configure it. */
export function connectRedis(
  params: Readonly<{ url: string; password: string | undefined; clock: Clock; log: Log }>,
): RedisConnection {
  const { clock, log } = params;
  let pausedUntilMs = 0;
  let wasAway = false;
  let closed = false;

  const opening = open();
  let client: Awaited<typeof opening> | null = null;
  void opening.then((opened) => (client = opened)).catch(() => {});

  async function open() {
    const { createClient, RESP_TYPES } = await import("redis");
    const { password } = params;
    const made = createClient({
      url: params.url,
      ...(password === undefined ? {} : { password }),
      // Commands do not wait for a Redis that is away.
      disableOfflineQueue: true,
      RESP: 2,
      socket: {
        connectTimeout: CONNECT_MS,
        reconnectStrategy: (retries) => Math.min(100 * 2 ** Math.min(retries, 10), LONGEST_RECONNECT_MS),
      },
    }).withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    made.on("error", (error: unknown) => {
      // It comes again with every attempt to connect.
      if (!wasAway) log.warn({ error: messageOf(error) }, "Redis is away: calls go on without the cache");
      wasAway = true;
    });
    made.on("ready", () => {
      if (wasAway) log.info({}, "Redis is back");
      wasAway = false;
    });
    void made.connect().catch(() => {});
    return made;
  }

  const isThere = (): boolean =>
    !closed && client !== null && client.isReady && clock.monotonicMs() >= pausedUntilMs;

  const inTime = async <Result>(work: Promise<Result>): Promise<Result> => {
    const answered = new AbortController();
    const late = clock.sleep(ANSWER_MS, answered.signal).then(
      () => {
        pausedUntilMs = clock.monotonicMs() + PAUSE_MS;
        throw new Error("Redis did not answer in time");
      },
      () => new Promise<never>(() => {}),
    );
    try {
      return await Promise.race([work, late]);
    } finally {
      answered.abort();
      work.catch(() => {});
    }
  };
  const send = async (command: RedisCommand): Promise<unknown> => {
    if (client === null || !isThere()) throw new Error("Redis is away");
    return inTime(client.sendCommand([...command]));
  };
  const sendAll = async (commands: readonly RedisCommand[]): Promise<void> => {
    if (client === null || !isThere()) throw new Error("Redis is away");
    const multi = client.multi();
    for (const command of commands) multi.addCommand([...command]);
    await inTime(multi.exec());
  };

  return {
    get state() {
      return isThere() ? "ok" : "away";
    },
    send,
    sendAll,
    ask: async (command) => {
      if (!isThere()) return null;
      const reply = await send(command).catch(() => null);
      return Buffer.isBuffer(reply) ? reply : null;
    },
    tell: async (commands) => {
      if (isThere()) await sendAll(commands).catch(() => {});
    },
    close: async () => {
      closed = true;
      (await opening.catch(() => null))?.destroy();
    },
  };
}
