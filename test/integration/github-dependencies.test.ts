import { expect, test } from "vitest";
import { addLabel, closeIssue, editIssue } from "../github-server/changes.ts";
import { setupGitHub } from "../github-server/scenario.ts";
import type { Issue } from "../github-server/state.ts";

/* Dependencies between issues: GitHub's own relations and lines in the text; circles are reported with their path. */

async function setup() {
  const scenario = await setupGitHub();
  const { repository, database, server } = scenario;
  const tasks = async () =>
    (
      await database.query<{ issue: number; state: string; needs: number[] }>(
        `select i.number as issue, t.state, coalesce(array_agg(o.number order by o.number) filter (where o.number is not null), '{}') as needs
         from miyabi.github_issues i join miyabi.tasks t on t.id = i.task_id
           left join miyabi.task_dependencies d on d.task_id = t.id left join miyabi.github_issues o on o.task_id = d.depends_on
         group by 1, 2, t.number order by 1`,
      )
    ).rows;
  return {
    ...scenario,
    tasks,
    place: { state: server.state, repository },
    related: (issue: Issue) => ({ repository, issue }),
    says: (issue: Issue) => issue.comments.filter(({ user }) => user === server.state.login),
  };
}

test("GitHub's blocked-by relation and sub-issues: a dependent starts when its blocker is merged", async () => {
  const { openIssue, related, settle, tasks, agents } = await setup();
  const [first, child] = [openIssue({ labelledBy: "hanako" }), openIssue({ labelledBy: "hanako" })];
  const blocked = openIssue({ labelledBy: "hanako" });
  blocked.blockedBy = [related(first)];
  const parent = openIssue({ labelledBy: "hanako" });
  parent.subIssues = [related(child)];
  await settle();
  expect(await tasks()).toEqual([
    { issue: 1, state: "ready", needs: [] },
    { issue: 2, state: "ready", needs: [] },
    { issue: 3, state: "blocked", needs: [1] },
    { issue: 4, state: "blocked", needs: [2] },
  ]);
  await agents();
  await settle();
  // Delivered is not merged.
  expect((await tasks()).map(({ state }) => state).slice(2)).toEqual(["blocked", "blocked"]);
});

test("an issue that is blocked by one without a task says so, and starts when that one is closed or taken", async () => {
  const { openIssue, place, settle, tasks, says } = await setup();
  const blocker = openIssue({});
  const [byText, byOther] = [
    openIssue({ labelledBy: "hanako", body: "Later.\n\ndepends: #1" }),
    openIssue({ labelledBy: "hanako", body: "blocked by #4" }),
  ];
  const other = openIssue({});
  await settle();
  expect(await tasks()).toEqual([]);
  expect(says(byText).map(({ body }) => body)).toEqual([expect.stringMatching(/Not started[^]*octo\/menu/)]);

  closeIssue(place, blocker);
  addLabel(place, other, "miyabi", "hanako");
  await settle();
  await settle();
  expect(await tasks()).toEqual([
    { issue: 2, state: "ready", needs: [] },
    { issue: 3, state: "blocked", needs: [4] },
    { issue: 4, state: "ready", needs: [] },
  ]);
  // The task's progress takes over the comment that said why there was none.
  for (const issue of [byText, byOther]) {
    expect(says(issue)).toHaveLength(1);
    expect(says(issue)[0]?.body).toContain("miyabi:progress");
  }
});

test("a circle is reported on its issues with its path, and each starts when it is broken", async () => {
  const { openIssue, place, settle, tasks, says } = await setup();
  const first = openIssue({ labelledBy: "hanako", body: "depends: #2" });
  const second = openIssue({ labelledBy: "hanako", body: "depends: #3" });
  const third = openIssue({ labelledBy: "hanako", body: "depends: #1" });
  await settle();
  await settle();
  expect(await tasks()).toEqual([]);
  for (const issue of [first, second, third]) {
    expect(says(issue)).toHaveLength(1);
    const path = /waits for itself: (.+)\. Remove/.exec(says(issue)[0]?.body ?? "")?.[1]?.split(" → ") ?? [];
    expect([path.length, new Set(path).size, path[0]]).toEqual([4, 3, path.at(-1)]);
  }
  editIssue(place, third, "hanako", "No longer.");
  for (let round = 0; round < 3; round += 1) await settle();
  expect(await tasks()).toEqual([
    { issue: 1, state: "blocked", needs: [2] },
    { issue: 2, state: "blocked", needs: [3] },
    { issue: 3, state: "ready", needs: [] },
  ]);
});
