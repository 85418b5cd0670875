import type { MessageView } from "./message-view.ts";

/** Which messages belong together. A step is what the model says at once, with the results of its calls. */
export interface Steps {
  /** By message: the number of its step; 0: before the model said anything. */
  readonly of: readonly number[];
  /** By request that the conversation has seen so far: how many messages it had; the last one has all. */
  readonly requests: readonly number[];
}

/** The steps of a conversation, and the requests that led to them: one before each step. */
export function stepsOf(views: readonly MessageView[]): Steps {
  const of: number[] = [];
  const requests: number[] = [];
  let step = 0;
  views.forEach((view, index) => {
    if (view.kind === "assistant" && views[index - 1]?.kind !== "assistant") {
      step += 1;
      if (index > 0) requests.push(index);
    }
    of.push(step);
  });
  if (requests.at(-1) !== views.length && views.length > 0) requests.push(views.length);
  return { of, requests };
}

/**
 * What may be dropped of the first `end` messages, oldest first, each group as a whole. `step`: steps, but what people
 * said stays. `exchange`: a question with all that followed it; of the last one only steps. The last `keep` steps stay.
 */
export function droppable(params: {
  readonly views: readonly MessageView[];
  readonly steps: readonly number[];
  readonly end: number;
  readonly keep: number;
  readonly whole: "step" | "exchange";
}): readonly (readonly number[])[] {
  const { views, steps, end, keep } = params;
  const newest = steps[end - 1] ?? 0;
  const questions: number[] = [];
  for (let index = 0; index < end; index += 1)
    if (views[index]?.kind === "human" && views[index - 1]?.kind !== "human") questions.push(index);
  const lastQuestion = params.whole === "exchange" ? (questions.at(-1) ?? 0) : 0;
  const groups = new Map<string, number[]>();
  let exchange = 0;
  for (let index = 0; index < end; index += 1) {
    const kind = views[index]?.kind ?? "fixed";
    const step = steps[index] ?? 0;
    if (index === questions[exchange]) exchange += 1;
    const inLast = index >= lastQuestion;
    if (kind === "fixed" || (inLast && (kind === "human" || step > newest - keep))) continue;
    const name = inLast ? `step ${step}` : `exchange ${exchange}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [index]);
    else group.push(index);
  }
  return [...groups.values()];
}

/** The question that says that something is missing: the last one before the gap, else the first one behind it; null: none is left. */
export function noteOn(views: readonly MessageView[], dropped: ReadonlySet<number>): number | null {
  if (dropped.size === 0) return null;
  const gap = Math.min(...dropped);
  const isThere = (view: MessageView, index: number): boolean => view.kind === "human" && !dropped.has(index);
  const before = views.slice(0, gap).findLastIndex(isThere);
  const found = before === -1 ? views.findIndex(isThere) : before;
  return found === -1 ? null : found;
}

/** Whether every result that is left has its call, and every call that had a result still has it. */
export function isPaired(views: readonly MessageView[], dropped: ReadonlySet<number>): boolean {
  const callAt = new Map<string, boolean>();
  views.forEach((view, index) => {
    for (const id of view.calls) callAt.set(id, dropped.has(index));
  });
  return views.every((view, index) =>
    view.results.every(({ callId }) => {
      const callDropped = callAt.get(callId);
      return callDropped === undefined || callDropped === dropped.has(index);
    }),
  );
}
