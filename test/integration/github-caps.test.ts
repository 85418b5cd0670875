import { expect, test } from "vitest";
import { closeIssue, removeLabel } from "../github-server/changes.ts";
import { setupGitHub } from "../github-server/scenario.ts";

/* How many issues start at once, and in which order: the most urgent class first, then the lowest number. */

async function setup(caps: { readonly maxStartsPerMinute?: number; readonly maxOpenTasks?: number }) {
  const scenario = await setupGitHub(caps);
  const { database, server, settle, comment, repository } = scenario;
  return {
    ...scenario,
    place: { state: server.state, repository },
    /** Numbers of the issues that are tasks, in the order in which they became so. */
    started: async (): Promise<number[]> => {
      const { rows } = await database.query<{ number: number }>(
        "select i.number from miyabi.github_issues i join miyabi.tasks t on t.id = i.task_id order by t.number",
      );
      return rows.map(({ number }) => number);
    },
    /** Everything that started has done so long ago. */
    passMinute: async () => {
      await database.query("update miyabi.tasks set created_at = created_at - interval '1 minute'");
    },
    explained: async (issue: Parameters<typeof comment>[0]): Promise<string> => {
      const asked = comment(issue, "hanako", "/miyabi explain");
      await settle();
      const answer = issue.comments.findLast(({ user }) => user === server.state.login);
      expect(answer?.id ?? 0).toBeGreaterThan(asked.id);
      return answer?.body ?? "";
    },
  };
}

test("30 issues labelled at once start ten a minute, by class, then number; explain says which is next and when", async () => {
  const { openIssue, settle, started, passMinute, explained, database, repository } = await setup({
    maxStartsPerMinute: 10,
  });
  const classOf = (number: number): string[] =>
    number % 10 === 0 ? ["priority:P0"] : number % 7 === 0 ? ["priority:P1"] : [];
  for (let number = 1; number <= 30; number += 1)
    openIssue({ labelledBy: "hanako", labels: classOf(number) });
  await settle();
  const first = [10, 20, 30, 7, 14, 21, 28, 1, 2, 3];
  expect(await started()).toEqual(first);

  const waiting = repository.issues.get(15);
  if (waiting === undefined) throw new Error("there is no issue 15");
  const { rows } = await database.query<{ at: Date }>(
    "select created_at + interval '1 minute' as at from miyabi.tasks order by number",
  );
  // 4, 5, 6, 8, 9, 11, 12, 13 come before it: it takes the place of the ninth start.
  const at = rows[8]?.at.toISOString().slice(11, 19) ?? "";
  expect(await explained(waiting)).toContain(
    `10 issues start within a minute at most. It is number 9 of the issues that wait: the most urgent class first (this is P2), then the lowest number. It starts by itself at about ${at} UTC.`,
  );
  expect(await started()).toEqual(first);

  // One that is more urgent and comes later is next.
  openIssue({ labelledBy: "hanako", labels: ["priority:P0"] });
  await settle();
  await passMinute();
  await settle({ polls: false });
  const second = [31, 4, 5, 6, 8, 9, 11, 12, 13, 15];
  expect(await started()).toEqual([...first, ...second]);
  await passMinute();
  await settle({ polls: false });
  expect(await started()).toHaveLength(30);
  await passMinute();
  await settle({ polls: false });
  expect((await started()).slice(20)).toEqual([16, 17, 18, 19, 22, 23, 24, 25, 26, 27, 29]);
});

test("issues that are closed or lose their label while they wait neither hold the others up nor start", async () => {
  const { openIssue, settle, started, explained, place, database } = await setup({ maxOpenTasks: 1 });
  const [first, closed, unlabelled, , last] = Array.from({ length: 5 }, () =>
    openIssue({ labelledBy: "hanako" }),
  );
  if (first === undefined || closed === undefined || unlabelled === undefined || last === undefined)
    throw new Error("five issues were to be opened");
  await settle();
  expect(await started()).toEqual([1]);
  closeIssue(place, closed);
  removeLabel(place, unlabelled, "miyabi");
  await settle();
  expect(await explained(last)).toContain("It is number 2 of the issues of this repository that wait");
  expect(await explained(unlabelled)).toContain("It starts when somebody with write access sets the label");
  await database.query("update miyabi.tasks set state = 'done'");
  await settle({ polls: false });
  expect(await started()).toEqual([1, 4]);
});
