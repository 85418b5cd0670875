import { messageOf, type Clock, type Log } from "../base/index.ts";
import { notify, type Database, type Notifier } from "../store/index.ts";

const CHANNEL = "miyabi_gateway";
/** A busy gateway ends thousands of calls a second; who watches looks again at most twice. */
const APART_MS = 500;

export interface GatewayNews {
  /** Calls, keys or providers have changed: those who watch are told, within half a second. */
  tell(): void;
  stop(): void;
}

/** Tells all processes that there is something new to see. What is not told is seen at the next news. */
export function createGatewayNews(
  params: Readonly<{ database: Database; clock: Clock; log: Log }>,
): GatewayNews {
  const { clock } = params;
  const stopped = new AbortController();
  let isTelling = false;
  let toldMs = Number.NEGATIVE_INFINITY;
  const tellSoon = async (): Promise<void> => {
    const waitMs = toldMs + APART_MS - clock.monotonicMs();
    if (waitMs > 0) await clock.sleep(waitMs, stopped.signal);
    toldMs = clock.monotonicMs();
    isTelling = false;
    await notify(params.database, CHANNEL, "");
  };
  return {
    tell: () => {
      if (isTelling || stopped.signal.aborted) return;
      isTelling = true;
      tellSoon().catch((error: unknown) => {
        isTelling = false;
        params.log.debug({ error: messageOf(error) }, "news of the gateway not told");
      });
    },
    stop: () => stopped.abort(),
  };
}

/** Calls `handler` when calls, keys or providers have changed. Returns the function that ends it. */
export function followGateway(notifier: Pick<Notifier, "subscribe">, handler: () => void): () => void {
  return notifier.subscribe(CHANNEL, () => handler());
}
