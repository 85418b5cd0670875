import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MessageView } from "./message-view.ts";
import { planTrim, type TrimPlan, type TrimTerms } from "./plan.ts";

const human = (tokens = 50): MessageView => ({ kind: "human", tokens, calls: [], results: [] });
const says = (tokens: number, ...calls: string[]): MessageView => ({
  kind: "assistant",
  tokens,
  calls,
  results: [],
});
const result = (callId: string, tokens: number): MessageView => ({
  kind: "results",
  tokens: tokens + 8,
  calls: [],
  results: [{ callId, tokens, digest: tokens > 4_000 ? `large ${tokens}` : callId }],
});

const BUDGET: TrimTerms = {
  most: 4_096,
  least: 2_048,
  keepSteps: 1,
  whole: "exchange",
  noteTokens: 40,
  saving: null,
};
const WINDOW: TrimTerms = {
  most: 60_000,
  least: 30_000,
  keepSteps: 3,
  whole: "step",
  noteTokens: 40,
  saving: { fromTokens: 10_000, writeFactor: 1.25, advance: 0 },
};

const plan = (views: readonly MessageView[], terms: TrimTerms, pinned: readonly number[] = []): TrimPlan =>
  planTrim({ views, otherTokens: 1_000, pinned: new Set(pinned), terms });

/** What goes out: an entry by message, which differs where the message does; and its tokens. */
function outcome(views: readonly MessageView[], made: TrimPlan): (readonly [string, number])[] {
  return views.flatMap((view, index) => {
    if (made.dropped.has(index)) return [];
    const replaced = made.replaced.get(index);
    const gone = view.results.reduce(
      (sum, { tokens }, at) => sum + (replaced?.has(at) === true ? tokens - 25 : 0),
      0,
    );
    const changes = replaced === undefined ? "" : JSON.stringify([...replaced]);
    return [[`${index} ${changes}${made.noted === index ? " noted" : ""}`, view.tokens - gone] as const];
  });
}

const sizes = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 300 }) },
  { weight: 2, arbitrary: fc.integer({ min: 300, max: 3_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(3_500, 5_000, 9_000, 20_000) },
);
/** A conversation that begins with a task and goes on with steps, each of 0 to 3 calls, now and then a word by a person. */
const conversations = fc
  .array(fc.record({ says: sizes, results: fc.array(sizes, { maxLength: 3 }), person: fc.nat(9) }), {
    minLength: 1,
    maxLength: 60,
  })
  .map((steps) =>
    steps.flatMap((step, number): MessageView[] => [
      ...(number === 0 ? [{ ...human(0), kind: "fixed" as const, tokens: 200 }, human(300)] : []),
      says(step.says, ...step.results.map((_, at) => `c${number}.${at}`)),
      ...step.results.map((tokens, at) => result(`c${number}.${at}`, tokens)),
      ...(step.person === 0 || step.results.length === 0 ? [human(step.says)] : []),
    ]),
  );
const terms = fc.constantFrom(
  BUDGET,
  WINDOW,
  { ...WINDOW, saving: null },
  { ...BUDGET, most: 1_024, least: 512 },
);

/** The requests of a conversation: one before each time that the model speaks, and the last one. */
function requestsOf(views: readonly MessageView[]): (readonly MessageView[])[] {
  const ends = views.flatMap((view, index) =>
    index > 0 && view.kind === "assistant" && views[index - 1]?.kind !== "assistant" ? [index] : [],
  );
  return [...ends, views.length].map((end) => views.slice(0, end));
}

describe("for every conversation", () => {
  test("calls and results stay together, instructions, pinned messages and the last turns stay", () => {
    fc.assert(
      fc.property(conversations, terms, fc.array(fc.nat(80)), (views, how, pinned) => {
        const made = plan(views, how, pinned);
        const last = views.findLastIndex((view) => view.kind === "human");
        const lastStep = views.findLastIndex((view) => view.kind === "assistant");
        const safe = how.whole === "exchange" ? Math.max(last, lastStep) : lastStep;
        const calls = new Map(views.flatMap((view, index) => view.calls.map((id) => [id, index] as const)));
        views.forEach((view, index) => {
          for (const { callId } of view.results)
            expect(made.dropped.has(calls.get(callId) ?? -1)).toBe(made.dropped.has(index));
          if (view.kind === "fixed" || pinned.includes(index) || index === last || index >= safe) {
            expect(made.dropped.has(index)).toBe(false);
            // A new result may refer to the same one above, unless it is pinned.
            for (const by of made.replaced.get(index)?.values() ?? []) expect(by).not.toBeNull();
            if (pinned.includes(index)) expect(made.replaced.has(index)).toBe(false);
          }
        });
      }),
      { numRuns: 300 },
    );
  });

  test("a request is within its budget, or nothing more of it may be left out", () => {
    fc.assert(
      fc.property(conversations, terms, (views, how) => {
        const made = plan(views, how);
        if (made.tokensOut <= how.most) return;
        const lastQuestion = views.findLastIndex((view) => view.kind === "human");
        const spoken = views.flatMap((view, index) =>
          view.kind === "assistant" && views[index - 1]?.kind !== "assistant" ? [index] : [],
        );
        const kept = spoken.at(-how.keepSteps) ?? 0;
        views.forEach((view, index) => {
          if (made.dropped.has(index) || view.kind === "fixed" || index >= kept) return;
          if (how.whole === "exchange") expect(index).toBeGreaterThanOrEqual(lastQuestion);
          if (index > lastQuestion || how.whole === "step") expect(view.kind).toBe("human");
        });
      }),
      { numRuns: 300 },
    );
  });

  test("what a result refers to stands above it in full, as long as the result is one of the last", () => {
    fc.assert(
      fc.property(conversations, (views) => {
        for (const request of requestsOf(views)) {
          const made = plan(request, WINDOW);
          const steps = request.map(
            (_, index) =>
              request
                .slice(0, index + 1)
                .filter((view, at) => view.kind === "assistant" && request[at - 1]?.kind !== "assistant")
                .length,
          );
          const resultOf = new Map(
            request.flatMap((view, index) =>
              view.results.map((one) => [one.callId, { index, ...one }] as const),
            ),
          );
          for (const [index, results] of made.replaced)
            for (const [number, by] of results) {
              if (by === null || (steps[index] ?? 0) <= (steps.at(-1) ?? 0) - WINDOW.keepSteps) continue;
              const same = resultOf.get(by);
              expect(same?.digest).toBe(request[index]?.results[number]?.digest);
              expect(made.replaced.has(same?.index ?? -1) || made.dropped.has(same?.index ?? -1)).toBe(false);
            }
        }
      }),
      { numRuns: 100 },
    );
  });

  test("the same history has the same plan, and tokens are those of what goes out", () => {
    fc.assert(
      fc.property(conversations, terms, (views, how) => {
        const made = plan(views, how);
        expect(plan(structuredClone(views), how)).toEqual(made);
        const sent = outcome(views, made).reduce((sum, [, tokens]) => sum + tokens, 1_000);
        expect(made.tokensOut).toBe(sent + (made.dropped.size > 0 ? how.noteTokens : 0));
      }),
    );
  });

  test("what stays the same from request to request is as long as the plan says", () => {
    fc.assert(
      fc.property(conversations, terms, (views, how) => {
        let before: readonly (readonly [string, number])[] | null = null;
        for (const request of requestsOf(views)) {
          const made = plan(request, how);
          const now = outcome(request, made);
          if (before !== null) {
            const seen = before;
            const differs = now.findIndex(([name], index) => seen[index]?.[0] !== name);
            const same = now.slice(0, differs === -1 ? now.length : differs);
            const stable = same.reduce((sum, [, tokens]) => sum + tokens, 1_000);
            expect(made.stableTokens).toBeLessThanOrEqual(stable);
            // A clearing or dropping that did not happen leaves the whole last request as it was.
            if (differs === -1 || differs >= seen.length) expect(made.stableTokens).toBe(stable);
          }
          before = now;
        }
      }),
      { numRuns: 100 },
    );
  });

  test("with the provider's prompt cache it never costs more than without, after no request", () => {
    const saving: TrimTerms = { ...WINDOW, most: Infinity, least: Infinity };
    fc.assert(
      fc.property(conversations, fc.constantFrom(1.25, 2), (views, writeFactor) => {
        const how = { ...saving, saving: { fromTokens: 2_000, writeFactor, advance: 0 } };
        let with_ = 0;
        let without = 0;
        let sentWith: readonly (readonly [string, number])[] = [];
        let sentWithout: readonly (readonly [string, number])[] = [];
        for (const request of requestsOf(views)) {
          const trimmed = outcome(request, plan(request, how));
          const whole = request.map((view, index) => [`${index} `, view.tokens] as const);
          with_ += costOf(sentWith, trimmed, writeFactor);
          without += costOf(sentWithout, whole, writeFactor);
          expect(with_).toBeLessThanOrEqual(without + 1e-6);
          sentWith = trimmed;
          sentWithout = whole;
        }
      }),
      { numRuns: 200 },
    );
  });
});

function costOf(
  before: readonly (readonly [string, number])[],
  now: readonly (readonly [string, number])[],
  writeFactor: number,
): number {
  const differs = now.findIndex(([name], index) => before[index]?.[0] !== name);
  const same = differs === -1 ? now.length : differs;
  return now.reduce((sum, [, tokens], index) => sum + tokens * (index < same ? 0.1 : writeFactor), 0);
}

describe("plans", () => {
  const task = (...steps: (readonly [number, number])[]): MessageView[] => [
    human(500),
    ...steps.flatMap(([call, size], number) => [says(call, `c${number}`), result(`c${number}`, size)]),
  ];

  test("leave small requests alone", () => {
    expect(plan(task([100, 2_000], [100, 3_000]), WINDOW)).toMatchObject({
      tokensIn: 6_716,
      tokensOut: 6_716,
    });
    expect(plan(task([100, 2_000], [100, 3_000]), WINDOW).replaced.size).toBe(0);
  });

  test("clear large results when little follows them, and leave the beginning as it is", () => {
    const views = task([50, 40], [50, 9_000], [50, 9_500], [50, 100], [50, 100], [50, 100]);
    const made = plan(views, WINDOW);
    expect([...made.replaced.keys()].sort()).toEqual([4, 6]);
    expect(made.dropped.size).toBe(0);
    expect(made.stableTokens).toBe(1_000 + 500 + 50 + 48 + 50);
  });

  test("refer to what stands above word for word, at once", () => {
    const made = plan(task([50, 9_000], [3_000, 40], [50, 9_000]), WINDOW);
    expect(made.replaced).toEqual(new Map([[6, new Map([[0, "c0"]])]]));
  });

  test("do not clear what would have to be paid for with a large rewrite", () => {
    const views = task([50, 9_000], [50, 200], [3_000, 200], [3_000, 200], [50, 200]);
    expect(plan(views, WINDOW).replaced.size).toBe(0);
    expect(
      plan(views, { ...WINDOW, saving: { fromTokens: 10_000, writeFactor: 1.25, advance: 0.2 } }).replaced
        .size,
    ).toBe(1);
  });

  test("drop the oldest steps of an agent at the window, and keep its task", () => {
    const made = plan(task(...Array.from({ length: 80 }, () => [900, 50] as const)), WINDOW);
    expect(made.dropped.has(0)).toBe(false);
    expect(made.noted).toBe(0);
    expect(made.dropped.size).toBeGreaterThan(20);
    expect(made.tokensOut).toBeLessThanOrEqual(WINDOW.most);
  });

  test("drop the oldest questions of a chat with their answers", () => {
    const views = Array.from({ length: 20 }, () => [human(300), says(200)]).flat();
    const made = plan([...views, human(300)], BUDGET);
    expect(made.dropped.size % 2).toBe(0);
    expect(Math.max(...made.dropped)).toBe(made.dropped.size - 1);
    expect(made.tokensOut).toBeLessThanOrEqual(4_096);
    expect(made.tokensOut).toBeGreaterThan(1_500);
  });

  test("drop nothing where a result is not beside its call", () => {
    const views = [human(), says(5_000, "a"), human(), result("a", 100)];
    expect(plan(views, BUDGET).dropped.size).toBe(0);
  });
});
