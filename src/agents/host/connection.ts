import { WebSocket } from "ws";
import { backoffMs, type Clock, type Log, messageOf, type Random } from "../../base/index.ts";
import { type ControlMessage, controlMessage, type HostMessage } from "../protocol.ts";

interface ConnectionParams {
  /** Base URL of the control plane, `http://…` or `https://…`. */
  readonly url: string;
  /** Read again for each try, so that a renewed token file is taken up. */
  readonly readToken: () => Promise<string>;
  readonly createHello: () => HostMessage;
  readonly createHeartbeat: () => HostMessage;
  /** Called in the order of arrival; `welcome` first after each connect. */
  readonly onMessage: (message: ControlMessage) => void;
  /** `refused` where the token is not accepted. */
  readonly onState: (state: ConnectionState) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export type ConnectionState = "connected" | "away" | "refused";

/** The host's line to a control plane. It is expected to break; nothing that was sent counts until it is answered. */
export interface Connection {
  /** Runs until `signal` aborts: connects, says hello, beats, connects again after at most 1 s. */
  run(signal: AbortSignal): Promise<void>;
  /** False where the line is away: then nothing was sent. */
  send(message: HostMessage): boolean;
  isWelcome(): boolean;
}

const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 1000;
const WELCOME_TIMEOUT_MS = 5000;
/** A line on which nothing came for this many heartbeats is dead, whatever TCP believes. */
const SILENT_HEARTBEATS = 3;
const MAX_PAYLOAD_BYTES = 32 * 1024 * 1024;

export function createConnection(params: Readonly<ConnectionParams>): Connection {
  let current: WebSocket | null = null;
  let welcome = false;

  const send = (message: HostMessage): boolean => {
    if (current?.readyState !== WebSocket.OPEN) return false;
    current.send(JSON.stringify(message));
    return true;
  };

  /** One connection from dialling to its end; true where it got as far as a welcome. */
  const connectOnce = async (signal: AbortSignal): Promise<boolean> => {
    const token = await params.readToken();
    const url = new URL("/api/hosts/connect", params.url);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url, {
      headers: { authorization: `Bearer ${token}` },
      handshakeTimeout: WELCOME_TIMEOUT_MS,
      maxPayload: MAX_PAYLOAD_BYTES,
      perMessageDeflate: false,
    });
    const ended = Promise.withResolvers<void>();
    const line = new AbortController();
    let wasWelcome = false;
    let heardMs = params.clock.monotonicMs();
    let heartbeatMs = 0;

    const beat = async (): Promise<void> => {
      while (!line.signal.aborted) {
        await params.clock.sleep(heartbeatMs, line.signal).catch(() => {});
        if (line.signal.aborted) return;
        if (params.clock.monotonicMs() - heardMs > heartbeatMs * SILENT_HEARTBEATS) {
          params.log.warn({ silentMs: params.clock.monotonicMs() - heardMs }, "the control plane is silent");
          socket.terminate();
          return;
        }
        send(params.createHeartbeat());
        if (socket.readyState === WebSocket.OPEN) socket.ping();
      }
    };

    const expectWelcome = async (): Promise<void> => {
      await params.clock.sleep(WELCOME_TIMEOUT_MS, line.signal).catch(() => {});
      if (!wasWelcome && !line.signal.aborted) socket.terminate();
    };

    const onAbort = (): void => socket.terminate();
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    socket.on("open", () => {
      current = socket;
      heardMs = params.clock.monotonicMs();
      send(params.createHello());
      void expectWelcome();
    });
    socket.on("pong", () => {
      heardMs = params.clock.monotonicMs();
    });
    socket.on("message", (data) => {
      heardMs = params.clock.monotonicMs();
      const message = parseMessage(data, params.log);
      if (message === null) return;
      if (message.type === "welcome") {
        heartbeatMs = message.heartbeatMs;
        if (!wasWelcome) void beat();
        wasWelcome = true;
        welcome = true;
        params.onState("connected");
      } else if (!wasWelcome) return;
      params.onMessage(message);
    });
    socket.on("unexpected-response", (_request, response) => {
      if (response.statusCode === 401 || response.statusCode === 403) params.onState("refused");
      response.resume();
      socket.terminate();
    });
    socket.on("error", (error) => params.log.debug({ error: messageOf(error) }, "connection failed"));
    socket.on("close", () => {
      if (current === socket) current = null;
      welcome = false;
      line.abort();
      signal.removeEventListener("abort", onAbort);
      if (wasWelcome) params.onState("away");
      ended.resolve();
    });
    await ended.promise;
    return wasWelcome;
  };

  return {
    send,
    isWelcome: () => welcome,
    run: async (signal) => {
      let failures = 0;
      while (!signal.aborted) {
        const wasWelcome = await connectOnce(signal).catch((error: unknown) => {
          params.log.warn({ error: messageOf(error) }, "the control plane cannot be dialled");
          return false;
        });
        failures = wasWelcome ? 1 : failures + 1;
        const pauseMs = backoffMs({
          attempt: failures,
          baseMs: FIRST_BACKOFF_MS,
          maxMs: MAX_BACKOFF_MS,
          random: params.random,
        });
        await params.clock.sleep(pauseMs, signal).catch(() => {});
      }
    },
  };
}

function parseMessage(data: unknown, log: Log): ControlMessage | null {
  try {
    return controlMessage.parse(JSON.parse(String(data)));
  } catch (error) {
    // A newer control plane may say what this host does not know.
    log.warn({ error: messageOf(error).slice(0, 500) }, "a message of the control plane was not understood");
    return null;
  }
}
