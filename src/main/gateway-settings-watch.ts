import { stat } from "node:fs/promises";
import path from "node:path";
import {
  createLoop,
  messageOf,
  parseYaml,
  readFileIfExists,
  type Clock,
  type Home,
  type Log,
  type Loop,
  type Random,
} from "../base/index.ts";
import { priceOverrides, type GatewaySettings } from "../gateway/index.ts";
import { loadSettings } from "./settings.ts";

export interface GatewaySettingsWatch extends Loop {
  /** The last good ones. */
  current(): GatewaySettings;
}

interface WatchParams {
  readonly home: Home;
  readonly initial: GatewaySettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

const LOOK_MS = 2_000;

/**
 * Follows `gateway` in miyabi.yaml, and the prices of `prices.yaml` beside it, while the product runs. A file that cannot
 * be read changes nothing: the last good settings stay, and the log says what is wrong.
 */
export function watchGatewaySettings(params: Readonly<WatchParams>): GatewaySettingsWatch {
  const { home, log } = params;
  const pricesFile = path.join(home.root, "prices.yaml");
  let current = params.initial;
  let seen = "";

  const loop = createLoop({
    name: "gateway settings",
    intervalMs: LOOK_MS,
    clock: params.clock,
    random: params.random,
    log,
    tick: async () => {
      const now = (await Promise.all([home.configFile, pricesFile].map(stamp))).join(" ");
      if (now === seen) return;
      const first = seen === "";
      seen = now;
      try {
        const { settings } = await loadSettings(home);
        const prices = await loadPrices(pricesFile);
        // Prices of miyabi.yaml win: they are the more particular place.
        current = { ...settings.gateway, prices: { ...prices, ...settings.gateway.prices } };
        if (!first) log.info({}, "gateway settings read again");
      } catch (error) {
        log.error({ error: messageOf(error) }, "gateway settings not changed: the last good ones stay");
      }
    },
  });
  return { ...loop, current: () => current };
}

async function loadPrices(file: string): Promise<GatewaySettings["prices"]> {
  const text = await readFileIfExists(file);
  return text === null
    ? {}
    : parseYaml({ text, source: file, schema: priceOverrides, code: "config.invalid" });
}

/** Changes when the file does. */
async function stamp(file: string): Promise<string> {
  const found = await stat(file).catch(() => null);
  return found === null ? "none" : `${found.mtimeMs}:${found.size}:${found.ino}`;
}
