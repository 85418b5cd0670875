import { parseJson } from "../../base/index.ts";
import { windowOfModel } from "../price.ts";
import { routeOf } from "../routing/choose-targets.ts";
import { outputLimitOf } from "../top-level-fields.ts";
import { chooseTrim } from "../trim/choose-trim.ts";
import { loadTokenizer, surelyFits } from "../trim/count-tokens.ts";
import { trimDialectOf } from "../trim/dialects.ts";
import { createSummaries, summaryDialectOf, summaryQuestion } from "../trim/summary.ts";
import type { SummaryStore } from "../trim/summary-store.ts";
import { createTrimBody, type TrimBody } from "../trim/trim-body.ts";
import { termsOf } from "../trim/trim-terms.ts";
import type { Target } from "../routing/choose-targets.ts";
import { askWithin, type Within } from "./ask-within.ts";
import type { Call, Next, Stage } from "./call.ts";
import type { RetentionMeter } from "./measure-retention.ts";
import { priced } from "./record.ts";
import { refuse } from "./refuse.ts";

interface TrimStageParams {
  readonly within: Within;
  /** For calls of our own: what stands before this stage in the pipeline, and then the provider. */
  readonly next: Next;
  readonly retention: Pick<RetentionMeter, "measure">;
  readonly summaries: Pick<SummaryStore, "find" | "keep">;
  /** Where a call to another model would go; null: nowhere. */
  readonly targetsOf: (call: Call, model: string) => Promise<readonly Target[] | null>;
}

/**
 * Trims requests whose call, key, route or kind of caller asks for it; all others pass untouched. Small ones are let through
 * by their bytes, so that nothing is counted.
 */
export function createTrimStage(params: Readonly<TrimStageParams>): Stage {
  const summaries = createSummaries(params.summaries);

  /** Null: none is wanted, or it failed. */
  const summaryOf = async (call: Call, dropped: readonly Buffer[]): Promise<string | null> => {
    const settings = call.settings.trim.summary;
    const dialect = summaryDialectOf(call.endpoint.name);
    if (settings === null || dialect === null || dropped.length === 0) return null;
    const scope = `${call.caller.keyId ?? call.caller.runId ?? ""} ${settings.model} ${settings.tokens}`;
    return summaries.of(scope, dropped, async () => {
      const targets = await params.targetsOf(call, settings.model);
      if (targets === null) return null;
      return askWithin(params.within, {
        call,
        next: params.next,
        body: dialect.request(summaryQuestion(settings, dropped), settings),
        step: { name: "trim", step: "summary" },
        textOf: dialect.textOf,
        to: {
          model: settings.model,
          targets,
          ...(dialect.operation === undefined ? {} : { operation: dialect.operation, query: "" }),
        },
      });
    });
  };

  let trimBody: Promise<TrimBody> | null = null;
  return async (call, next) => {
    const dialect = trimDialectOf(call.endpoint.name);
    if (dialect === null) return next(call);
    const { settings } = call;
    const chosen = chooseTrim({
      headers: call.request.headers,
      caller: call.caller,
      route: routeOf(settings, call.model),
      settings: settings.trim,
    });
    if (chosen.state === "invalid") return refuse(call, { refusal: "bad_request", message: chosen.message });
    const { choice, pinned } = chosen;
    if (choice === "off") return next(call);
    const smallest = choice === "window" ? settings.trim.fromTokens : choice;
    if (surelyFits(call.body, smallest)) return next(call);
    const fields = parseJson(call.body.toString("utf8"));
    if (typeof fields !== "object" || fields === null) return next(call);
    trimBody ??= loadTokenizer().then(createTrimBody);
    const trim = await trimBody;
    const terms = termsOf({
      choice,
      settings: settings.trim,
      window: choice === "window" ? await windowOf(call) : choice,
      output: outputLimitOf(call.body) ?? settings.budgets.reserveOutputTokens,
      body: call.body,
    });
    const result = trim({ body: call.body, fields: { ...fields }, dialect, terms, pinned });
    if (result === null) return next(call);
    const { tokensIn, tokensOut, stableTokens } = result.plan;
    const compressRatio = tokensIn === 0 ? 1 : tokensOut / tokensIn;
    call.answerHeaders["x-miyabi-compress-ratio"] = compressRatio.toFixed(3);
    const summary = await summaryOf(call, result.dropped);
    const body = summary === null ? result.body : result.withSummary(summary);
    const answered = await next({
      ...call,
      body,
      trimmed: { tokensIn, tokensOut, compressRatio, prefixStableTokens: stableTokens },
    });
    // What was left out means something to be lost only where something was.
    if (body !== call.body && answered.outcome !== "refused")
      params.retention.measure(call, body, dialect.field);
    return answered;
  };
}

/** The smallest window of the call's targets, whichever of them answers. */
async function windowOf(call: Call): Promise<number> {
  const { windows, unknownWindow } = call.settings.trim;
  const sizes = await Promise.all(
    call.targets.map(async ({ model, provider }) => {
      if (model !== null && Object.hasOwn(windows, model)) return windows[model] ?? unknownWindow;
      return (
        (await windowOfModel({ model, provider: priced(provider), at: call.startedAt })) ?? unknownWindow
      );
    }),
  );
  return Math.min(...sizes);
}
