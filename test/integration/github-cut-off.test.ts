import { expect, test } from "vitest";
import { setupGitHub } from "../github-server/scenario.ts";

/* Replies that are cut off say nothing: what they would have said is asked for again. */

test("a merge whose reply is cut off is found again, and is no refusal", async () => {
  const { openIssue, settle, agents, check, task, server, database } = await setupGitHub({
    policy: "when-green",
  });
  openIssue({ labelledBy: "hanako" });
  await settle();
  await agents();
  await settle();
  await check("success", "");
  const fault = { method: "PUT", path: /\/merge$/, when: "cut" as const, times: 1 };
  server.state.faults.push(fault);
  await settle();
  await settle();
  expect(fault.times).toBe(0);
  expect(await task()).toMatchObject({ state: "done" });
  const { rows } = await database.query(
    "select result ->> 'outcome' as outcome from miyabi.outbox where kind = 'merge'",
  );
  expect(rows).toEqual([{ outcome: "merged" }]);
});

test("a list of comments that is cut off is not taken for an empty one: still one comment", async () => {
  const { openIssue, settle, server } = await setupGitHub();
  const issue = openIssue({ labelledBy: "hanako" });
  const lost = { method: "POST", path: /\/comments$/, when: "after" as const, times: 1 };
  const cut = { method: "GET", path: /\/issues\/1\/comments$/, when: "cut" as const, times: 2 };
  server.state.faults.push(lost, cut);
  await settle();
  await settle();
  expect([lost.times, cut.times]).toEqual([0, 0]);
  expect(issue.comments).toHaveLength(1);
});
