import type { Queryable } from "../store/index.ts";
import { costOfUsage, windowOfModel, type PricedProvider } from "./price.ts";
import { kindOf } from "./providers/kinds.ts";
import { fits } from "./routing/glob.ts";
import type { GatewaySettings } from "./settings.ts";
import { UNKNOWN_USAGE } from "./usage/usage.ts";
import { ratesOf, type Rates } from "./used-rates.ts";

/** What a model costs at a provider, and who asks for it. */
export interface PriceRow {
  readonly provider: string;
  readonly model: string;
  /** Null: unknown. */
  readonly rates: Rates | null;
  /** Tokens that the model takes in at once; null: unknown. */
  readonly windowTokens: number | null;
  /** Aliases and routes that lead to it. */
  readonly usedBy: readonly string[];
  /** In the time that was looked at. */
  readonly calls: number;
  /** Of these, whose cost is not known. */
  readonly costUnknown: number;
}

interface PriceTableParams {
  readonly settings: GatewaySettings;
  /** Calls from then on count. */
  readonly since: Date;
  /** Prices of then. */
  readonly at: Date;
}

interface Wanted {
  readonly provider: string;
  readonly model: string;
  readonly usedBy: Set<string>;
  calls: number;
  costUnknown: number;
}

const MOST_MODELS = 500;

/** Prices of the models that were called, that aliases and routes lead to, or that have an override; most called first. */
export async function priceTable(
  db: Queryable,
  params: Readonly<PriceTableParams>,
): Promise<readonly PriceRow[]> {
  const { settings } = params;
  const wanted = new Map<string, Wanted>();
  const want = (provider: string | null, model: string): Wanted | null => {
    if (provider === null || !Object.hasOwn(settings.providers, provider)) return null;
    const key = `${provider}\n${model}`;
    const known = wanted.get(key) ?? { provider, model, usedBy: new Set(), calls: 0, costUnknown: 0 };
    if (wanted.has(key) || wanted.size < MOST_MODELS) wanted.set(key, known);
    return known;
  };
  const { rows } = await db.query<{ provider: string; model: string; calls: number; unknown: number }>(
    `select provider, model, count(*)::int as calls, count(*) filter (where cost_micros is null)::int as unknown
     from miyabi.model_calls where started_at >= $1 and model is not null and outcome = 'ok' and cache is distinct from 'hit'
     group by 1, 2 order by 3 desc limit ${MOST_MODELS}`,
    [params.since],
  );
  for (const { provider, model, calls, unknown } of rows) {
    const one = want(provider, model);
    if (one === null) continue;
    one.calls = calls;
    one.costUnknown = unknown;
  }
  const named = (name: string, by: string | null): void => {
    if (Object.hasOwn(settings.routes, name)) return;
    const { provider, model } = placeOf(settings, name);
    const one = want(provider, model);
    if (by !== null) one?.usedBy.add(by);
  };
  for (const [alias, name] of Object.entries(settings.aliases)) named(name, alias);
  for (const [route, { targets }] of Object.entries(settings.routes))
    for (const { provider, model } of targets)
      if (provider === undefined) named(model ?? route, route);
      else want(provider, model ?? route)?.usedBy.add(route);
  for (const name of Object.keys(settings.prices)) named(name, null);
  return Promise.all([...wanted.values()].map((one) => priceOf(one, params)));
}

async function priceOf(
  { provider: name, model, usedBy, calls, costUnknown }: Wanted,
  { settings, at }: Readonly<PriceTableParams>,
): Promise<PriceRow> {
  const own = settings.providers[name];
  const row = { provider: name, model, usedBy: [...usedBy].sort(), calls, costUnknown };
  if (own === undefined) return { ...row, rates: null, windowTokens: null };
  const provider: PricedProvider = {
    name,
    settings: own,
    usualPriceProvider: kindOf(own.kind).priceProvider ?? "openai",
  };
  const usage = { ...UNKNOWN_USAGE, input: 0, output: 0 };
  const [cost, windowTokens] = await Promise.all([
    costOfUsage({ model, usage, provider, overrides: settings.prices, at }),
    windowOfModel({ model, provider, at }),
  ]);
  return { ...row, rates: cost === null ? null : ratesOf(cost.price), windowTokens };
}

/** The provider that is named with a model, else the first one that claims it; null: none. */
function placeOf(
  settings: GatewaySettings,
  name: string,
): { readonly provider: string | null; readonly model: string } {
  const slash = name.indexOf("/");
  if (slash > 0 && Object.hasOwn(settings.providers, name.slice(0, slash)))
    return { provider: name.slice(0, slash), model: name.slice(slash + 1) };
  const claims = Object.entries(settings.providers).find(([, { models }]) =>
    models.some((glob) => fits(glob, name)),
  );
  return { provider: claims?.[0] ?? null, model: name };
}
