import { expect, test } from "vitest";
import { setupGitHub } from "../github-server/scenario.ts";

/* Whatever two of them do at once, GitHub sees one of everything. */
test("two control planes on one database: one task, one pull request and one comment for each issue", async () => {
  const scenario = await setupGitHub();
  const { openIssue, database, agents, pulls, server, github, outbox } = scenario;
  const other = await scenario.second();
  const issues = Array.from({ length: 8 }, () => openIssue({ labelledBy: "hanako" }));
  const together = async (): Promise<void> => {
    await Promise.all([github, other.github].map(async ({ services: [poll] }) => poll?.tick()));
    for (let round = 0; round < 3; round += 1) {
      await database.query("update miyabi.outbox set due_at = now() where state = 'pending'");
      await Promise.all([outbox, other.outbox].map((worker) => worker.tick()));
      await database.query("update miyabi.github_pull_requests set looked_at = null");
      await Promise.all([github, other.github].map(async ({ services: [, watch] }) => watch?.tick()));
    }
  };
  await together();
  await agents();
  for (let round = 0; round < 3; round += 1) await together();

  const { rows } = await database.query(
    `select count(*)::int as tasks, count(distinct i.number)::int as issues from miyabi.tasks t join miyabi.github_issues i on i.task_id = t.id`,
  );
  expect(rows).toEqual([{ tasks: issues.length, issues: issues.length }]);
  const heads = pulls().map(({ pull }) => pull?.head);
  expect([heads.length, new Set(heads).size]).toEqual([issues.length, issues.length]);
  for (const { number, comments } of issues)
    expect([number, comments.filter(({ user }) => user === server.state.login).length]).toEqual([number, 1]);
});
