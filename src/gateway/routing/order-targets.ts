import type { Random } from "../../base/index.ts";
import type { Capability, RouteSettings, RouteTarget } from "./route-settings.ts";

/** What a route may be ordered by. */
export interface Ranking {
  /** USD per million tokens, input and output together; null: unknown. */
  readonly priceOf: (target: RouteTarget) => Promise<number | null>;
  /** Milliseconds to the first byte lately; null: never tried. */
  readonly latencyOf: (target: RouteTarget) => number | null;
  readonly needs: () => ReadonlySet<Capability>;
}

/** The targets of a route, the one to try first at the head. */
export async function orderTargets(
  route: RouteSettings,
  ranking: Ranking,
  random: Pick<Random, "fraction">,
): Promise<readonly RouteTarget[]> {
  const { targets } = route;
  switch (route.strategy) {
    case "order":
      return targets;
    case "weighted":
      return weighted(targets, random);
    case "price": {
      const prices = await Promise.all(targets.map(ranking.priceOf));
      // An unknown price may be any: it comes last.
      return sorted(targets, (index) => prices[index] ?? Infinity);
    }
    case "latency":
      // What was never tried is tried first, so that there is something to compare.
      return sorted(targets, (_, target) => ranking.latencyOf(target) ?? -1);
    case "capability": {
      const needs = ranking.needs();
      const lacking = (target: RouteTarget): number =>
        target.capabilities === undefined
          ? 0
          : [...needs].filter((need) => target.capabilities?.includes(need) !== true).length;
      return sorted(targets, (_, target) => lacking(target));
    }
  }
}

function sorted(
  targets: readonly RouteTarget[],
  rank: (index: number, target: RouteTarget) => number,
): readonly RouteTarget[] {
  return targets
    .map((target, index) => ({ target, rank: rank(index, target) }))
    .sort((a, b) => (a.rank === b.rank ? 0 : a.rank - b.rank))
    .map((one) => one.target);
}

/** Drawn one after the other by weight, so that also the second choice follows the weights. Weight 0: only as the last resort. */
function weighted(targets: readonly RouteTarget[], random: Pick<Random, "fraction">): readonly RouteTarget[] {
  const left = [...targets];
  const drawn: RouteTarget[] = [];
  while (left.length > 0) {
    const total = left.reduce((sum, one) => sum + one.weight, 0);
    let point = random.fraction() * total;
    let index = total === 0 ? 0 : left.findIndex((one) => (point -= one.weight) < 0);
    if (index === -1) index = left.length - 1;
    drawn.push(...left.splice(index, 1));
  }
  return drawn;
}
