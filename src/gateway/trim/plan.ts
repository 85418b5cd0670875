import { droppable, isPaired, noteOn, stepsOf } from "./message-groups.ts";
import type { MessageView, ResultView } from "./message-view.ts";

/** How far a request is trimmed. */
export interface TrimTerms {
  /** Tokens above which it must shrink, whatever that costs. */
  readonly most: number;
  /** To which it shrinks then, so that the next time is far away. */
  readonly least: number;
  /** Steps at the end that stay as they are. */
  readonly keepSteps: number;
  /** What is dropped as a whole: a question with its answers, or steps of one long task, of which every question stays. */
  readonly whole: "step" | "exchange";
  /** Of what tells the model that something was dropped. */
  readonly noteTokens: number;
  /** Results are also cleared where that saves money; null: only where the request must shrink. */
  readonly saving: {
    /** Smaller requests stay as they are. */
    readonly fromTokens: number;
    /** What writing to the provider's prompt cache costs, in prices of input. */
    readonly writeFactor: number;
    /** Share of the conversation's cost so far that may be paid before it is saved; 0: never dearer than untrimmed. */
    readonly advance: number;
  } | null;
}

export interface PlanParams {
  readonly views: readonly MessageView[];
  /** Tokens of the request beside its messages: instructions, tools. */
  readonly otherTokens: number;
  /** Numbers of messages that stay as they are. */
  readonly pinned: ReadonlySet<number>;
  readonly terms: TrimTerms;
}

export interface TrimPlan {
  /** By message and number of the result: null where it is cleared, else the call that had the same result before. */
  readonly replaced: ReadonlyMap<number, ReadonlyMap<number, string | null>>;
  readonly dropped: ReadonlySet<number>;
  /** The message that says that others are missing; null: none is, or there is none that could. */
  readonly noted: number | null;
  readonly tokensIn: number;
  readonly tokensOut: number;
  /** At the beginning, the same as in the conversation's request before this one; 0 for the first one. */
  readonly stableTokens: number;
}

/** Of a token that the provider has in its prompt cache, in prices of input. */
const READ_FACTOR = 0.1;
/** Smaller results are not worth a stub. */
const LEAST_RESULT_TOKENS = 60;
/** Of what stands in place of a result. */
const STUB_TOKENS = 25;
/** Requests that are expected to follow: long sessions are the ones that cost. */
const HORIZON_STEPS = 20;
/** Tokens are ours, not the provider's: what must be written anew is taken for a little dearer than it is. */
const CAUTION = 1.05;
/** Requests after which a clearing must have paid for itself. */
const PAYBACK_STEPS = 12;

/**
 * What to leave out of a request. Nothing but the conversation decides: its earlier requests are gone through one after
 * the other, each as it was planned then, so that what was decided for them still holds, the beginning stays the same, and
 * the provider's prompt cache keeps hitting. Changes come in batches.
 *
 * A result that stands above word for word is sent as a reference to it. Results are cleared to save money only where that has paid for itself by then: with `advance` 0, what has been saved so far is never
 * less than what rewriting the cache has cost, so at no point has the conversation cost more than without trimming (READ_FACTOR
 * and `writeFactor` given; a cache that expired in between makes it cheaper still). Instructions, pinned messages and the
 * last steps are never touched; results and calls stay together.
 */
export function planTrim(params: Readonly<PlanParams>): TrimPlan {
  const { replaced, dropped, stableTokens, size } = replay(params);
  const tokensIn = params.otherTokens + sum(params.views.map((view) => view.tokens));
  if (!isPaired(params.views, dropped))
    return {
      replaced: new Map(),
      dropped: new Set(),
      noted: null,
      tokensIn,
      tokensOut: tokensIn,
      stableTokens,
    };
  for (const index of dropped) replaced.delete(index);
  const noted = noteOn(params.views, dropped);
  return { replaced, dropped, noted, tokensIn, tokensOut: size(), stableTokens };
}

function replay(params: Readonly<PlanParams>) {
  const { views, terms } = params;
  const steps = stepsOf(views);
  /** Tokens of each message as it goes out. */
  const left = views.map((view) => view.tokens);
  /** What clearing a message's results would save, as long as it has not been done. */
  const gains = views.map((view) => sum(worthwhile(view).map(([, { tokens }]) => tokens - STUB_TOKENS)));
  const replaced = new Map<number, Map<number, string | null>>();
  /** By message: the last step in which its results were shown, by itself or by a reference to them. */
  const shownIn = [...steps.of];
  /** By content: where it stands in full. */
  const standing = new Map<string, { readonly index: number; readonly callId: string }>();
  const dropped = new Set<number>();
  let end = 0;
  let total = params.otherTokens;
  /** Saved so far, less what was paid for it, in tokens at the price of input. */
  let balance = 0;
  /** What the conversation would have cost so far without trimming. */
  let spent = 0;
  let stableTokens = 0;

  const size = (): number => total + (dropped.size > 0 ? terms.noteTokens : 0);
  const gainOf = (index: number, before: number): number =>
    params.pinned.has(index) || dropped.has(index) || (shownIn[index] ?? 0) > before
      ? 0
      : (gains[index] ?? 0);
  const change = (index: number, tokens: number): void => {
    total += tokens - (left[index] ?? 0);
    left[index] = tokens;
  };
  const replace = (index: number, number: number, by: string | null): void => {
    const results = replaced.get(index) ?? new Map<number, string | null>();
    if (!results.has(number)) results.set(number, by);
    replaced.set(index, results);
  };
  const clear = (index: number): void => {
    change(index, (left[index] ?? 0) - (gains[index] ?? 0));
    gains[index] = 0;
    for (const [number, { digest }] of worthwhile(views[index])) {
      replace(index, number, null);
      if (standing.get(digest)?.index === index) standing.delete(digest);
    }
  };

  /** Lets new results that stand in full above refer to them; costs nothing, because they were never sent. */
  const refer = (from: number): void => {
    if (terms.saving === null || size() < terms.saving.fromTokens) return;
    for (let index = from; index < end; index += 1) {
      for (const [number, { digest, callId, tokens }] of worthwhile(views[index])) {
        const same = standing.get(digest);
        if (same === undefined || dropped.has(same.index)) standing.set(digest, { index, callId });
        else if (same.index < from && !params.pinned.has(index)) {
          shownIn[same.index] = Math.max(shownIn[same.index] ?? 0, steps.of[index] ?? 0);
          replace(index, number, same.callId);
          const saved = tokens - STUB_TOKENS;
          gains[index] = (gains[index] ?? 0) - saved;
          change(index, (left[index] ?? 0) - saved);
          balance += terms.saving.writeFactor * saved;
        }
      }
    }
  };

  /** Clears where it pays; gives the first message that has changed. */
  const save = (cached: number, before: number): number => {
    if (terms.saving === null || size() < terms.saving.fromTokens) return Infinity;
    const extra = terms.saving.writeFactor - READ_FACTOR;
    const advance = terms.saving.advance * spent;
    let rewritten = 0;
    let gain = 0;
    let best = { from: Infinity, value: 0, net: 0 };
    for (let index = cached - 1; index >= 0; index -= 1) {
      rewritten += left[index] ?? 0;
      const here = gainOf(index, before);
      if (here <= 0) continue;
      gain += here;
      rewritten -= here;
      const perStep = READ_FACTOR * gain;
      const price = CAUTION * extra * rewritten;
      if (price > PAYBACK_STEPS * perStep || balance + perStep + advance < price) continue;
      const value = perStep * (HORIZON_STEPS + 1) - price;
      if (value > best.value) best = { from: index, value, net: perStep - price };
    }
    for (let index = best.from; index < cached; index += 1) if (gainOf(index, before) > 0) clear(index);
    balance += best.net;
    return best.from;
  };

  /** Shrinks a request that is too large; gives the first message that has changed. */
  const shrink = (cached: number, before: number): number => {
    const removedBefore = removed(cached);
    const isFirstGap = dropped.size === 0;
    let first = Infinity;
    for (let index = 0; index < cached; index += 1) {
      if (gainOf(index, before) <= 0) continue;
      clear(index);
      first = Math.min(first, index);
    }
    if (size() > (terms.most + terms.least) / 2) {
      const groups = droppable({ views, steps: steps.of, end, keep: terms.keepSteps, whole: terms.whole });
      for (const group of groups) {
        if (size() <= terms.least) break;
        if (
          group.some(
            (index) =>
              params.pinned.has(index) || (shownIn[index] ?? 0) > Math.max(before, steps.of[index] ?? 0),
          )
        )
          continue;
        for (const index of group) {
          if (dropped.has(index)) continue;
          dropped.add(index);
          change(index, 0);
          first = Math.min(first, index);
        }
      }
    }
    if (isFirstGap) first = Math.min(first, noteOn(views, dropped) ?? Infinity);
    if (first === Infinity || terms.saving === null) return first;
    const rewritten = sum(left.slice(first, cached));
    balance +=
      READ_FACTOR * (removed(cached) - removedBefore) - (terms.saving.writeFactor - READ_FACTOR) * rewritten;
    return first;
  };

  const removed = (upTo: number): number =>
    sum(views.slice(0, upTo).map((view, index) => view.tokens - (left[index] ?? 0)));

  for (const request of steps.requests) {
    const cached = end;
    const cachedTokens = total + removed(cached);
    for (; end < request; end += 1) total += left[end] ?? 0;
    if (terms.saving !== null) {
      const { writeFactor } = terms.saving;
      const isFirst = cached === 0;
      spent +=
        (isFirst ? 0 : READ_FACTOR * cachedTokens) +
        writeFactor * (total + removed(cached) - (isFirst ? 0 : cachedTokens));
      balance += READ_FACTOR * removed(cached);
    }
    refer(cached);
    const before = (steps.of[end - 1] ?? 0) - terms.keepSteps;
    let first = save(cached, before);
    if (size() > terms.most) first = Math.min(first, shrink(cached, before));
    stableTokens = cached === 0 ? 0 : params.otherTokens + sum(left.slice(0, Math.min(first, cached)));
  }
  return { replaced, dropped, stableTokens, size };
}

/** The results that are worth a stub, with their numbers. */
function worthwhile(view: MessageView | undefined): readonly (readonly [number, ResultView])[] {
  return (view?.results ?? []).flatMap((result, number) =>
    result.tokens <= LEAST_RESULT_TOKENS ? [] : [[number, result] as const],
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
