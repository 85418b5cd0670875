import type { WebSocket } from "ws";
import { messageOf, type Log } from "../../base/index.ts";
import { hostMessage, type ControlMessage, type HostMessage } from "../protocol.ts";

const MAX_QUEUED = 1_000;

export interface HostConnection {
  readonly id: number;
  send(message: ControlMessage): void;
  close(reason: string): void;
}

interface ServeParams {
  readonly id: number;
  readonly socket: WebSocket;
  readonly log: Log;
  /** Called for one message after the other, in order; a rejection ends the connection, and the host sends again. */
  readonly onMessage: (message: HostMessage, connection: HostConnection) => Promise<void>;
  readonly onClose: (connection: HostConnection) => void;
}

/** One host's WebSocket: validates what comes in, keeps its order, and never lets one bad message pass as another. */
export function serveHost(params: Readonly<ServeParams>): HostConnection {
  const { socket, log } = params;
  let queued = 0;
  let work: Promise<void> = Promise.resolve();
  let closed = false;

  const connection: HostConnection = {
    id: params.id,
    send: (message) => {
      if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
    },
    close: (reason) => {
      socket.close(1008, reason.slice(0, 120));
      // A host that is stopped never answers the closing handshake.
      socket.terminate();
    },
  };

  socket.on("message", (data: Buffer) => {
    if (closed) return;
    const message = parse(data);
    if (message === null) return connection.close("unreadable message");
    queued += 1;
    if (queued > MAX_QUEUED) return connection.close("too many messages at once");
    work = work
      .then(() => (closed ? undefined : params.onMessage(message, connection)))
      .catch((error: unknown) => {
        log.warn(
          { type: message.type, error: messageOf(error) },
          "host message failed; the host will send it again",
        );
        connection.close("try again");
      })
      .finally(() => (queued -= 1));
  });
  socket.on("error", (error) => log.debug({ error: error.message }, "host connection error"));
  socket.on("close", () => {
    closed = true;
    params.onClose(connection);
  });
  return connection;
}

function parse(data: Buffer): HostMessage | null {
  try {
    const result = hostMessage.safeParse(JSON.parse(data.toString("utf8")));
    return result.success ? result.data : null;
  } catch {
    return null;
  }
}
