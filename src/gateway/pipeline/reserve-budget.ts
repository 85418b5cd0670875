import type { Clock, Log } from "../../base/index.ts";
import { messageOf } from "../../base/index.ts";
import type { Budgets, Reserved } from "../../guard/index.ts";
import { costOfUsage } from "../price.ts";
import type { Target } from "../routing/choose-targets.ts";
import { outputLimitOf } from "../top-level-fields.ts";
import { UNKNOWN_USAGE } from "../usage/usage.ts";
import { limitsOf, type NamedLimit } from "./budget-limits.ts";
import type { Call, CallResult, Stage } from "./call.ts";
import { estimateInputTokens } from "./limit-rate.ts";
import { priced } from "./record.ts";
import { abandoned, refuse } from "./refuse.ts";

interface BudgetStageParams {
  readonly budgets: Budgets;
  readonly clock: Clock;
  readonly log: Log;
}

/** Pauses before a call is refused that found everything reserved: most calls under way are over soon, and cost less. */
const BUSY_PAUSES_MS = [20, 80, 300] as const;

/** How soon a call may try again that found everything reserved by others. */
const BUSY_RETRY_MS = 5_000;

/**
 * Reserves what a call may cost at most of every budget that holds for it, before any provider is asked; the ledger charges
 * what it was. Targets whose price is unknown are left out where a budget holds: what cannot be checked counts as "no".
 */
export function createBudgetStage(params: Readonly<BudgetStageParams>): Stage {
  return async (call, next) => {
    if (call.endpoint.usage === "none") return next(call);
    const limits = limitsOf(call.caller, call.settings.budgets, call.startedAt);
    if (limits.length === 0) return next(call);
    const costs = await Promise.all(call.targets.map((target) => mostMicros(call, target)));
    const targets = call.targets.filter((_, index) => costs[index] !== null);
    if (targets.length === 0)
      return refuse(call, {
        refusal: "price_unknown",
        message:
          `The price of the model "${call.targets[0]?.model ?? ""}" is unknown, so the ${limits[0]?.label} cannot be checked. ` +
          "Add it to gateway.prices in miyabi.yaml.",
      });
    const micros = Math.max(...costs.filter((cost) => cost !== null));
    let reserved: Reserved;
    try {
      reserved = await params.budgets.reserve({ call: call.id, micros, limits });
      for (const pauseMs of BUSY_PAUSES_MS) {
        if (reserved.state !== "busy" || call.watch.ended !== null) break;
        await params.clock.sleep(pauseMs, call.watch.signal).catch(() => {});
        reserved = await params.budgets.reserve({ call: call.id, micros, limits });
      }
    } catch (error) {
      params.log.error({ error: messageOf(error) }, "budget not checked");
      return refuse(call, {
        refusal: "ledger_unavailable",
        message: "The budget cannot be checked; no call is made.",
      });
    }
    if (reserved.state !== "reserved") return refused(call, limits, reserved, params.clock.now());
    if (call.watch.ended === "gone") {
      await params.budgets.release(call.id);
      return abandoned(call, { target: null, attempts: 0, sent: false });
    }
    try {
      const result = await next({ ...call, targets });
      if (result.outcome === "refused") await params.budgets.release(call.id);
      return { ...result, budget: { limits, reservedMicros: micros } };
    } catch (error) {
      await params.budgets.release(call.id);
      throw error;
    }
  };
}

function refused(
  call: Call,
  limits: readonly NamedLimit[],
  reserved: Extract<Reserved, { readonly account: string }>,
  now: Date,
): CallResult {
  const limit = limits.find((one) => one.account === reserved.account);
  const label = limit?.label ?? reserved.account;
  if (reserved.state === "busy")
    return refuse(call, {
      refusal: "budget_busy",
      message: `What is left of the ${label} is reserved by calls under way.`,
      retryAfterMs: BUSY_RETRY_MS,
    });
  const spent = `${usd(reserved.spentMicros)} of ${usd(limit?.limitMicros ?? 0)}`;
  return refuse(call, {
    refusal: "budget_exhausted",
    message: `The ${label} is used up: ${spent}.`,
    retryAfterMs: limit?.endsAt == null ? null : limit.endsAt.getTime() - now.getTime(),
  });
}

function usd(micros: number): string {
  return `$${(micros / 1_000_000).toFixed(micros < 1_000_000 ? 4 : 2)}`;
}

/** The most that a call may cost at a target, USD × 10⁻⁶; null: unknown. */
async function mostMicros(call: Call, target: Target): Promise<number | null> {
  const output =
    call.endpoint.usage === "embeddings"
      ? 0
      : (outputLimitOf(call.body) ?? call.settings.budgets.reserveOutputTokens);
  const cost = await costOfUsage({
    model: target.model,
    usage: { ...UNKNOWN_USAGE, input: estimateInputTokens(call.body.length), output },
    provider: priced(target.provider),
    overrides: call.settings.prices,
    at: call.startedAt,
  });
  return cost?.micros ?? null;
}
