import type { Clock, Random } from "../../base/index.ts";
import type { Alarms } from "../relay/alarms.ts";
import { attempt, type AttemptResult } from "../relay/attempt.ts";
import { requestFailure, type Failure } from "../relay/failure.ts";
import type { ProviderHealth, TargetHealth } from "../relay/health.ts";
import { nextTry, type NextTry } from "../relay/next-try.ts";
import { latencyKey, type Latencies } from "../routing/latency.ts";
import type { Target } from "../routing/choose-targets.ts";
import type { Upstreams } from "../upstreams.ts";
import type { Call, CallResult, FailedTry, Next } from "./call.ts";
import { prepareRequest, type Prepared } from "./prepare-request.ts";
import { abandoned, refuse } from "./refuse.ts";
import { Untranslatable, type FindTranslation } from "./translation.ts";

interface SendParams {
  readonly upstreams: Upstreams;
  readonly health: ProviderHealth;
  readonly latencies: Latencies;
  readonly clock: Clock;
  readonly alarms: Alarms;
  readonly findTranslation: FindTranslation;
  readonly random: Random;
}

/** What is known of the tries so far. */
interface Tried {
  attempts: number;
  target: Target | null;
  sent: boolean;
  readonly failedTries: FailedTry[];
  failure: Failure | null;
  /** Soonest time at which a target that was passed over may be called again. */
  retryAfterMs: number;
  /** Whether one of them is out because it failed, rather than because it asked us to wait. */
  broken: boolean;
}

/** The last stage: sends the call to its targets, one after the other, until one answers or none is left. */
export function createSend(params: Readonly<SendParams>): Next {
  const { health, clock } = params;

  const healthOf = (target: Target): TargetHealth => health.of(target.provider.name, target.model);

  const once = async (
    call: Call,
    target: Target,
    prepared: Prepared,
    tried: Tried,
    mayContinue: (failure: Failure) => boolean,
  ): Promise<AttemptResult> => {
    const { settings } = call;
    const dispatcher = await params.upstreams.open(target.provider.origin, settings.timeouts);
    return attempt({
      ...prepared,
      dispatcher,
      provider: target.provider.name,
      dialect: call.dialect,
      response: call.response,
      watch: call.watch,
      copy: call.copy,
      checksType: call.endpoint.usage !== "none",
      added: (status) => ({
        ...call.answerHeaders,
        // We have tried as often as makes sense; an SDK that does the same multiplies it.
        ...(status >= 500 || (status >= 400 && tried.attempts > 1) ? { "x-should-retry": "false" } : {}),
      }),
      mayContinue,
      firstByteMs: settings.timeouts.firstByteMs,
      clock,
      alarms: params.alarms,
    });
  };

  const report = (target: Target, result: AttemptResult): void => {
    const at = healthOf(target);
    if (result.state === "failed") return at.failed(result.failure);
    if (result.failure !== null) return at.failed(result.failure);
    if (result.delivered.outcome === "aborted") return at.released();
    at.succeeded();
    const { firstByteMs } = result.delivered;
    if (firstByteMs !== null) params.latencies.add(latencyKey(target), firstByteMs);
  };

  /** Tries one target; null: go on with the next one. */
  const tryTarget = async (call: Call, index: number, tried: Tried): Promise<CallResult | null> => {
    const target = call.targets[index];
    if (target === undefined) return null;
    const elsewhere = (): boolean =>
      call.targets.slice(index + 1).some((other) => healthOf(other).look().state === "allowed");
    const prepared = await prepareRequest(call, target, params.findTranslation).catch((error: unknown) => {
      if (error instanceof Untranslatable) return error;
      throw error;
    });
    if (prepared instanceof Untranslatable) {
      tried.failure ??= requestFailure(prepared.message);
      note(tried, target, null, prepared.message);
      return null;
    }
    for (let tries = 1; ; tries += 1) {
      const entry = healthOf(target).enter();
      if (entry.state !== "allowed") {
        const { retry } = call.settings;
        const waits = entry.state === "cooling" && entry.retryAfterMs <= retry.maxWaitMs && !elsewhere();
        if (!waits || tries > retry.attempts + 1) {
          tried.retryAfterMs = Math.min(tried.retryAfterMs, entry.retryAfterMs);
          tried.broken ||= entry.state === "open";
          note(tried, target, null, PASSED_OVER[entry.state]);
          return null;
        }
        // With a little spread, so that those who waited do not all come at once.
        await pause(call, entry.retryAfterMs + params.random.fraction() * retry.baseMs, clock);
        if (call.watch.ended !== null) return ended(call, tried);
        continue;
      }
      tried.attempts += 1;
      tried.target = target;
      call.onTry?.(target);
      const decide = (failure: Failure): NextTry =>
        nextTry({
          failure,
          tries,
          elsewhere: elsewhere(),
          retry: call.settings.retry,
          random: params.random,
        });
      const result = await once(call, target, prepared, tried, (failure) => decide(failure).next !== "none");
      report(target, result);
      if (result.state === "delivered")
        return {
          ...result.delivered,
          sent: result.delivered.sent || tried.sent,
          refusal: null,
          target,
          attempts: tried.attempts,
          failedTries: tried.failedTries,
          cache: null,
          budget: null,
          trimmed: call.trimmed,
        };
      tried.failure = result.failure;
      note(tried, target, result.failure.status, result.failure.message);
      tried.sent ||= result.failure.sent;
      if (call.watch.ended !== null) return ended(call, tried);
      const next = decide(result.failure);
      if (next.next === "none") return failed(call, tried);
      if (next.next === "elsewhere") return null;
      await pause(call, next.waitMs, clock);
      if (call.watch.ended !== null) return ended(call, tried);
    }
  };

  return async (call) => {
    const tried: Tried = {
      attempts: 0,
      target: null,
      sent: false,
      failedTries: [],
      failure: null,
      retryAfterMs: Infinity,
      broken: false,
    };
    for (let index = 0; index < call.targets.length; index += 1) {
      const result = await tryTarget(call, index, tried);
      if (result !== null) return result;
    }
    return failed(call, tried);
  };
}

const PASSED_OVER = {
  open: "It was not asked: it had failed repeatedly.",
  cooling: "It was not asked: it had asked us to wait.",
} as const;
const MOST_NOTED = 20;

function note(tried: Tried, { provider, model }: Target, status: number | null, error: string): void {
  if (tried.failedTries.length < MOST_NOTED)
    tried.failedTries.push({ provider: provider.name, model, status, error });
}

const pause = (call: Call, ms: number, clock: Clock): Promise<void> =>
  clock.sleep(ms, call.watch.signal).catch(() => {});

function ended(call: Call, tried: Tried): CallResult {
  if (call.watch.ended === "gone") return abandoned(call, tried);
  return refuse(call, {
    refusal: "upstream_timeout",
    message: "The call took longer than the longest allowed time (gateway.timeouts.totalMs).",
    tried,
  });
}

function failed(call: Call, tried: Tried): CallResult {
  const wait = Number.isFinite(tried.retryAfterMs) ? tried.retryAfterMs : null;
  const { failure } = tried;
  if (failure === null) {
    const names = [...new Set(call.targets.map((target) => `"${target.provider.name}"`))].join(", ");
    return refuse(call, {
      refusal: tried.broken ? "upstream_unavailable" : "rate_limited",
      message: `No provider can take the call now: ${names} ${tried.broken ? "failed repeatedly" : "asked us to wait"}.`,
      retryAfterMs: wait,
      tried,
    });
  }
  return refuse(call, {
    refusal: failure.refusal,
    message: failure.message,
    retryAfterMs: failure.retryAfterMs ?? wait,
    tried,
  });
}
