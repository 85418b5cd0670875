import { costOfUsage } from "../price.ts";
import type { Registry } from "../providers/registry.ts";
import type { Latencies } from "../routing/latency.ts";
import { needsOf } from "../routing/needs.ts";
import type { Ranking } from "../routing/order-targets.ts";
import type { RouteTarget } from "../routing/route-settings.ts";
import { UNKNOWN_USAGE } from "../usage/usage.ts";
import { priced } from "./record.ts";

interface RankingParams {
  readonly registry: Registry;
  readonly latencies: Latencies;
  readonly body: Buffer;
  readonly model: string | null;
  readonly at: Date;
}

const MILLION = 1_000_000;

/** What is known of the targets of a route at this moment. */
export function createRanking(params: Readonly<RankingParams>): Ranking {
  const modelOf = (target: RouteTarget): string | null => target.model ?? params.model;
  return {
    needs: () => needsOf(params.body),
    latencyOf: (target) => params.latencies.of(`${target.provider ?? ""}/${modelOf(target) ?? ""}`),
    priceOf: async (target) => {
      const choice = target.provider === undefined ? null : params.registry.get(target.provider);
      if (choice?.state !== "configured") return null;
      const cost = await costOfUsage({
        model: modelOf(target),
        usage: { ...UNKNOWN_USAGE, input: MILLION, output: MILLION },
        provider: priced(choice.provider),
        overrides: params.registry.settings.prices,
        at: params.at,
      });
      return cost?.micros ?? null;
    },
  };
}
