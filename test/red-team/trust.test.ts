import { expect, test } from "vitest";
import { labelIssue } from "../github-server/people.ts";
import { touch } from "../github-server/routes.ts";
import { setupGitHub } from "../github-server/scenario.ts";
import type { Issue } from "../github-server/state.ts";
import { TRUST, type TrustCase } from "./trust.ts";

const BASE = Date.parse("2026-11-21T00:00:00Z");

test(`who may start work, and with which text: ${TRUST.length} cases`, async () => {
  const { openIssue, settle, database, server, repository } = await setupGitHub();
  repository.permissions.set("taro", "admin");
  repository.permissions.set("kenji", "read");
  for (const one of TRUST) play(server, openIssue({ body: "written by stranger at 0" }), one);
  await settle();
  const { rows } = await database.query<{
    number: number;
    outcome: string | null;
    title: string | null;
    body: string | null;
  }>(
    `select i.number, i.intake ->> 'outcome' as outcome, t.title, t.body from miyabi.github_issues i left join miyabi.tasks t on t.id = i.task_id`,
  );
  const found = new Map(rows.map((row) => [row.number, row]));
  for (const [index, { name, outcome }] of TRUST.entries()) {
    const row = found.get(index + 1);
    expect(`${name}: ${row?.outcome ?? "ignored"}`).toBe(`${name}: ${outcome}`);
    const issue = repository.issues.get(index + 1);
    // What was judged is what is used.
    if (outcome === "taken") {
      expect(row?.title).toBe(issue?.title);
      expect(row?.body).toContain(issue?.body);
    } else expect(row?.title ?? null).toBeNull();
  }
});

test("a person who lost the right between label and start starts nothing", async () => {
  const { openIssue, settle, task, github, repository, clock } = await setupGitHub();
  openIssue({ labelledBy: "hanako" });
  await settle();
  const id = (await task())?.id ?? "";
  expect(await github.mayStart(id)).toBe(true);
  repository.permissions.set("hanako", "read");
  clock.advance(6 * 60_000);
  expect(await github.mayStart(id)).toBe(false);
  expect(await task()).toMatchObject({ state: "cancelled" });
});

test("where GitHub cannot be asked, nothing starts", async () => {
  const { openIssue, settle, task, github, server, clock } = await setupGitHub();
  openIssue({ labelledBy: "hanako" });
  await settle();
  clock.advance(6 * 60_000);
  server.state.faults.push({ method: "GET", path: /permission$/, when: "before", times: 1 });
  await expect(github.mayStart((await task())?.id ?? "")).rejects.toMatchObject({
    code: "github.unavailable",
  });
  expect(await task()).toMatchObject({ state: "ready" });
});

function play(server: Parameters<typeof labelIssue>[0], issue: Issue, { steps }: TrustCase): void {
  for (const [at, act, by, label = "miyabi"] of steps) {
    const instant = new Date(BASE + at * 1_000).toISOString();
    if (act === "label") labelIssue(server, issue, { name: label, by, at: new Date(instant) });
    if (act === "edit") {
      issue.edited = { at: instant, by };
      issue.body = `written by ${by} at ${at}`;
    }
    if (act === "rename") {
      issue.events.push({ id: (server.state.ids += 1), event: "renamed", actor: by, created_at: instant });
      issue.title = `renamed by ${by} at ${at}`;
    }
    touch(issue);
  }
}
