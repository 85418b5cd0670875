import { expect, test } from "vitest";
import { headOf } from "../github-server/git.ts";
import { setupGitHub } from "../github-server/scenario.ts";

/* GitHub Enterprise: the API under /api/v3, GraphQL beside it under /api/graphql, and servers whose schema is older. */

async function setup(lacks: readonly string[]) {
  const scenario = await setupGitHub({ policy: "when-green", enterprise: { lacks } });
  const { server } = scenario;
  return {
    ...scenario,
    questions: () => server.state.requests.filter(({ path }) => path === "/api/graphql").length,
  };
}

test("an issue is carried to its merge through the API's own path, and everything stays below it", async () => {
  const { openIssue, settle, agents, check, task, repository, server, questions } = await setup([]);
  openIssue({ labelledBy: "hanako" });
  await settle();
  await agents();
  await settle();
  await check("success", "");
  await settle();
  await settle();
  expect(await task()).toMatchObject({
    state: "done",
    merge_commit: await headOf(repository.gitDir, "main"),
  });
  expect(questions()).toBeGreaterThan(0);
  expect(server.state.requests.filter(({ path }) => !/^\/api\/(v3\/|graphql$)/.test(path))).toEqual([]);
});

test.each([[["blockedBy"]], [["blockedBy", "subIssues"]]])(
  "a server without %j in its schema: asked once, remembered, and dependencies in the text still hold",
  async (lacks) => {
    const { openIssue, poll, questions, repository, database } = await setup(lacks);
    const first = openIssue({ labelledBy: "hanako" });
    first.subIssues = [{ repository, issue: openIssue({}) }];
    await poll?.tick();
    expect(questions()).toBe(2);
    openIssue({ labelledBy: "hanako", body: "depends: #2" });
    await poll?.tick();
    expect(questions()).toBe(3);
    const { rows } = await database.query(
      "select number, intake ->> 'outcome' as outcome from miyabi.github_issues order by number",
    );
    expect(rows).toEqual([
      // Where the schema has sub-issues, they hold it up.
      { number: 1, outcome: lacks.includes("subIssues") ? "taken" : "waits" },
      { number: 3, outcome: "waits" },
    ]);
    const { rows: errors } = await database.query("select error from miyabi.github_repositories");
    expect(errors).toEqual([{ error: null }]);
  },
);
