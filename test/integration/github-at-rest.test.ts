import { expect, test } from "vitest";
import { removeIssue } from "../github-server/changes.ts";
import { setupGitHub } from "../github-server/scenario.ts";

/* What polling costs of a repository at rest, and how soon it notices what no list of changes tells. */

async function setup(tasks: number) {
  const scenario = await setupGitHub();
  const { openIssue, settle, poll, database, server, repository } = scenario;
  const issues = Array.from({ length: tasks }, () => openIssue({ labelledBy: "hanako" }));
  await settle();
  const codes = async () =>
    (
      await database.query<{ code: string | null }>(
        "select reason ->> 'code' as code from miyabi.tasks order by number",
      )
    ).rows.map(({ code }) => code);
  return {
    ...scenario,
    issues,
    codes,
    place: { state: server.state, repository },
    /** One round of the poll, a minute after the one before. */
    minute: async () => {
      await database.query("update miyabi.github_issues set looked_at = looked_at - interval '1 minute'");
      await database.query(
        "update miyabi.github_repositories set checked_at = checked_at - interval '1 minute'",
      );
      await poll?.tick();
    },
  };
}

test("an hour of a repository at rest with open tasks costs at most 60 requests, nine in ten of them free", async () => {
  const { minute, server } = await setup(3);
  const { requests } = server.state;
  for (let round = 0; round < 12; round += 1) await minute();
  const before = requests.length;
  for (let round = 0; round < 60; round += 1) await minute();
  const made = requests.slice(before);
  expect(made.length).toBeLessThanOrEqual(60);
  expect(made.filter(({ status }) => status === 304).length).toBeGreaterThanOrEqual(0.9 * made.length);
});

test("a transferred and a deleted issue are noticed within five minutes, whenever it happens", async () => {
  const { minute, codes, issues, place } = await setup(6);
  for (let round = 0; round < 7; round += 1) await minute();
  for (const [index, issue] of issues.entries()) {
    removeIssue(place, issue, null);
    let minutes = 0;
    while ((await codes())[index] !== "issue.deleted") {
      minutes += 1;
      expect(minutes).toBeLessThanOrEqual(5);
      await minute();
    }
    // Another time of the round for each.
    for (let round = 0; round <= index; round += 1) await minute();
  }
});

test("changes are found no later than in the next but one round, also where the list of changes was left out", async () => {
  const { minute, openIssue, database } = await setup(1);
  for (let count = 0; count < 8; count += 1) {
    await minute();
    const issue = openIssue({ labelledBy: "hanako" });
    // One at rest since before the last look is found by its change alone.
    await minute();
    await minute();
    const { rows } = await database.query(
      "select 1 from miyabi.github_issues where number = $1 and task_id is not null",
      [issue.number],
    );
    expect(rows).toHaveLength(1);
  }
});

test("with more open issues than the list is read for, those of open tasks are asked for", async () => {
  const { minute, codes, issues, place, openIssue } = await setup(2);
  for (let count = 0; count < 205; count += 1) openIssue({ labelledBy: "stranger" });
  for (let round = 0; round < 5; round += 1) await minute();
  removeIssue(place, issues[0] as (typeof issues)[number], null);
  for (let round = 0; round < 5; round += 1) await minute();
  expect((await codes()).slice(0, 2)).toEqual(["issue.deleted", null]);
});
