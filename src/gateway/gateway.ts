import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { AppError, createLoop, type Clock, type Log, type Random, type Service } from "../base/index.ts";
import { createBudgets, type Warned } from "../guard/index.ts";
import { isRefusedData, type Database } from "../store/index.ts";
import type { CacheStats, Invalidation } from "./cache/cache-backend.ts";
import { createCacheStore } from "./cache/cache-store.ts";
import { chooseCacheBackend } from "./cache/choose-backend.ts";
import type { CacheHealth } from "./cache/redis-cache.ts";
import { logCall } from "./call-log.ts";
import type { Dialect } from "./dialect.ts";
import { callerKeys, queryOf } from "./headers.ts";
import { createKeyStore, type KeyStore } from "./keys/key-store.ts";
import { createSealedKeys } from "./keys/sealed-keys.ts";
import { noteRetention, setCallAside, sumCost, writeCalls, type CostSum } from "./ledger-store.ts";
import { createGatewayNews } from "./gateway-news.ts";
import { createLedgerWriter } from "./ledger-writer.ts";
import { createGatewayMetrics } from "./metrics.ts";
import { createModelList } from "./models/model-list.ts";
import { allowModel } from "./pipeline/allow-model.ts";
import { createRetentionMeter } from "./pipeline/measure-retention.ts";
import { compose, type Call, type CallResult } from "./pipeline/call.ts";
import { createCountStage } from "./pipeline/count-tokens.ts";
import type { Caller } from "./pipeline/caller.ts";
import { createRateLimits } from "./pipeline/limit-rate.ts";
import { createRanking } from "./pipeline/ranking.ts";
import { rowOf } from "./pipeline/record.ts";
import { answerError } from "./pipeline/refuse.ts";
import { remember, runCaller, type RunCaller } from "./pipeline/run-callers.ts";
import { createBudgetStage } from "./pipeline/reserve-budget.ts";
import { createSend } from "./pipeline/send.ts";
import { translationsOf, type FindTranslation } from "./pipeline/translation.ts";
import { createCacheStage } from "./pipeline/use-cache.ts";
import type { Within } from "./pipeline/ask-within.ts";
import { createHedgeStage } from "./pipeline/use-hedge.ts";
import { createPromptStage } from "./pipeline/use-prompts.ts";
import { createReflectStage } from "./pipeline/use-reflect.ts";
import { createTrimStage } from "./pipeline/use-trim.ts";
import { createPromptStore, type StoredPrompt } from "./prompts/prompt-store.ts";
import { createPlugin, type Asked } from "./plugin.ts";
import { compatibilityMatrix, type ProviderRow } from "./providers/matrix.ts";
import { createRegistries } from "./providers/registry.ts";
import type { ReadSecret } from "./providers/provider.ts";
import { createAlarms } from "./relay/alarms.ts";
import { createProviderHealth } from "./relay/health.ts";
import { watchCall } from "./relay/watch.ts";
import { readRequestBody } from "./request-body.ts";
import { chooseTargets, type Target, type Targets } from "./routing/choose-targets.ts";
import { COUNTED, countTargets, isCounting } from "./routing/count-targets.ts";
import { createLatencies } from "./routing/latency.ts";
import type { GatewaySettings } from "./settings.ts";
import { modelOf } from "./top-level-fields.ts";
import { createSummaryStore } from "./trim/summary-store.ts";
import { createUpstreams } from "./upstreams.ts";

export interface GatewayParams {
  /** Asked for every call, so that a reload takes effect at once. */
  readonly settings: () => GatewaySettings;
  readonly readSecret: ReadSecret;
  /** The run that a key belongs to; null where the key is unknown or its attempt is over. */
  readonly identifyRun: (token: string) => Promise<RunCaller | null>;
  /** Holds the identity for which keys of providers are sealed; made with the first of them. */
  readonly identityFile: string;
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Gets one line per call; its name is `REQUEST_LOGGER`. */
  readonly requestLog: Log;
  /** Between dialects; left out: every call needs a provider that speaks its own. */
  readonly findTranslation?: FindTranslation;
  /** A budget has passed `gateway.budgets.warnAt` of its limit; it is also logged. */
  readonly onBudgetWarning?: (warned: Warned) => void;
}

export interface Gateway extends Service {
  /** Registers the endpoints, each with `config.permission`: `run-key` (checked here) or `public`. */
  readonly plugin: FastifyPluginAsync;
  /** Cost of a task or a run so far, calls that have just ended included. */
  costOf(of: { readonly taskId: string } | { readonly runId: string }): Promise<CostSum>;
  /** Cost of all calls that began at or after an instant. */
  costSince(since: Date): Promise<CostSum>;
  /** Virtual keys; a revoked one is refused at once. */
  readonly keys: Omit<KeyStore, "identify">;
  /** The compatibility matrix. */
  providers(): readonly ProviderRow[];
  /** Seals a provider's key, which is used from now on; null removes it. @throws not_found */
  setProviderKey(provider: string, key: string | null, by: string): Promise<ProviderRow>;
  cacheStats(): Promise<CacheStats>;
  /** Null: the cache is in the database. */
  cacheHealth(): CacheHealth;
  /** What was said in a call, redacted; who reads it is logged. Null: nothing is kept of it. */
  readPrompt(callId: string, by: string): Promise<StoredPrompt | null>;
  /** Number of kept answers that are gone. */
  invalidateCache(which: Invalidation): Promise<number>;
  /** Prometheus text. */
  metrics(): Promise<string>;
}

const CACHE_SWEEP_MS = 60_000;

/** The gateway: every model call goes through it, so that no agent holds a key and each cost is known. */
export function createGateway(params: Readonly<GatewayParams>): Gateway {
  const { clock, random, database, log } = params;
  const upstreams = createUpstreams();
  const budgets = createBudgets({ database, clock, random, log });
  const warn = (warned: Warned): void => {
    log.warn({ budget: warned.account, spent_micros: warned.spentMicros }, "a budget is nearly used up");
    params.onBudgetWarning?.(warned);
  };
  const news = createGatewayNews({ database, clock, log });
  const warnAt = (): number => params.settings().budgets.warnAt;
  const ledger = createLedgerWriter({
    insert: async (calls) => {
      (await writeCalls(database, budgets, calls, warnAt())).forEach(warn);
      news.tell();
    },
    isRefused: isRefusedData,
    setAside: async (call, reason) =>
      (await setCallAside(database, budgets, call, reason, warnAt())).forEach(warn),
    clock,
    random,
    log,
  });
  const sealed = createSealedKeys({ database, identityFile: params.identityFile, log });
  const registries = createRegistries({ readSecret: params.readSecret, readSealedKey: sealed.read });
  const health = createProviderHealth(() => params.settings().breaker, clock);
  const latencies = createLatencies();
  const alarms = createAlarms(clock);
  const findTranslation: FindTranslation = params.findTranslation ?? (() => null);
  const keys = createKeyStore({ database, random });
  const identify = remember(async (key) => {
    const virtual = await keys.identify(key);
    if (virtual !== null) return virtual;
    const run = await params.identifyRun(key);
    return run === null ? null : runCaller(run, params.settings().cache.runs);
  }, clock);
  const backends = chooseCacheBackend({
    database,
    redisUrl: () => params.settings().cache.redis,
    password: () => params.readSecret("REDIS_PASSWORD"),
    clock,
    log,
  });
  const cache = createCacheStore({
    backend: backends.current,
    clock,
    memoryBytes: params.settings().cache.memoryBytes,
  });
  const sweep = createLoop({
    name: "gateway cache",
    intervalMs: CACHE_SWEEP_MS,
    clock,
    random,
    log,
    tick: async () => {
      await cache.sweep(params.settings().cache.maxBytes);
      await prompts.sweep(params.settings().prompts);
      await summaries.sweep();
    },
  });
  const summaries = createSummaryStore({ database, log });
  const prompts = createPromptStore({ database, clock, log });
  const within: Within = { clock, random, record: (call, result) => record(call, result) };
  const limitRate = createRateLimits(clock);
  const reserveBudget = createBudgetStage({ budgets, clock, log });
  const send = createSend({ upstreams, health, latencies, clock, alarms, random, findTranslation });
  const targetsOf = async (call: Call, model: string): Promise<readonly Target[] | null> => {
    const chosen = await targetsFor(call, model);
    return chosen.state === "found" ? chosen.targets : null;
  };
  const retention = createRetentionMeter({
    within,
    next: compose([reserveBudget], send),
    targetsOf,
    note: async (callId, value) => {
      await ledger.flushed();
      await noteRetention(database, clock, callId, value);
      log.info({ req_id: callId, retention: Number(value.toFixed(4)) }, "trim measured");
      metrics.addRetention(value);
    },
    alarms,
    clock,
    log,
  });
  const trim = createTrimStage({
    within,
    retention,
    summaries,
    next: compose([limitRate, reserveBudget], send),
    targetsOf,
  });
  const answer = compose(
    [
      allowModel,
      createReflectStage(within),
      createPromptStage({ store: prompts, log }),
      limitRate,
      createCacheStage({ store: cache, clock, log }),
      reserveBudget,
      trim,
      createHedgeStage({
        within,
        clock,
        random,
        alarms,
        health,
        latencies,
        limits: [limitRate, reserveBudget],
      }),
      createCountStage(),
    ],
    send,
  );
  const models = createModelList({ upstreams, clock, log });
  const open = new Set<Promise<void>>();
  /** Calls that have ended and are not in the ledger's hands yet. */
  const recording = new Set<Promise<void>>();
  const settled = async (): Promise<void> => {
    await Promise.allSettled(recording);
    await ledger.flushed();
  };
  const metrics = createGatewayMetrics({
    openCalls: () => open.size,
    breakers: () =>
      new Map(
        registries.of(params.settings()).names.flatMap((name) => {
          const state = health.stateOf(name);
          return state === null ? [] : [[name, state] as const];
        }),
      ),
  });

  /** Where a call for a model goes. Tokens are counted where the call would go itself; nowhere: we estimate. */
  const targetsFor = async (
    call: Pick<Call, "endpoint" | "dialect" | "body" | "startedAt" | "settings">,
    model: string | null,
  ): Promise<Targets> => {
    const registry = registries.of(call.settings);
    const { name } = call.endpoint;
    const endpoint = isCounting(name) ? COUNTED[name] : name;
    const chosen = await chooseTargets({
      registry,
      endpoint,
      dialect: call.dialect,
      model,
      translations: translationsOf(findTranslation, endpoint),
      ranking: createRanking({ registry, latencies, body: call.body, model, at: call.startedAt }),
      random,
    });
    return chosen.state === "found" && isCounting(name)
      ? { ...chosen, targets: countTargets(chosen.targets, name) }
      : chosen;
  };

  const callerOf = async (request: FastifyRequest): Promise<Caller | null> => {
    for (const key of callerKeys(request.headers, request.raw.url ?? "")) {
      const caller = await identify(key);
      if (caller !== null) return caller;
    }
    return null;
  };

  const serve = async (asked: Asked, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { endpoint } = asked;
    const dialect = endpoint.dialect(request.headers);
    const on = { request: request.raw, response: reply.raw, dialect };
    const settings = params.settings();
    const caller = await callerOf(request);
    if (caller === null)
      return void answerError(
        on,
        "unauthenticated",
        "The key is unknown, expired or revoked, or the run it belonged to is over.",
      );
    const registry = registries.of(settings);
    if (endpoint.name === "models")
      return models.answer({ registry, caller, ...on, path: asked.rest ?? null });
    if (!ledger.hasRoom())
      return void answerError(on, "ledger_unavailable", "The ledger cannot be written; no call is made.");
    const startedAt = clock.now();
    const startedMs = clock.monotonicMs();
    const read = await readRequestBody(request.raw, settings.maxBodyBytes);
    if (read.outcome === "aborted") return;
    if (read.outcome === "too_large")
      return void answerError(
        on,
        "too_large",
        `The request is larger than ${settings.maxBodyBytes} bytes (gateway.maxBodyBytes).`,
      );
    const model = asked.model ?? modelOf(read.body);
    const chosen = await targetsFor({ endpoint, dialect, body: read.body, startedAt, settings }, model);
    if (chosen.state === "none") return void answerError(on, chosen.refusal, chosen.message);
    const id = random.uuid();
    const call: Call = {
      ...on,
      id,
      endpoint,
      startedAt,
      startedMs,
      settings,
      caller,
      watch: watchCall(reply.raw, settings.timeouts.totalMs, alarms),
      body: read.body,
      model,
      operation: asked.operation,
      query: queryOf(request.raw.url ?? ""),
      targets: chosen.targets,
      // Under which the ledger knows the call.
      answerHeaders: { "x-miyabi-call": id },
      copy: null,
      trimmed: null,
    };
    try {
      const recorded = record(call, await answer(call));
      recording.add(recorded);
      await recorded.finally(() => recording.delete(recorded));
    } finally {
      call.watch.stop();
    }
  };

  const record = async (call: Call, result: CallResult): Promise<void> => {
    const row = await rowOf(call, result, clock);
    // What we refused cost nothing and went nowhere: a log line, but no row.
    if (result.outcome !== "refused") ledger.add(row);
    logCall(params.requestLog, row, result);
    metrics.add(row, result);
  };

  const handle = async (asked: Asked, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    reply.hijack();
    const work = serve(asked, request, reply).catch((error: unknown) => {
      log.error({ error: String(error), endpoint: asked.endpoint.name }, "gateway call failed");
      const dialect: Dialect = asked.endpoint.dialect(request.headers);
      answerError(
        { request: request.raw, response: reply.raw, dialect },
        "upstream_failed",
        "The gateway failed.",
      );
    });
    open.add(work);
    await work.finally(() => open.delete(work));
  };

  const matrix = (): readonly ProviderRow[] =>
    compatibilityMatrix({
      registry: registries.of(params.settings()),
      translationsOf: (endpoint) => translationsOf(findTranslation, endpoint),
      hasSealedKey: (provider) => sealed.read(provider) !== undefined,
      breakerOf: health.stateOf,
    });

  return {
    name: "gateway",
    plugin: createPlugin(handle),
    costOf: async (of) => {
      await settled();
      return sumCost(database, of);
    },
    costSince: async (since) => {
      await settled();
      return sumCost(database, { since });
    },
    keys: {
      create: async (terms, by) => {
        const made = await keys.create(terms, by);
        news.tell();
        return made;
      },
      ensure: keys.ensure,
      list: keys.list,
      revoke: async (id) => {
        const revoked = await keys.revoke(id);
        identify.forget();
        news.tell();
        return revoked;
      },
    },
    providers: matrix,
    setProviderKey: async (provider, key, by) => {
      const row = () => matrix().find((one) => one.name === provider && one.state !== "available");
      if (row() === undefined) throw unknownProvider(provider, registries.of(params.settings()).names);
      if (key === null) await sealed.remove(provider);
      else await sealed.set(provider, key, by);
      registries.forget();
      news.tell();
      const changed = row();
      if (changed === undefined) throw unknownProvider(provider, []);
      return changed;
    },
    cacheStats: cache.stats,
    cacheHealth: backends.health,
    invalidateCache: cache.invalidate,
    readPrompt: async (callId, by) => {
      const prompt = await prompts.get(callId);
      if (prompt !== null) log.info({ call: callId, by }, "a kept prompt was read");
      return prompt;
    },
    metrics: metrics.text,
    start: async () => {
      await sealed.load();
      registries.forget();
      await budgets.start();
      backends.current();
      await sweep.start();
    },
    stop: async () => {
      await retention.stop();
      await upstreams.close();
      await Promise.all(open);
      await sweep.stop();
      await ledger.stop();
      await prompts.settled();
      await backends.close();
      await budgets.stop();
      news.stop();
    },
  };
}

function unknownProvider(name: string, known: readonly string[]): AppError {
  return new AppError({
    code: "not_found",
    message: `There is no provider "${name}" in gateway.providers of miyabi.yaml. There are: ${known.join(", ")}.`,
    fix: "miyabi providers",
  });
}
