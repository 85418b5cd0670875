import { writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { addLabel, closeIssue, editIssue } from "../github-server/changes.ts";
import { setupGitHub } from "../github-server/scenario.ts";
import type { Issue, Repository } from "../github-server/state.ts";

/* Dependencies between issues: GitHub's own relations, lines in the text, and a file; circles are reported with their path. */

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("this was to be there");
  return value;
}

async function setup(files: Readonly<Record<string, string>> = {}) {
  const scenario = await setupGitHub({ files });
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

const FILE = ".miyabi/dependencies.yaml";

test("a file of the default branch names dependencies, also in other repositories and in a circle", async () => {
  const { openIssue, settle, tasks, says, server, repository, database } = await setup({
    [FILE]: '"#2": ["#1"]\n"#3": ["Octo/Other#7"]\n"#4": ["#5"]\n"#5": ["#4"]\n',
  });
  const other: Repository = { ...repository, id: 2, name: "other", issues: new Map(), gone: new Map() };
  server.state.repositories.set("octo/other", other);
  const [first] = [1, 2, 3, 4, 5].map(() => openIssue({ labelledBy: "hanako" }));
  const seventh: Issue = { ...required(first), number: 7, labels: [], comments: [], events: [] };
  other.issues.set(7, seventh);
  await settle();
  await settle();
  expect(await tasks()).toEqual([
    { issue: 1, state: "ready", needs: [] },
    { issue: 2, state: "blocked", needs: [1] },
  ]);
  const said = [3, 4, 5].map((number) => says(required(repository.issues.get(number)))[0]?.body ?? "");
  expect(said).toEqual([
    expect.stringMatching(/waits for octo\/other#.?7/),
    expect.stringMatching(/waits for itself: octo\/menu#.?[45] → octo\/menu#.?[45] → octo/),
    expect.stringMatching(/waits for itself: octo\/menu#.?[45] → octo\/menu#.?[45] → octo/),
  ]);

  seventh.state = "closed";
  await database.query("update miyabi.github_issues set updated_at = now() - interval '31 minutes'");
  await settle();
  expect(await tasks()).toContainEqual({ issue: 3, state: "ready", needs: [] });
});

test("a mistake in the file is said on the issue with its line, and the issue starts when the file is mended; a branch's file means nothing", async () => {
  const { openIssue, settle, tasks, says, git, gitDir, work, clock } = await setup({
    [FILE]: '"#14": ["#12"]\n"#1":\n  - "#3"\n  - twelve\n',
  });
  const push = async (branch: string, text: string): Promise<void> => {
    await git("checkout", "--quiet", "-B", branch, "main");
    await writeFile(path.join(work, FILE), text);
    await git("commit", "--quiet", "--all", "--message", "Dependencies");
    await git("push", "--quiet", gitDir, branch);
  };
  await push("mended", "{}\n");
  const issue = openIssue({ labelledBy: "hanako" });
  const second = openIssue({});
  clock.advance(61_000);
  await settle();
  expect(await tasks()).toEqual([]);
  expect(says(issue).map(({ body }) => body)).toEqual([
    expect.stringMatching(
      /dependencies\.yaml \(main\):4: .*an issue looks like "#.?12" or "owner\/name#.?12"/,
    ),
  ]);

  await push("main", `"#1": ["#${second.number}"]\n`);
  clock.advance(61_000);
  await settle();
  expect(await tasks()).toEqual([]);
  expect(says(issue).map(({ body }) => body)).toEqual([expect.stringMatching(/waits for octo\/menu#.?2/)]);
});
