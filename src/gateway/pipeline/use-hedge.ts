import type { Clock, Random } from "../../base/index.ts";
import type { HedgeSettings } from "../hedge/hedge-settings.ts";
import { createRace, type Runner } from "../hedge/race.ts";
import { sideEffectsOf } from "../hedge/side-effects.ts";
import type { Alarms } from "../relay/alarms.ts";
import { createAnswerCopy } from "../relay/answer-copy.ts";
import type { ProviderHealth } from "../relay/health.ts";
import { isRequestWrong } from "../relay/next-try.ts";
import { routeOf, type Target } from "../routing/choose-targets.ts";
import { latencyKey, type Latencies } from "../routing/latency.ts";
import type { Within } from "./ask-within.ts";
import { compose, type Call, type CallResult, type Next, type Stage } from "./call.ts";

interface HedgeStageParams {
  readonly within: Within;
  readonly clock: Clock;
  readonly random: Pick<Random, "uuid">;
  readonly alarms: Alarms;
  readonly health: ProviderHealth;
  readonly latencies: Latencies;
  /** What limits and budgets a further try as any other call. */
  readonly limits: readonly Stage[];
}

/** A further try of a call, a call of its own for limits, budgets and ledger. */
interface Second {
  readonly call: Call;
  readonly runner: Runner;
  readonly result: Promise<Ended | null>;
}

interface Ended {
  readonly result: CallResult;
  readonly atMs: number;
}

/** Of a try that was cancelled because another one was faster. */
const LOST = "Another try was faster.";

/**
 * Asks another target as well where the first byte is long in coming and the call's route says so; the answer that begins
 * first is the caller's, the other try is cancelled at once. Either try reserves and charges for itself: the call's own row
 * is that of the answer, the other one has a row that is a step of the chain `hedge`, its usage unknown where it was cut off.
 */
export function createHedgeStage(params: Readonly<HedgeStageParams>): Stage {
  return (call, next) => {
    const hedge = routeOf(call.settings, call.model)?.hedge;
    return hedge === undefined || call.targets.length < 2 || call.endpoint.usage === "none"
      ? next(call)
      : race(params, call, hedge, next);
  };
}

async function race(
  params: Readonly<HedgeStageParams>,
  call: Call,
  hedge: HedgeSettings,
  next: Next,
): Promise<CallResult> {
  const { clock } = params;
  const running = createRace(call.response, call.watch);
  const runner = running.enter();
  const tried = new Set<Target>();
  /** Of the first try, which must not go where the second one is. */
  const targets = [...call.targets];
  let second: Second | null = null;
  let disarm = (): void => {};

  const hedgeNow = (): void => {
    if (running.winner !== null || second !== null || call.watch.ended !== null) return;
    const target = targets.find(
      (one) => !tried.has(one) && params.health.of(one.provider.name, one.model).look().state === "allowed",
    );
    if (target === undefined || !mayRepeat(call, hedge)) return;
    targets.splice(targets.indexOf(target), 1);
    second = beginSecond(params, { call, target, runner: running.enter(), next });
  };
  const onTry = (target: Target): void => {
    tried.add(target);
    disarm();
    const afterMs = hedge.afterMs === "p95" ? params.latencies.p95Of(latencyKey(target)) : hedge.afterMs;
    if (afterMs !== null && second === null) disarm = params.alarms.set(afterMs, hedgeNow);
  };

  const copy = copyFor(call);
  try {
    const first: Ended = {
      result: await next({ ...call, response: runner, watch: runner.watch, targets, copy, onTry }),
      atMs: clock.monotonicMs(),
    };
    disarm();
    const { outcome, status } = first.result;
    if (outcome === "rejected" && isRequestWrong(status)) running.win(runner);
    const begun = second as Second | null;
    const other = (await begun?.result) ?? null;
    if (begun !== null && other !== null && running.winner === begun.runner) {
      handOver(begun.call.copy, call);
      const { budget } = other.result;
      await recordLoser(params, { ...call, id: begun.call.id }, first, { budget, error: LOST }, call.id);
      return { ...other.result, budget: null };
    }
    if (begun !== null && other !== null && other.result.outcome !== "refused")
      await recordLoser(params, begun.call, other, running.winner === null ? {} : { error: LOST }, call.id);
    if (call.watch.ended !== "gone") runner.give();
    handOver(copy, call);
    return first.result;
  } finally {
    disarm();
    running.end();
  }
}

function mayRepeat(call: Call, { tools }: HedgeSettings): boolean {
  const effects = sideEffectsOf(call.endpoint.name, call.body);
  return effects === "none" || (effects === "tools" && tools);
}

function beginSecond(
  params: Readonly<HedgeStageParams>,
  {
    call,
    target,
    runner,
    next,
  }: { readonly call: Call; readonly target: Target; readonly runner: Runner; readonly next: Next },
): Second {
  const { retry } = call.settings;
  const inner: Call = {
    ...call,
    id: params.random.uuid(),
    startedAt: params.clock.now(),
    startedMs: params.clock.monotonicMs(),
    settings: { ...call.settings, retry: { ...retry, attempts: 0 } },
    response: runner,
    watch: runner.watch,
    answerHeaders: { ...call.answerHeaders },
    copy: copyFor(call),
  };
  // Reserved for any of the targets, because either try may turn out to be the one that goes by this reservation.
  const ask = compose(params.limits, (allowed) =>
    next({ ...allowed, targets: allowed.targets.filter((one) => one === target) }),
  );
  const result = ask(inner).then(
    (ended): Ended => ({ result: ended, atMs: params.clock.monotonicMs() }),
    () => null,
  );
  return { call: inner, runner, result };
}

const copyFor = (call: Call): Call["copy"] =>
  call.copy === null ? null : createAnswerCopy(call.settings.cache.maxEntryBytes);

/** Whoever wanted a copy of the answer gets the winner's. */
function handOver(copy: Call["copy"], call: Call): void {
  const whole = copy?.whole() ?? null;
  if (whole === null) return;
  call.copy?.begin(whole.contentType);
  call.copy?.push(whole.body);
}

async function recordLoser(
  { within, clock }: Readonly<HedgeStageParams>,
  call: Call,
  { result, atMs }: Ended,
  changes: Partial<CallResult>,
  of: string,
): Promise<void> {
  // It has ended some time ago, and its row says how long it took.
  const startedMs = call.startedMs + clock.monotonicMs() - atMs;
  await within.record(
    { ...call, startedMs },
    { ...result, ...changes, chain: { name: "hedge", step: "lost", of } },
  );
}
