import { describe, expect, test } from "vitest";
import { installApp, registerApp, removeInstallation } from "../github-server/app/state.ts";
import { headOf } from "../github-server/git.ts";
import { setupGitHub } from "../github-server/scenario.ts";

/* The product as a GitHub App: tokens of an installation, a credential for each push, and precise words when they end. */

const PERMISSIONS = {
  contents: "write",
  issues: "write",
  pull_requests: "write",
  checks: "write",
  statuses: "read",
  actions: "read",
  metadata: "read",
} as const;

async function setup() {
  const scenario = await setupGitHub({ policy: "when-green", app: PERMISSIONS });
  const { app, server, database, openIssue, settle, agents } = scenario;
  const { connection } = server.state;
  const installation = app?.installations[0];
  if (app === null || installation === undefined) throw new Error("no app");
  return {
    ...scenario,
    app,
    connection,
    installation,
    /** Up to the open pull request. */
    delivered: async () => {
      openIssue({ labelledBy: "hanako" });
      await settle();
      await agents();
      await settle();
    },
    /** As after the time between two looks at the repository itself. */
    later: async () => {
      await database.query("update miyabi.github_repositories set checked_at = null");
      await settle();
    },
    told: async () =>
      (
        await database.query<{ reason: { code: string; message: string; fix: string | null } }>(
          "select reason from miyabi.tasks",
        )
      ).rows[0]?.reason,
  };
}

test("an issue is carried to its merge with an installation's token; each push has a credential of its own that is revoked after it", async () => {
  const { delivered, settle, check, task, repository, connection } = await setup();
  await delivered();
  await check("success", "");
  await settle();
  await settle();
  expect(await task()).toMatchObject({
    state: "done",
    merge_commit: await headOf(repository.gitDir, "main"),
  });
  expect(repository.issues.get(1)?.comments[0]?.user).toBe("miyabi-octo[bot]");
  const pushers = connection.tokens.filter(({ uses }) => uses.includes("git-receive-pack"));
  expect(pushers).toHaveLength(1);
  expect(pushers[0]).toMatchObject({
    revoked: true,
    repositories: ["menu"],
    permissions: { contents: "write" },
  });
  expect(pushers[0]?.uses.at(-1)).toBe("DELETE /installation/token");
  // Everything else needed one.
  expect(connection.tokens.length - pushers.length).toBe(1);
});

test("a token is renewed minutes before it ends, by one request however many wait for it", async () => {
  const { delivered, settle, clock, connection, github, poll } = await setup();
  await delivered();
  const before = connection.tokens.length;
  clock.advance(56 * 60_000);
  await Promise.all([poll?.tick(), ...github.services.map((service) => service.tick()), settle()]);
  expect(connection.tokens).toHaveLength(before + 1);
  const [old, fresh] = [connection.tokens[0], connection.tokens.at(-1)];
  const uses = old?.uses.length;
  await settle();
  expect(old?.uses.length).toBe(uses);
  expect(fresh?.uses).not.toEqual([]);
});

test("a token that GitHub ends earlier than it said is replaced, and nobody notices", async () => {
  const { delivered, settle, check, task, connection, clock } = await setup();
  await delivered();
  clock.advance(10_000);
  for (const one of connection.tokens) one.revoked = true;
  await check("success", "");
  await settle();
  await settle();
  expect(await task()).toMatchObject({ state: "done" });
});

describe("the task says why the app has no access, and goes on when it has", () => {
  test("suspended", async () => {
    const { delivered, later, told, check, settle, task, installation } = await setup();
    await delivered();
    installation.suspendedAt = new Date().toISOString();
    await later();
    expect(await told()).toMatchObject({
      code: "github.suspended",
      message: expect.stringContaining("is suspended") as string,
      fix: expect.stringContaining("Unsuspend it on GitHub") as string,
    });
    installation.suspendedAt = null;
    await check("success", "");
    await later();
    await settle();
    expect(await task()).toMatchObject({ state: "done" });
  });

  test("removed, and installed again under another number", async () => {
    const { delivered, later, told, check, settle, task, installation, app, connection, clock } =
      await setup();
    await delivered();
    clock.advance(10_000);
    removeInstallation(connection, app, installation);
    await later();
    expect(await told()).toMatchObject({
      code: "github.not_installed",
      message: expect.stringContaining('"miyabi-octo" is not installed on octo/menu') as string,
      fix: expect.stringMatching(/http.*\/apps\/miyabi-octo\/installations\/new$/) as string,
    });
    installApp(app, { account: "other" });
    installApp(app, { account: "octo" });
    await check("success", "");
    await later();
    await settle();
    expect(await task()).toMatchObject({ state: "done" });
  });

  test("this repository taken out of the installation", async () => {
    const { delivered, later, told, installation } = await setup();
    await delivered();
    installation.selected = ["octo/other"];
    await later();
    expect(await told()).toMatchObject({ code: "github.not_installed" });
  });

  test("the private key deleted on GitHub", async () => {
    const { delivered, later, told, app, connection, clock } = await setup();
    await delivered();
    const { publicKey } = registerApp(connection, { ...app, name: "Another" });
    connection.apps.splice(0, 1, { ...app, publicKey });
    clock.advance(56 * 60_000);
    await later();
    expect(await told()).toMatchObject({
      code: "github.unauthorized",
      message: expect.stringContaining(
        'does not accept the private key of the GitHub App "miyabi-octo"',
      ) as string,
      fix: expect.stringContaining("put it into .env as SECRET") as string,
    });
  });
});
