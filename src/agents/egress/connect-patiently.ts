import { connect, type Socket } from "node:net";
import type { Clock } from "../../base/index.ts";

interface ConnectParams {
  readonly url: URL;
  readonly clock: Clock;
  /** Whether anybody still waits for the connection. */
  readonly isWanted: () => boolean;
}

const PATIENCE_MS = 60_000;
const PAUSE_MS = 100;

/**
 * Opens a connection to the control plane, and waits for it where it is being started again: the request is held instead
 * of failing, because nothing of it has been sent. Null where it stays away for a minute or nobody waits any more.
 */
export async function connectPatiently({
  url,
  clock,
  isWanted,
}: Readonly<ConnectParams>): Promise<Socket | null> {
  const deadline = clock.monotonicMs() + PATIENCE_MS;
  for (;;) {
    const socket = await open(url);
    if (socket !== null) return socket;
    if (!isWanted() || clock.monotonicMs() > deadline) return null;
    await clock.sleep(PAUSE_MS);
  }
}

function open(url: URL): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect({ host: url.hostname, port: Number(url.port === "" ? 80 : url.port) });
    socket.once("connect", () => resolve(socket));
    socket.once("error", () => {
      socket.destroy();
      resolve(null);
    });
  });
}
