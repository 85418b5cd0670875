import type { Handlers } from "../api/index.ts";
import { AppError, type Clock } from "../base/index.ts";
import {
  budgetTable,
  findCall,
  healthOfModels,
  listCalls,
  priceTable,
  ratesOf,
  routeNameOf,
  summarizeCalls,
  useOfKeys,
  type Gateway,
  type GatewaySettings,
  type LedgerEntry,
  type LedgerFilter,
  type VirtualKey,
} from "../gateway/index.ts";
import type { Database } from "../store/index.ts";
import { GATEWAY_ROUTES } from "../contract/index.ts";

export type GatewayHandlers = Pick<Handlers, keyof typeof GATEWAY_ROUTES>;

/** The API's handlers over the gateway. */
export function createGatewayHandlers(
  params: Readonly<{
    gateway: Gateway;
    settings: () => GatewaySettings;
    database: Database;
    clock: Pick<Clock, "now">;
  }>,
): GatewayHandlers {
  const { gateway, database, clock } = params;
  const ago = (ms: number): Date => new Date(clock.now().getTime() - ms);
  return {
    listProviders: async () => ({ items: gateway.providers().map(providerOf) }),
    setProviderKey: async ({ params: { provider }, body, caller }) =>
      providerOf(await gateway.setProviderKey(provider, body.key, caller.name)),
    removeProviderKey: async ({ params: { provider }, caller }) =>
      providerOf(await gateway.setProviderKey(provider, null, caller.name)),
    listGatewayKeys: async () => ({ items: (await gateway.keys.list()).map(keyOf) }),
    createGatewayKey: async ({ body, caller }) => {
      const { budgetDayMicros, budgetMonthMicros, budgetTaskMicros, expiresAt, ...terms } = body;
      const { key, view } = await gateway.keys.create(
        {
          ...terms,
          budgets: {
            dayMicros: budgetDayMicros,
            monthMicros: budgetMonthMicros,
            taskMicros: budgetTaskMicros,
          },
          expiresAt: expiresAt === null ? null : new Date(expiresAt),
        },
        caller.name,
      );
      return { ...keyOf(view), key };
    },
    revokeGatewayKey: async ({ params: { id } }) => keyOf(await gateway.keys.revoke(id)),
    listGatewayKeyUse: async () => {
      const items = await useOfKeys(database, ago(30 * DAY_MS));
      return {
        items: items.map((one) => ({
          ...one,
          models: [...one.models],
          endpoints: [...one.endpoints],
          lastUsedAt: one.lastUsedAt.toISOString(),
        })),
      };
    },
    listModelHealth: async () => {
      const items = await healthOfModels(database, ago(DAY_MS));
      return {
        items: items.map((one) => ({
          ...one,
          lastAt: one.lastAt.toISOString(),
          lastFailedAt: one.lastFailedAt?.toISOString() ?? null,
        })),
      };
    },
    listBudgets: async () => {
      const settings = params.settings().budgets;
      const items = await budgetTable(database, {
        settings,
        keys: await gateway.keys.list(),
        at: clock.now(),
      });
      return {
        warnAt: settings.warnAt,
        items: items.map((one) => ({ ...one, endsAt: one.endsAt?.toISOString() ?? null })),
      };
    },
    listModelPrices: async () => {
      const items = await priceTable(database, {
        settings: params.settings(),
        since: ago(30 * DAY_MS),
        at: clock.now(),
      });
      return {
        items: items.map(({ rates, usedBy, ...row }) => ({
          ...row,
          usedBy: [...usedBy],
          ...(rates ?? UNKNOWN_RATES),
        })),
      };
    },
    cacheStats: async () => {
      const { entries, bytes, oldestAt } = await gateway.cacheStats();
      return { entries, bytes, oldestAt: oldestAt?.toISOString() ?? null };
    },
    invalidateCache: async ({ body }) => ({ removed: await gateway.invalidateCache(body) }),
    listModelCalls: async ({ query }) => {
      const since = query.since === undefined ? null : new Date(query.since);
      const { items, nextCursor } = await listCalls(database, {
        filter: filterOf(query, since),
        limit: query.limit,
        cursor: query.cursor ?? null,
      });
      return { items: items.map((entry) => callOf(entry, params.settings())), nextCursor };
    },
    getModelCall: async ({ params: { id } }) => {
      const entry = await findCall(database, id);
      if (entry === null) throw new AppError({ code: "not_found", message: `There is no model call ${id}.` });
      return callOf(entry, params.settings());
    },
    readModelCallPrompt: async ({ params: { id }, caller }) => {
      const prompt = await gateway.readPrompt(id, caller.name);
      if (prompt === null)
        throw new AppError({
          code: "not_found",
          message: `Nothing is kept of what was said in the model call ${id}.`,
          fix: "It is kept of later calls with gateway.prompts.store in miyabi.yaml.",
        });
      return { ...prompt, createdAt: prompt.createdAt.toISOString() };
    },
    summarizeModelCalls: async ({ query }) => {
      const { stepMs, count } = RANGES[query.range];
      // Spans end with a whole one, so that those of two looks are the same.
      const endMs = (Math.floor(clock.now().getTime() / stepMs) + 1) * stepMs;
      const from = new Date(endMs - count * stepMs);
      const { spans, total, models, providers } = await summarizeCalls(database, {
        filter: filterOf(query, from),
        from,
        stepMs,
        count,
      });
      return {
        spans: spans.map((span) => ({ ...span, from: span.from.toISOString() })),
        total,
        models: [...models],
        providers: [...providers],
      };
    },
  };
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const UNKNOWN_RATES = {
  source: "unknown",
  inputUsd: null,
  outputUsd: null,
  cacheReadUsd: null,
  cacheWriteUsd: null,
  tiered: false,
  listedAs: null,
} as const;
const RANGES = {
  "24h": { stepMs: HOUR_MS, count: 24 },
  "7d": { stepMs: DAY_MS, count: 7 },
  "30d": { stepMs: DAY_MS, count: 30 },
} as const;

type Asked = { readonly [Field in keyof Omit<LedgerFilter, "since">]?: LedgerFilter[Field] | undefined };

const filterOf = (query: Asked, since: Date | null): LedgerFilter => ({
  task: query.task ?? null,
  run: query.run ?? null,
  key: query.key ?? null,
  provider: query.provider ?? null,
  model: query.model ?? null,
  outcome: query.outcome ?? null,
  chain: query.chain ?? null,
  since,
});

function providerOf(row: ReturnType<Gateway["providers"]>[number]) {
  return { ...row, models: [...row.models], endpoints: { ...row.endpoints } };
}

function callOf({ price, tried, startedAt, ...entry }: LedgerEntry, settings: GatewaySettings) {
  return {
    ...entry,
    startedAt: startedAt.toISOString(),
    route: routeNameOf(settings, entry.askedModel),
    tried: [...tried],
    price: price === null ? null : ratesOf(price),
  };
}

function keyOf(key: VirtualKey) {
  const { budgets, createdAt, expiresAt, revokedAt, models, ...rest } = key;
  return {
    ...rest,
    models: models === null ? null : [...models],
    budgetDayMicros: budgets.dayMicros,
    budgetMonthMicros: budgets.monthMicros,
    budgetTaskMicros: budgets.taskMicros,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
    revokedAt: revokedAt?.toISOString() ?? null,
  };
}
