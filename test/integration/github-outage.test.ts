import { expect, test } from "vitest";
import { closeIssue, editIssue, mergeByHand, removeIssue, removeLabel } from "../github-server/changes.ts";
import { setupGitHub } from "../github-server/scenario.ts";
import type { Issue, Repository } from "../github-server/state.ts";

/* After days without a connection the first rounds of a fresh process find all that happened. The poll comes once a minute. */

const HOUR_MS = 3_600_000;
const DAYS_MS = 72 * HOUR_MS;
const NEW_ISSUES = 120;

test("an outage of three days: every change is found by the first round of the poll", async () => {
  const scenario = await setupGitHub({
    policy: "when-green",
    maxOpenTasks: 10_000,
    maxStartsPerMinute: 10_000,
  });
  const { openIssue, settle, agents, comment, server, repository, database, second, pulls } = scenario;
  const place = { state: server.state, repository };
  openIssue({ labelledBy: "hanako" });
  await settle();
  await agents();
  await settle();
  const [pull] = pulls();
  const [closed, unlabelled, edited, transferred, deleted, stopped] = Array.from({ length: 6 }, () =>
    openIssue({ labelledBy: "hanako" }),
  ) as [Issue, Issue, Issue, Issue, Issue, Issue];
  await settle();

  // All of it was three days ago, and nothing was heard since.
  for (const issue of repository.issues.values()) issue.updatedAt = Date.now() - DAYS_MS - HOUR_MS;
  await database.query(
    `update miyabi.github_repositories set issues_since = now() - interval '3 days', comments_since = now() - interval '3 days',
       polled_at = now() - interval '3 days', checked_at = now() - interval '3 days'`,
  );
  for (const table of ["github_issues", "github_pull_requests"])
    await database.query(`update miyabi.${table} set looked_at = now() - interval '3 days'`);
  const ago = (issue: Issue, hours: number): void => void (issue.updatedAt = Date.now() - hours * HOUR_MS);

  for (let count = 0; count < NEW_ISSUES; count += 1) {
    const issue = openIssue({ labelledBy: "hanako" });
    ago(issue, 70 - count / 2);
  }
  closeIssue(place, closed);
  ago(closed, 60);
  removeLabel(place, unlabelled, "miyabi");
  ago(unlabelled, 50);
  editIssue(place, edited, "hanako", "Say the price in yen.");
  ago(edited, 40);
  const other: Repository = { ...repository, name: "archive", issues: new Map(), gone: new Map() };
  server.state.repositories.set("octo/archive", other);
  removeIssue(place, transferred, other);
  removeIssue(place, deleted, null);
  const said = comment(stopped, "hanako", "/miyabi stop");
  said.updated_at = new Date(Date.now() - 30 * HOUR_MS).toISOString();
  ago(stopped, 30);
  await mergeByHand(place, pull as Issue);
  ago(pull as Issue, 20);
  const begun = repository.issues.get(1) as Issue;
  ago(begun, 20);

  const { github } = await second();
  const [poll, watch] = github.services;
  await poll?.tick();
  await watch?.tick();
  const { rows } = await database.query<{ number: number; state: string; code: string | null; body: string }>(
    `select i.number, t.state, t.reason ->> 'code' as code, t.body from miyabi.github_issues i join miyabi.tasks t on t.id = i.task_id order by i.number`,
  );
  const found = new Map(rows.map((row) => [row.number, `${row.state} ${row.code ?? ""}`.trim()]));
  expect(
    [begun, closed, unlabelled, edited, transferred, deleted, stopped].map(({ number }) => found.get(number)),
  ).toEqual([
    "done",
    "cancelled issue.closed",
    "cancelled issue.unlabelled",
    "ready",
    "cancelled issue.transferred",
    "cancelled issue.deleted",
    "cancelled person.cancelled",
  ]);
  expect(rows.find(({ number }) => number === edited.number)?.body).toContain("in yen");
  // One of the numbers is the pull request's.
  expect(rows).toHaveLength(7 + NEW_ISSUES);
});
