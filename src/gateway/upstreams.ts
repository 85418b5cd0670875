import type { Pool } from "undici";
import { AppError } from "../base/index.ts";
import type { GatewaySettings } from "./settings.ts";

/** Connections to providers, kept open between calls. */
export interface Upstreams {
  open(origin: string, timeouts: GatewaySettings["timeouts"]): Promise<Pool>;
  /** Ends all connections; calls on them fail. Later calls open new ones. */
  close(): Promise<void>;
}

/** One pool per origin and set of timeouts; `undici` is loaded with the first call, because it takes 30 MB. */
export function createUpstreams(): Upstreams {
  const pools = new Map<string, Pool>();
  return {
    open: async (origin, timeouts) => {
      const key = `${origin} ${timeouts.connectMs} ${timeouts.idleMs}`;
      const known = pools.get(key);
      if (known !== undefined) return known;
      const undici = await import("undici");
      const pool =
        pools.get(key) ??
        new undici.Pool(origin, {
          connect: { timeout: timeouts.connectMs },
          // The first byte has a timer of its own, which is exact and covers the body's too.
          headersTimeout: 0,
          bodyTimeout: timeouts.idleMs,
          // A provider may close an idle connection at any moment; a short life makes that race rare.
          keepAliveTimeout: 4_000,
          keepAliveMaxTimeout: 60_000,
        });
      pools.set(key, pool);
      return pool;
    },
    close: async () => {
      const closing = [...pools.values()];
      pools.clear();
      const reason = new AppError({ code: "gateway.upstream", message: "The gateway is shutting down." });
      await Promise.all(closing.map((pool) => pool.destroy(reason)));
    },
  };
}
