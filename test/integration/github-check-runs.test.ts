import { expect, test } from "vitest";
import { ownRuns } from "../github-server/checks.ts";
import { headOf } from "../github-server/git.ts";
import { setupGitHub } from "../github-server/scenario.ts";
import { RESULT } from "../../src/tasks/decide-fixture.ts";

/* Our own check run on a pull request's head: what our checks and reviews said, where people and rules of GitHub look for it. */

const WORKFLOW = `version: 1
steps:
  - { name: implement, kind: agent, role: code }
  - { name: check, kind: check, commands: ["true"], onFailure: implement, rounds: 2 }
  - { name: review, kind: agent, role: review, onChanges: implement }
  - { name: pull-request, kind: pull-request }
  - { name: ci, kind: wait-ci, onFailure: implement }
  - { name: merge, kind: merge, onConflict: implement }
`;

async function setup({ mayWriteChecks = true } = {}) {
  const scenario = await setupGitHub({ files: { ".miyabi/workflow.yaml": WORKFLOW } });
  scenario.repository.mayWriteChecks = mayWriteChecks;
  const opened = async (review?: string): Promise<void> => {
    scenario.openIssue({ labelledBy: "hanako" });
    await scenario.settle();
    await scenario.agents(review === undefined ? {} : { review });
    await scenario.settle();
  };
  const head = (): Promise<string | null> =>
    headOf(scenario.repository.gitDir, scenario.pulls()[0]?.pull?.head ?? "");
  const { finish } = scenario.runs;
  return { ...scenario, finish, opened, head, runs: () => ownRuns(scenario.repository) };
}

test("the check run on the head says what was checked, with the reviewer's remarks at their lines and a link, and decides nothing itself", async () => {
  const { opened, runs, head, task } = await setup();
  await opened("Good.\nmenu.txt:1: the price could be in yen\nnowhere.txt:1: no such file");
  expect(runs()).toEqual([
    expect.objectContaining({
      name: "miyabi",
      head_sha: await head(),
      external_id: `miyabi:T1:${await head()}`,
      conclusion: "success",
      details_url: "http://localhost:8000/tasks/T1",
      annotations: [
        {
          path: "menu.txt",
          start_line: 1,
          end_line: 1,
          annotation_level: "notice",
          message: "menu.txt:1: the price could be in yen",
        },
      ],
    }),
  ]);
  expect(runs()[0]?.output.summary).toContain("**review**: approve");
  expect(await task()).toMatchObject({ state: "waiting", waits_for: "ci" });
});

test("more than fifty annotations come in parts, and answers that are lost leave one check run with each of them once", async () => {
  const { opened, runs, server, settle } = await setup();
  for (const [method, path] of [
    ["POST", /\/check-runs$/],
    ["PATCH", /\/check-runs\/\d+$/],
  ] as const)
    server.state.faults.push({ method, path, when: "after", times: 1 });
  const lines = Array.from({ length: 120 }, (_, index) => `menu.txt:${index + 1}: remark`);
  await opened(lines.join("\n"));
  await settle();
  expect(server.state.faults.map(({ times }) => times)).toEqual([0, 0]);
  expect(runs()).toHaveLength(1);
  expect(runs()[0]?.annotations?.map(({ message }) => message)).toEqual(lines);
});

test("each head has its own; checks of ours that fail too often make it fail, with their places", async () => {
  const { opened, runs, head, check, settle, agents, claim, finish, task } = await setup();
  await opened();
  const first = await head();
  await check("failure", "red");
  await settle();
  await agents();
  await settle();
  const second = await head();
  expect(runs().map((run) => [run.head_sha, run.conclusion])).toEqual([
    [first, "success"],
    [second, "success"],
  ]);
  await check("failure", "red");
  await settle();
  const due = async (queue: string) => {
    const run = await claim(queue);
    if (run === null) throw new Error(`nothing is due in ${queue}: ${JSON.stringify(await task())}`);
    return run;
  };
  for (let round = 0; round < 2; round += 1) {
    await finish(await due("code"), { ...RESULT, verdict: "done" });
    await finish(await due("check"), {
      ...RESULT,
      outcome: "failed",
      code: "check.failed",
      message: "exit 1",
      log: "menu.txt(1,3): error TS1005: ';' expected.",
    });
  }
  expect(await task()).toMatchObject({ waits_for: "person", reason: { code: "check.rounds_used_up" } });
  await settle();
  expect(runs()).toHaveLength(2);
  expect(runs().find((run) => run.head_sha === second)).toMatchObject({
    conclusion: "failure",
    annotations: [{ path: "menu.txt", start_line: 1, annotation_level: "failure" }],
  });
});

test("a token that may not write checks: they are left out, GitHub is asked once, and the status says so", async () => {
  const { opened, runs, server, settle, agents, check, task, github } = await setup({
    mayWriteChecks: false,
  });
  await opened();
  await check("failure", "red");
  await settle();
  await agents();
  await settle();
  expect(runs()).toEqual([]);
  const asked = server.state.requests.filter(
    ({ path }) => path.endsWith("/check-runs") && !path.includes("/commits/"),
  );
  expect(asked.map(({ status }) => status)).toEqual([403]);
  expect(await github.usage()).toMatchObject({ withoutChecks: ["octo/menu"] });
  expect(await task()).toMatchObject({ state: "waiting", waits_for: "ci" });
});
