import { expect, test } from "vitest";
import { AppError } from "../../base/index.ts";
import { createTestDatabase } from "../../store/testing.ts";
import { createBudget } from "./budget.ts";
import { createWritePace, isMutation, urgencyOf, type Urgency } from "./write-pace.ts";

const LIMITS = { perMinute: 8, perHour: 20, gapMs: 1_000 };

/** A clock whose sleepers are woken at once, at the time that they asked for. */
function createQuickClock() {
  let nowMs = Date.parse("2026-01-01T00:00:00Z");
  const advance = (ms: number): void => void (nowMs += ms);
  return {
    advance,
    now: () => new Date(nowMs),
    monotonicMs: () => nowMs,
    sleep: (ms: number) => Promise.resolve(advance(ms)),
  };
}

async function setup() {
  const { database } = await createTestDatabase();
  const clock = createQuickClock();
  const budget = createBudget({ clock });
  const open = () =>
    createWritePace({ limits: LIMITS, connection: "https://api.github.com", database, budget, clock });
  const made: { at: number; urgency: Urgency }[] = [];
  /** Writes as the outbox does: again when it is told to come again. */
  const write = async (pace: ReturnType<typeof open>, urgency: Urgency): Promise<void> => {
    for (;;) {
      try {
        return await pace.write(urgency, () => {
          made.push({ at: clock.now().getTime(), urgency });
          return Promise.resolve();
        });
      } catch (error) {
        const pauseMs = error instanceof AppError ? error.details["retryAfterMs"] : undefined;
        if (typeof pauseMs !== "number") throw error;
        clock.advance(pauseMs);
      }
    }
  };
  return { clock, budget, open, made, write };
}

const most = (times: readonly number[], windowMs: number): number =>
  Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + windowMs).length));

test("writes stay below the limits of the minute and the hour, with a gap, also of two processes and after a restart", async () => {
  const { open, made, write } = await setup();
  const [one, other] = [open(), open()];
  for (let count = 0; count < 15; count += 1) await write(count % 2 === 0 ? one : other, "urgent");
  for (let count = 0; count < 15; count += 1) await write(open(), "urgent");
  const times = made.map(({ at }) => at);
  expect(most(times, 60_000)).toBe(8);
  expect(most(times, 3_600_000)).toBe(20);
  for (const [index, at] of times.slice(1).entries())
    expect(at - (times[index] ?? 0)).toBeGreaterThanOrEqual(1_000);
});

test("one write at a time, and of those that wait the most urgent first", async () => {
  const { open, made, write } = await setup();
  const pace = open();
  const order: Urgency[] = ["comment", "comment", "label", "answer", "urgent"];
  await Promise.all(order.map((urgency) => write(pace, urgency)));
  expect(made.map(({ urgency }) => urgency)).toEqual(["comment", "urgent", "answer", "label", "comment"]);
});

test("comments leave room for labels, labels for answers, and all for pull requests and merges", async () => {
  const { open, made, clock, write } = await setup();
  const pace = open();
  const room = async (): Promise<boolean[]> =>
    Promise.all((["comment", "label", "answer", "urgent"] as const).map((one) => pace.hasRoom(one)));
  const writeSlowly = async (count: number): Promise<void> => {
    for (let done = 0; done < count; done += 1) {
      clock.advance(30_000);
      await write(pace, "urgent");
    }
    clock.advance(60_000);
  };
  await writeSlowly(10);
  expect(await room()).toEqual([false, true, true, true]);
  await writeSlowly(5);
  expect(await room()).toEqual([false, false, true, true]);
  await writeSlowly(3);
  expect(await room()).toEqual([false, false, false, true]);
  await writeSlowly(2);
  expect(await room()).toEqual([false, false, false, false]);
  expect(made).toHaveLength(20);
  expect(await pace.state()).toMatchObject({ hour: 20, limits: { perHour: 20 } });
  clock.advance(3_600_000);
  expect(await room()).toEqual([true, true, true, true]);
});

test("a refusal holds all writes as long as GitHub says, and longer each time it goes on", async () => {
  const { open, clock } = await setup();
  const refused = new AppError({
    code: "github.rate_limited",
    message: "You have exceeded a secondary rate limit.",
    details: { retryAfterMs: 60_000, status: 403 },
  });
  const fail = (): Promise<unknown> =>
    open()
      .write("urgent", () => Promise.reject(refused))
      .catch((error: unknown) => error);
  expect(await fail()).toBe(refused);
  expect(await open().hasRoom("urgent")).toBe(false);
  // Nothing is sent meanwhile.
  await expect(open().write("urgent", () => Promise.resolve("sent"))).rejects.toMatchObject({
    code: "github.rate_limited",
  });
  clock.advance(60_000);
  expect(await open().hasRoom("urgent")).toBe(true);
  await fail();
  clock.advance(60_001);
  expect(await open().hasRoom("urgent")).toBe(false);
  clock.advance(60_000);
  expect(await open().write("urgent", () => Promise.resolve("sent"))).toBe("sent");
  clock.advance(1_000);
  await fail();
  clock.advance(60_000);
  expect(await open().hasRoom("urgent")).toBe(true);
});

test("an answer that is written as a comment has the room of an answer", async () => {
  const { open, clock, write } = await setup();
  const pace = open();
  for (let done = 0; done < 12; done += 1) {
    clock.advance(30_000);
    await write(pace, "urgent");
  }
  clock.advance(60_000);
  const comment = (): Promise<string> => pace.write("comment", () => Promise.resolve("written"));
  await expect(comment()).rejects.toMatchObject({ code: "github.rate_limited" });
  expect(await pace.as("answer", comment)).toBe("written");
});

test("labels and comments wait where hardly any requests are left", async () => {
  const { open, budget, clock } = await setup();
  const pace = open();
  const reset = clock.now().getTime() / 1_000 + 600;
  budget.note({ "x-ratelimit-limit": 5_000, "x-ratelimit-remaining": 499, "x-ratelimit-reset": reset });
  expect(await pace.hasRoom("comment")).toBe(false);
  expect(await pace.hasRoom("label")).toBe(false);
  expect(await pace.hasRoom("urgent")).toBe(true);
  clock.advance(601_000);
  expect(await pace.hasRoom("comment")).toBe(true);
});

test("each route has its urgency, and questions have none", () => {
  const issue = "/repos/{owner}/{repo}/issues/{issue_number}";
  const pulls = "/repos/{owner}/{repo}/pulls";
  for (const [route, urgency] of [
    [`GET ${issue}/comments`, null],
    [`POST ${pulls}`, "urgent"],
    [`PATCH ${pulls}/{pull_number}`, "urgent"],
    [`PUT ${pulls}/{pull_number}/merge`, "urgent"],
    [`POST ${issue}/labels`, "label"],
    [`DELETE ${issue}/labels/{name}`, "label"],
    [`POST ${issue}/comments`, "comment"],
    ["PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}", "comment"],
    ["POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", "answer"],
    ["POST /repos/{owner}/{repo}/check-runs", "answer"],
  ] as const)
    expect([route, urgencyOf(route)]).toEqual([route, urgency]);
  expect(isMutation("mutation ($id: ID!) { x }")).toBe(true);
  expect(isMutation("query { mutation }")).toBe(false);
});
