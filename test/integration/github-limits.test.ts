import { expect, test } from "vitest";
import { setupGitHub } from "../github-server/scenario.ts";

/* GitHub's limits for writing: planned with where we know them, obeyed where they are tighter than we know. */

const ISSUES = 6;
const MINUTE_MS = 60_000;

for (const status of [403, 429] as const)
  test(`a secondary limit that is tighter than ours (${status}): one refusal each time, and all is written in the end`, async () => {
    const { openIssue, settle, server, clock, database } = await setupGitHub({
      writes: { perMinute: 80, perHour: 500, gapMs: 0 },
    });
    // Somebody else writes with the same account.
    server.state.secondaryLimit = { writes: 4, windowMs: MINUTE_MS, status, now: clock.now };
    const issues = Array.from({ length: ISSUES }, () => openIssue({ labelledBy: "hanako" }));
    const isWritten = (): boolean =>
      issues.every(({ labels, comments }) => labels.length === 2 && comments.length === 1);
    let rounds = 0;
    for (; !isWritten() && rounds < 12; rounds += 1) {
      const before = server.state.writes.refusals;
      await settle();
      expect(server.state.writes.refusals - before).toBeLessThanOrEqual(1);
      clock.advance(2 * MINUTE_MS + 1);
    }
    expect(isWritten()).toBe(true);
    expect(server.state.writes.refusals).toBeGreaterThan(0);
    expect(server.state.writes.mostUnderWay).toBe(1);
    await settle();
    const { rows } = await database.query("select distinct state from miyabi.outbox");
    expect(rows).toEqual([{ state: "done" }]);
  });

test("within the limits that we know nothing is refused, and labels come before comments", async () => {
  const { openIssue, settle, server, clock, github } = await setupGitHub({
    writes: { perMinute: 10, perHour: 16, gapMs: 0 },
  });
  server.state.secondaryLimit = { writes: 10, windowMs: MINUTE_MS, status: 403, now: clock.now };
  const issues = Array.from({ length: ISSUES }, () => openIssue({ labelledBy: "hanako" }));
  const shown = (): [number, number] => [
    issues.filter(({ labels }) => labels.length === 2).length,
    issues.filter(({ comments }) => comments.length === 1).length,
  ];
  await settle();
  // Half of the hour is for comments; the labels were first.
  expect(shown()).toEqual([6, 2]);
  expect(await github.usage()).toMatchObject({ writes: { hour: 8, limits: { perHour: 16 } }, waiting: 4 });
  clock.advance(60 * MINUTE_MS);
  await settle();
  expect(shown()).toEqual([6, 6]);
  expect(server.state.writes.refusals).toBe(0);
});

test("a pull request and its merge are not held up by comments that wait", async () => {
  const { openIssue, settle, agents, check, task, pulls } = await setupGitHub({
    policy: "when-green",
    writes: { perMinute: 100, perHour: 8, gapMs: 0 },
  });
  const [issue] = Array.from({ length: 1 }, () => openIssue({ labelledBy: "hanako" }));
  await settle();
  await agents();
  await settle();
  await check("success", "");
  await settle();
  expect(pulls()).toHaveLength(1);
  expect(await task()).toMatchObject({ state: "done" });
  // Its last state is not shown yet: there was no room for it.
  expect(issue?.comments.at(-1)?.body).not.toContain("**done**");
});
