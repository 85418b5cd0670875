import { LRUCache } from "lru-cache";
import type { Random } from "../../base/index.ts";
import type { Dialect } from "../dialect.ts";
import type { EndpointName } from "../endpoints.ts";
import { kindOf } from "../providers/kinds.ts";
import type { Provider } from "../providers/provider.ts";
import type { Registry } from "../providers/registry.ts";
import { fits } from "./glob.ts";
import { orderTargets, type Ranking } from "./order-targets.ts";
import type { RouteSettings } from "./route-settings.ts";

/** Where a call may go. */
export interface Target {
  readonly provider: Provider;
  /** As the provider knows it; null where the request named none. */
  readonly model: string | null;
  /** The endpoint that the provider is asked at; another than the caller's where it has to be translated. */
  readonly endpoint: EndpointName;
}

export type Targets =
  /** In the order in which they are tried; at least one, but for a count of tokens. */
  | { readonly state: "found"; readonly targets: readonly Target[] }
  | {
      readonly state: "none";
      readonly refusal: "not_configured" | "not_supported";
      readonly message: string;
    };

export interface ChooseParams {
  readonly registry: Registry;
  readonly endpoint: EndpointName;
  readonly dialect: Dialect;
  /** What the caller asked for; null: nothing. */
  readonly model: string | null;
  /** Endpoints into which a call of this endpoint can be translated, the best first. */
  readonly translations: readonly EndpointName[];
  readonly ranking: Ranking;
  readonly random: Pick<Random, "fraction">;
}

/** The provider that speaks a dialect by itself, and takes what nobody else claims. */
const HOME: Readonly<Record<Dialect, string>> = {
  anthropic: "anthropic",
  openai: "openai",
  google: "google",
};

/** One wish: a provider by name (null: whoever claims the model) and a model. */
interface Wish {
  readonly provider: string | null;
  readonly model: string | null;
}

/** The targets of a call by alias, route, `provider/model`, claimed model, or the dialect's own provider. */
export async function chooseTargets(params: Readonly<ChooseParams>): Promise<Targets> {
  const { registry } = params;
  const named = followAlias(registry.settings.aliases, params.model);
  const route = named === null ? undefined : ownEntry(registry.settings.routes, named);
  if (route !== undefined) return resolveAll(await wishesOf(route, named, params), named, params);
  const chosen = chosenBefore(params);
  const key = `${params.endpoint} ${params.dialect} ${named === null ? "" : `"${named}`}`;
  const before = chosen.get(key);
  if (before !== undefined) return before;
  const targets = resolveAll([wishOf(registry, named)], named, params);
  chosen.set(key, targets);
  return targets;
}

const MOST_CHOSEN = 1_000;
const chosenOf = new WeakMap<Registry, WeakMap<readonly EndpointName[], LRUCache<string, Targets>>>();

/** What the names of models led to so far: without a route that is always the same for one configuration. */
function chosenBefore({ registry, translations }: Readonly<ChooseParams>): LRUCache<string, Targets> {
  const ofRegistry =
    chosenOf.get(registry) ?? new WeakMap<readonly EndpointName[], LRUCache<string, Targets>>();
  chosenOf.set(registry, ofRegistry);
  const chosen = ofRegistry.get(translations) ?? new LRUCache<string, Targets>({ max: MOST_CHOSEN });
  ofRegistry.set(translations, chosen);
  return chosen;
}

function resolveAll(wishes: readonly Wish[], named: string | null, params: Readonly<ChooseParams>): Targets {
  const found: Target[] = [];
  let problem: Extract<Targets, { state: "none" }> | null = null;
  for (const wish of wishes) {
    const target = resolve(wish, params);
    if (!("state" in target)) found.push(target);
    else problem ??= target;
  }
  if (found.length > 0) return { state: "found", targets: found };
  return problem ?? none("not_configured", `The route "${named}" has no target.`);
}

/** Name behind an alias; one alias may name another, up to a few steps. */
function followAlias(aliases: Readonly<Record<string, string>>, model: string | null): string | null {
  let name = model;
  for (let steps = 0; steps < 5 && name !== null; steps += 1) {
    const next = ownEntry(aliases, name);
    if (next === undefined) break;
    name = next;
  }
  return name;
}

interface Names {
  readonly aliases: Readonly<Record<string, string>>;
  readonly routes: Readonly<Record<string, RouteSettings>>;
}

/** Name of the route that a model's name leads to; null: none. */
export function routeNameOf({ aliases, routes }: Names, model: string | null): string | null {
  const named = followAlias(aliases, model);
  return named !== null && Object.hasOwn(routes, named) ? named : null;
}

/** The route that a model's name leads to; null: none. */
export function routeOf(settings: Names, model: string | null): RouteSettings | null {
  const name = routeNameOf(settings, model);
  return name === null ? null : (settings.routes[name] ?? null);
}

function ownEntry<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function wishOf(registry: Registry, model: string | null): Wish {
  const slash = model?.indexOf("/") ?? -1;
  if (model !== null && slash > 0) {
    const provider = model.slice(0, slash);
    if (registry.get(provider) !== null) return { provider, model: model.slice(slash + 1) };
  }
  return { provider: null, model };
}

async function wishesOf(
  route: RouteSettings,
  asked: string | null,
  params: Readonly<ChooseParams>,
): Promise<readonly Wish[]> {
  const ordered = await orderTargets(route, params.ranking, params.random);
  return ordered.map((target) => {
    const model = target.model ?? asked;
    return target.provider === undefined
      ? wishOf(params.registry, model)
      : { provider: target.provider, model };
  });
}

function resolve(wish: Wish, params: Readonly<ChooseParams>): Target | Extract<Targets, { state: "none" }> {
  const { registry, endpoint, translations } = params;
  const name = wish.provider ?? claimant(wish.model, params);
  const choice = registry.get(name);
  if (choice === null)
    return none("not_configured", `There is no provider "${name}" in gateway.providers of miyabi.yaml.`);
  if (choice.state === "missing") return none("not_configured", choice.message);
  const { provider } = choice;
  const { surest } = kindOf(provider.settings.kind);
  const first = translations.filter((one) => one === surest);
  const usable = [endpoint, ...first, ...translations].find((one) => provider.endpoints[one] !== undefined);
  if (usable === undefined)
    return none(
      "not_supported",
      `The provider "${name}" does not offer ${endpoint}, and it cannot be translated for it.`,
    );
  return { provider, model: wish.model, endpoint: usable };
}

/** Name of the provider that a model goes to when none is named. */
function claimant(model: string | null, params: Readonly<ChooseParams>): string {
  const { registry, endpoint, translations } = params;
  const home = HOME[params.dialect];
  if (model === null) return home;
  const able = (name: string, names: readonly EndpointName[]): boolean => {
    const choice = registry.get(name);
    return (
      choice?.state === "configured" && names.some((one) => choice.provider.endpoints[one] !== undefined)
    );
  };
  const claims = (name: string): boolean =>
    registry.settings.providers[name]?.models.some((glob) => fits(glob, model)) === true;
  const claiming = registry.names.filter(claims);
  const native = claiming.find((name) => able(name, [endpoint]));
  if (native !== undefined) return native;
  // A home at an address of one's own may know any model; at the vendor's own address it knows its own only.
  const knowsOwnOnly = (name: string): boolean => registry.settings.providers[name]?.ownModelsOnly === true;
  const other = claiming.find(
    (name) => able(name, translations) && (!knowsOwnOnly(name) || knowsOwnOnly(home)),
  );
  return other ?? home;
}

function none(
  refusal: "not_configured" | "not_supported",
  message: string,
): Extract<Targets, { state: "none" }> {
  return { state: "none", refusal, message };
}
