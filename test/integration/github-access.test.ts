import { expect, test } from "vitest";
import { archiveRepository, renameRepository } from "../github-server/changes.ts";
import { headOf } from "../github-server/git.ts";
import { setupGitHub } from "../github-server/scenario.ts";
import type { Repository } from "../github-server/state.ts";

/* Change while running, of the repository and of our access to it: by the rule that docs/github.md states, the work is kept, the reason is on the task. */

async function setup(params: Parameters<typeof setupGitHub>[0] = {}) {
  const scenario = await setupGitHub({ policy: "when-green", ...params });
  const { database, openIssue, settle, agents, server, repository } = scenario;
  return {
    ...scenario,
    place: { state: server.state, repository },
    /** Up to the open pull request. */
    delivered: async () => {
      const issue = openIssue({ labelledBy: "hanako" });
      await settle();
      await agents();
      await settle();
      return issue;
    },
    /** As after the time between two looks at the repository itself. */
    checkDue: () => database.query("update miyabi.github_repositories set checked_at = null"),
  };
}

test("repository renamed: the task goes on under the new name, told by a webhook", async () => {
  const { place, delivered, deliver, settle, check, agents, task, pulls, repository, database } = await setup(
    {
      webhooks: true,
    },
  );
  await delivered();
  await renameRepository(place, "card");
  await deliver();
  await check("failure", "no price");
  await settle();
  await agents();
  await settle();
  expect(pulls()).toHaveLength(1);
  await check("success", "");
  await settle();
  await settle();
  expect(await task()).toMatchObject({
    state: "done",
    merge_commit: await headOf(repository.gitDir, "main"),
  });
  const { rows } = await database.query("select name from miyabi.repositories");
  expect(rows).toEqual([{ name: "octo/card" }]);
});

test("repository renamed without a word: the push finds its new name, and new issues are taken there", async () => {
  const { place, openIssue, settle, agents, task, pulls, server, database } = await setup();
  openIssue({ labelledBy: "hanako" });
  await settle();
  await renameRepository(place, "card");
  await agents();
  await settle();
  expect(pulls()).toHaveLength(1);
  expect(await task()).toMatchObject({ state: "waiting", waits_for: "ci" });
  openIssue({ labelledBy: "hanako" });
  await settle();
  const { rows } = await database.query("select distinct repository_id from miyabi.tasks");
  expect(rows).toHaveLength(1);
  expect(server.state.requests.at(-1)?.path).toContain("/octo/card");
});

test("repository renamed, and another one takes its name: that one is left alone", async () => {
  const { place, delivered, settle, task, server, checkDue, poll } = await setup();
  await delivered();
  await renameRepository(place, "card");
  const other: Repository = { ...place.repository, id: 2, name: "menu", issues: new Map(), gone: new Map() };
  server.state.repositories.set("octo/menu", other);
  await checkDue();
  await settle();
  const before = server.state.requests.length;
  await poll?.tick();
  expect(await task()).toMatchObject({ state: "waiting", reason: { code: "repository.replaced" } });
  const writes = server.state.requests.slice(before).filter(({ method }) => method !== "GET");
  expect(writes).toEqual([]);
});

test("repository archived: its tasks stop with the work kept, and go on when it is opened again", async () => {
  const { place, delivered, settle, task, checkDue, check } = await setup();
  await delivered();
  archiveRepository(place, true);
  await checkDue();
  await settle();
  expect(await task()).toMatchObject({ state: "cancelled", reason: { code: "repository.archived" } });
  await settle();
  archiveRepository(place, false);
  await checkDue();
  await settle();
  expect(await task()).toMatchObject({ state: "waiting", waits_for: "ci" });
  await check("success", "");
  await settle();
  await settle();
  expect(await task()).toMatchObject({ state: "done" });
});

test("repository archived while an agent works: the push is refused, and the reason is found", async () => {
  const { place, openIssue, settle, agents, task, checkDue, deliver } = await setup({ webhooks: true });
  openIssue({ labelledBy: "hanako" });
  await settle();
  archiveRepository(place, true);
  await agents();
  await settle({ polls: false });
  expect(await task()).toMatchObject({ waits_for: "person", reason: { code: "branch.refused" } });
  await checkDue();
  await deliver();
  expect(await task()).toMatchObject({ state: "cancelled", reason: { code: "repository.archived" } });
});

test("token revoked: what waits for GitHub says so, and goes on by itself with a token that works", async () => {
  const { delivered, settle, task, server, check } = await setup();
  await delivered();
  const { token } = server.state;
  server.state.token = "ghp_another";
  await settle();
  expect(await task()).toMatchObject({ state: "waiting", reason: { code: "github.unauthorized" } });
  server.state.token = token;
  await settle();
  expect(await task()).toMatchObject({ state: "waiting", waits_for: "ci", reason: { code: "ci.pending" } });
  await check("success", "");
  await settle();
  await settle();
  expect(await task()).toMatchObject({ state: "done" });
});

test("token revoked while an agent works: it works on, its commit waits, and is pushed with a token that works", async () => {
  const { openIssue, settle, agents, task, server, gitDir, pulls } = await setup();
  openIssue({ labelledBy: "hanako" });
  await settle();
  const { token } = server.state;
  server.state.token = "ghp_another";
  await settle();
  expect(await agents()).toEqual(["implement"]);
  await settle();
  expect(await task()).toMatchObject({ waits_for: "person", reason: { code: "github.unauthorized" } });
  expect(await headOf(gitDir, "miyabi/1-say-the-price")).toBe(null);
  server.state.token = token;
  await settle();
  expect(await headOf(gitDir, "miyabi/1-say-the-price")).not.toBe(null);
  expect(pulls()).toHaveLength(1);
  expect(await task()).toMatchObject({ waits_for: "ci" });
});
