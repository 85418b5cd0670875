import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import {
  AppError,
  createLoop,
  messageOf,
  systemRandom,
  type Clock,
  type Log,
  type Random,
} from "../base/index.ts";
import { parseChatCursor, type ThreadFeed } from "../chat/index.ts";
import { slotId, threadId, type AgentScreen } from "../contract/index.ts";
import { followTranscripts, type TranscriptNews } from "../logs/index.ts";
import { createFan, type Database, type Fan, type Notifier } from "../store/index.ts";
import { lastEventId, parseEventId } from "../tasks/index.ts";
import type { Access } from "./access.ts";
import { compare, createEventFeed, type EventFeed } from "./event-feed.ts";
import { followNews } from "./follow-news.ts";
import { parseInput } from "./input.ts";
import { createScreenFeed } from "./screen-feed.ts";
import { openSse, type SseStream } from "./sse.ts";

export interface ChatStreams {
  readonly feed: ThreadFeed;
  /** @throws not_found, also where the thread is somebody else's */
  readonly requireThread: (person: string, id: string) => Promise<void>;
}

export interface StreamParams {
  readonly database: Database;
  readonly notifier: Notifier;
  /** What a slot's pane shows now. @throws not_found */
  readonly screen: (slot: string) => Promise<AgentScreen>;
  readonly chat: ChatStreams;
  /** Calls its handler when calls, keys or providers of the gateway have changed; returns the function that ends it. */
  readonly followGateway: (handler: () => void) => () => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly random?: Random;
}

const PING_MS = 10_000;
const MOST_STREAMS = 200;
const MOST_SIGNALS = 1_000;

export interface Streams {
  /** Ends the streams of those who may not view any more. */
  recheck(): void;
}

/**
 * The event history and the agents' panes as server-sent events. They begin with the server and end before it closes, or with
 * their caller's session.
 */
export function registerStreams(
  fastify: FastifyInstance,
  params: Readonly<StreamParams>,
  access: Pick<Access, "callerOf" | "mayStillView">,
): Streams {
  const { clock, log } = params;
  const random = params.random ?? systemRandom;
  const feed = createEventFeed({ ...params, random });
  const screens = createScreenFeed(params);
  const transcripts = createFan<TranscriptNews>((handler) => followTranscripts(params.notifier, handler));
  const gateway = createFan<void>(params.followGateway);
  const open = new Map<SseStream, FastifyRequest>();
  const ping = createLoop({
    name: "stream-ping",
    intervalMs: PING_MS,
    clock,
    random,
    log,
    tick: async () => {
      for (const [stream, request] of open) {
        if (await access.mayStillView(request)) stream.ping();
        else stream.end();
      }
    },
  });
  const sleep = clock.sleep.bind(clock);

  const begin = (
    request: FastifyRequest,
    reply: FastifyReply,
    serve: (stream: SseStream) => Promise<void>,
  ): FastifyReply => {
    const stream = openSse(reply, { sleep });
    open.set(stream, request);
    void serve(stream)
      .catch((error: unknown) => log.debug({ error: messageOf(error) }, "event stream ended"))
      .finally(() => {
        open.delete(stream);
        stream.end();
      });
    return reply;
  };

  fastify.addHook("onReady", async () => {
    transcripts.start();
    gateway.start();
    params.chat.feed.start();
    await Promise.all([feed.start(), ping.start()]);
  });
  fastify.addHook("preClose", async () => {
    for (const stream of open.keys()) stream.end();
    transcripts.stop();
    gateway.stop();
    params.chat.feed.stop();
    await Promise.all([feed.stop(), ping.stop()]);
  });

  const config = { permission: "view" } as const;
  fastify.get("/api/events", { config }, async (request, reply) => {
    requireRoom(open);
    const newest = await lastEventId(params.database);
    const after = cursorOf(request);
    // A cursor from before a restore of the database may lie in the future, where nothing would be sent for long.
    const cursor = after === null || compare(after, newest) > 0 ? newest : after;
    return begin(request, reply, (stream) =>
      followEvents({ clock, feed, transcripts, gateway, stream, cursor }),
    );
  });
  fastify.get("/api/agents/:slot/screen/stream", { config }, async (request, reply) => {
    requireRoom(open);
    const { slot = "" } = request.params as { readonly slot?: string };
    const known = parseInput(slotId, slot, "path");
    // A slot that does not exist is an error answer, not a stream that ends.
    await params.screen(known);
    return begin(request, reply, (stream) =>
      followNews(stream, (wake) => {
        let frame: AgentScreen | null = null;
        const end = screens.watch(
          known,
          (newest) => {
            frame = newest;
            wake();
          },
          stream.end,
        );
        const work = async (): Promise<boolean> => {
          const data = frame;
          frame = null;
          if (data !== null) await stream.send({ event: "screen", data });
          return data === null;
        };
        return { work, end };
      }),
    );
  });
  fastify.get("/api/chat/threads/:id/stream", { config }, async (request, reply) => {
    requireRoom(open);
    const { id } = parseInput(z.object({ id: threadId }), request.params, "path");
    await params.chat.requireThread(access.callerOf(request).name, id);
    const after = chatCursorOf(request);
    return begin(request, reply, (stream) =>
      followNews(stream, (wake) => {
        const follower = params.chat.feed.follow(id, after, wake);
        const work = async (): Promise<boolean> => {
          const state = await follower.work((signal) => stream.send(signal));
          if (state === "gone") stream.end();
          return state !== "busy";
        };
        return { work, end: follower.end };
      }),
    );
  });
  return { recheck: () => ping.wake() };
}

interface FollowParams {
  readonly clock: Pick<Clock, "now">;
  readonly feed: EventFeed;
  readonly transcripts: Fan<TranscriptNews>;
  readonly gateway: Fan<void>;
  readonly stream: SseStream;
  readonly cursor: string | null;
}

/** Sends the history after a cursor for as long as the client listens, each event once and in order. */
async function followEvents(params: Readonly<FollowParams>): Promise<void> {
  const { feed, stream } = params;
  let cursor = params.cursor;
  const hello = (): Promise<void> =>
    stream.send({
      event: "hello",
      data: { now: params.clock.now().toISOString(), lastId: cursor },
      id: cursor,
    });
  await followNews(stream, (wake) => {
    const signals = new Map<string, number>();
    // After a hello a client looks again at the transcripts it shows: signals, unlike events, may have been lost. So the
    // first one, too, is sent only when signals are heard.
    let greets = true;
    let isGatewayNews = false;
    const ends = [
      feed.onNews(wake),
      params.transcripts.follow((news) => {
        if (news.kind === "missed" || signals.size >= MOST_SIGNALS) {
          signals.clear();
          greets = true;
        } else signals.set(news.runId, news.lastSeq);
        wake();
      }),
      params.gateway.follow(() => {
        isGatewayNews = true;
        wake();
      }),
    ];
    const work = async (): Promise<boolean> => {
      if (greets) {
        greets = false;
        await hello();
      }
      const events = await feed.after(cursor);
      for (const event of events) {
        if (stream.closed.aborted) return true;
        await stream.send({ event: "event", id: event.id, data: event });
        cursor = event.id;
      }
      const sent = [...signals];
      signals.clear();
      for (const [runId, lastSeq] of sent)
        await stream.send({ event: "transcript", data: { runId, lastSeq } });
      if (isGatewayNews) {
        isGatewayNews = false;
        await stream.send({ event: "gateway", data: {} });
      }
      return events.length === 0 && sent.length === 0;
    };
    return { work, end: () => ends.forEach((end) => end()) };
  });
}

function requireRoom(open: { readonly size: number }): void {
  if (open.size < MOST_STREAMS) return;
  throw new AppError({
    code: "api.rate_limited",
    message: `${MOST_STREAMS} event streams are open already.`,
    fix: "Close some windows of the console.",
  });
}

/** The event id to go on after; the header, which a browser sends when it reconnects, wins over the address. */
function cursorOf(request: FastifyRequest): string | null {
  const given = givenCursor(request);
  if (given === null || (typeof given === "string" && parseEventId(given) !== null)) return given;
  throw noCursor(given);
}

function chatCursorOf(request: FastifyRequest): ReturnType<typeof parseChatCursor> {
  const given = givenCursor(request);
  if (given === null) return null;
  const cursor = typeof given === "string" ? parseChatCursor(given) : null;
  if (cursor !== null) return cursor;
  throw noCursor(given);
}

function givenCursor(request: FastifyRequest): unknown {
  const query = request.query as Readonly<Record<string, unknown>>;
  const given = request.headers["last-event-id"] ?? query["after"];
  return given === undefined || given === "" ? null : given;
}

function noCursor(given: unknown): AppError {
  return new AppError({
    code: "input.invalid",
    message: `after "${String(given).slice(0, 100)}": no event id.`,
    fix: "Leave it out to begin with now.",
    details: { field: "after", value: String(given).slice(0, 100) },
  });
}
