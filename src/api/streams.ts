import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { AppError, messageOf, type Clock, type Log } from "../base/index.ts";
import type { AgentScreen } from "../contract/index.ts";
import { followTranscripts } from "../logs/index.ts";
import type { Database, Notifier } from "../store/index.ts";
import { EVENTS_CHANNEL, eventsAfter, lastEventId, parseEventId } from "../tasks/index.ts";
import type { Access } from "./access.ts";

export interface StreamParams {
  readonly database: Database;
  readonly notifier: Notifier;
  readonly access: Access;
  readonly screen: (slot: string) => Promise<AgentScreen>;
  readonly clock: Clock;
  readonly log: Log;
}

const PING_MS = 10_000;
// An event of a transaction that commits late becomes visible without another signal.
const RECHECK_MS = 500;
const PAGE = 200;
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;
const SCREEN_MS = 500;

/** The event history and the agents' panes as server-sent events. */
export function registerStreams(fastify: FastifyInstance, params: Readonly<StreamParams>): void {
  fastify.get("/api/events", { config: { permission: "view" } }, async (request, reply) => {
    await params.access.identify(request);
    const given = request.headers["last-event-id"] ?? (request.query as { after?: string }).after ?? null;
    const after = typeof given === "string" && given !== "" ? given : null;
    if (after !== null && parseEventId(after) === null)
      throw new AppError({
        code: "input.invalid",
        message: `after: "${after}" is no event id.`,
        fix: "Leave it out to begin with now.",
      });
    const cursor = after ?? (await lastEventId(params.database));
    const stream = openStream(request, reply);
    stream.send("hello", { now: params.clock.now().toISOString(), lastId: cursor });
    void followEvents(params, stream, cursor).catch((error: unknown) => {
      params.log.debug({ error: messageOf(error) }, "event stream ended");
      stream.end();
    });
    return reply;
  });

  fastify.get(
    "/api/agents/:slot/screen/stream",
    { config: { permission: "view" } },
    async (request, reply) => {
      await params.access.identify(request);
      const { slot } = request.params as { slot: string };
      let last = await params.screen(slot);
      const stream = openStream(request, reply);
      stream.send("screen", last);
      void (async () => {
        while (!stream.closed.aborted) {
          await params.clock.sleep(SCREEN_MS, stream.closed);
          const now = await params.screen(slot);
          if (now.content !== last.content || now.columns !== last.columns) stream.send("screen", now);
          last = now;
        }
      })().catch(() => stream.end());
      return reply;
    },
  );
}

interface Stream {
  readonly closed: AbortSignal;
  send(event: string, data: unknown, id?: string): void;
  comment(text: string): void;
  end(): void;
}

function openStream(request: FastifyRequest, reply: FastifyReply): Stream {
  reply.hijack();
  const { raw } = reply;
  const closed = new AbortController();
  raw.writeHead(200, {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  request.raw.on("close", () => closed.abort());
  raw.on("error", () => closed.abort());
  const write = (text: string): void => {
    if (closed.signal.aborted) return;
    raw.write(text);
    // A client that does not read is let go; it resumes by its last id.
    if (raw.writableLength > MAX_BUFFERED_BYTES) raw.destroy();
  };
  return {
    closed: closed.signal,
    send: (event, data, id) =>
      write(`event: ${event}\n${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`),
    comment: (text) => write(`: ${text}\n\n`),
    end: () => raw.end(),
  };
}

async function followEvents(
  params: Readonly<StreamParams>,
  stream: Stream,
  from: string | null,
): Promise<void> {
  let cursor = from;
  let wake: (() => void) | null = null;
  let signalled = true;
  const onSignal = (): void => {
    signalled = true;
    wake?.();
  };
  const unsubscribe = [
    params.notifier.subscribe(EVENTS_CHANNEL, onSignal),
    followTranscripts(params.notifier, (news) => {
      if (news.kind === "appended") stream.send("transcript", { runId: news.runId, lastSeq: news.lastSeq });
    }),
  ];
  let pinged = params.clock.monotonicMs();
  let quiet = 0;
  try {
    while (!stream.closed.aborted) {
      signalled = false;
      const events = await eventsAfter(params.database, cursor, PAGE);
      for (const event of events) stream.send("event", event, event.id);
      cursor = events.at(-1)?.id ?? cursor;
      quiet = events.length > 0 ? 0 : quiet + 1;
      if (events.length === PAGE || signalled) continue;
      // Soon after a signal something may still be on its way; later only the next signal matters.
      const pauseMs = quiet < 4 ? RECHECK_MS : PING_MS;
      const pause = new AbortController();
      wake = () => pause.abort();
      await params.clock.sleep(pauseMs, AbortSignal.any([pause.signal, stream.closed])).catch(() => {});
      wake = null;
      if (pause.signal.aborted) quiet = 0;
      if (params.clock.monotonicMs() - pinged >= PING_MS - RECHECK_MS) {
        stream.comment("ping");
        pinged = params.clock.monotonicMs();
      }
    }
  } finally {
    for (const end of unsubscribe) end();
  }
}
