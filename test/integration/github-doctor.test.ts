import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { silentLog, systemClock, systemRandom } from "../../src/base/index.ts";
import { setupCommandLine } from "../../src/cli/command-line-fixture.ts";
import { githubSettings, loadGitHub } from "../../src/sources/index.ts";
import { installApp, registerApp, type Permissions } from "../github-server/app/state.ts";
import { addRepository } from "../github-server/people.ts";
import { startGitHubServer } from "../github-server/server.ts";
import { freePort } from "../support/installation.ts";

/* `miyabi doctor` names what the connection to GitHub needs and looks at each of it, without changing anything there. */

const run = promisify(execFile);
const ALL = {
  metadata: "read",
  contents: "write",
  issues: "write",
  pull_requests: "write",
  checks: "read",
  statuses: "read",
  actions: "read",
} as const satisfies Permissions;
// It alone may write check runs.
const ALL_OF_APP = { ...ALL, checks: "write" } as const;
const SECRET = "It's a Secret to Everybody";

async function setup() {
  const root = await mkdtemp(path.join(os.tmpdir(), "miyabi-github-doctor-"));
  const server = await startGitHubServer({ root });
  onTestFinished(async () => {
    await server.close();
    await rm(root, { recursive: true, force: true });
  });
  const work = path.join(root, "work");
  await run("git", ["init", "-q", "-b", "main", work]);
  await run("git", [
    "-C",
    work,
    "-c",
    "user.name=t",
    "-c",
    "user.email=t@t",
    "commit",
    "-q",
    "--allow-empty",
    "-m",
    "first",
  ]);
  const repository = await addRepository(server, {
    root,
    name: "octo/menu",
    from: work,
    people: { "miyabi-bot": "write" },
  });
  const { state } = server;
  const { checkGitHub } = await loadGitHub();
  const look = async (
    settings: Readonly<Record<string, unknown>>,
    secrets: Readonly<Record<string, string>> = { TOKEN: state.token },
    isRunning = false,
  ) => {
    const findings = await checkGitHub({
      settings: githubSettings.parse({
        apiUrl: `${server.url}${state.connection.prefix}`,
        ...(settings["app"] === undefined ? { token: "TOKEN" } : {}),
        repositories: [{ name: "octo/menu" }],
        ...settings,
      }),
      readSecret: (name) => secrets[name],
      isRunning,
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
    });
    return {
      findings,
      bad: findings.filter(({ state: found }) => found !== "ok"),
      of: (name: string) => findings.find((one) => one.name === name),
    };
  };
  const app = (permissions: Permissions = ALL_OF_APP, events: readonly string[] = []) => {
    const made = registerApp(state.connection, {
      name: "Miyabi",
      owner: "octo",
      permissions: ALL_OF_APP,
      events,
      hookUrl: null,
    });
    const installation = installApp(made, { account: "octo", permissions });
    return {
      made,
      installation,
      settings: { app: { id: made.id, privateKey: "KEY" } },
      secrets: { KEY: made.pem, HOOK: SECRET },
    };
  };
  return { server, state, repository, look, app };
}

describe("a fine-grained token", () => {
  test("with all it needs: every permission is named and well, and nothing was changed", async () => {
    const { look, state, repository } = await setup();
    state.connection.personal = ALL;
    const { findings, bad } = await look({});
    expect(bad).toEqual([]);
    expect(findings.map(({ name }) => name)).toEqual([
      "github",
      ...Object.keys(ALL).map((name) => `github.${name}`),
      "github.schema",
      "github.webhooks",
    ]);
    expect(repository.issues.size).toBe(0);
    expect(
      state.requests.filter(({ method, status }) => method !== "GET" && status < 400 && status !== 200),
    ).toEqual([]);
  });

  test.each(Object.entries(ALL).filter(([name]) => name !== "metadata"))(
    "without %s: that one fails, and says where it is granted",
    async (missing) => {
      const { look, state } = await setup();
      state.connection.personal = Object.fromEntries(
        Object.entries(ALL).filter(([name]) => name !== missing),
      );
      const { bad } = await look({});
      expect(bad).toMatchObject([
        {
          name: `github.${missing}`,
          state: "fail",
          detail: expect.stringContaining("is missing on octo/menu.") as string,
          fix: expect.stringMatching(
            /^Set .* to "(read|write)".*\/settings\/personal-access-tokens$/,
          ) as string,
        },
      ]);
    },
  );

  test("that may only read: says so of each that has to be written", async () => {
    const { look, state } = await setup();
    state.connection.personal = Object.fromEntries(Object.keys(ALL).map((name) => [name, "read"]));
    const { bad } = await look({});
    expect(bad.map(({ name }) => name)).toEqual(["github.contents", "github.issues", "github.pull_requests"]);
    for (const { detail } of bad) expect(detail).toContain("octo/menu (only read)");
  });

  test("that is revoked: one line, and no more requests than it takes to see that", async () => {
    const { look, state } = await setup();
    const { bad } = await look({}, { TOKEN: "ghp_old" });
    expect(bad).toMatchObject([
      { name: "github", state: "fail", fix: expect.stringContaining("as TOKEN") as string },
    ]);
    expect(state.requests.length).toBeLessThanOrEqual(2);
  });

  test("for a repository that it does not see", async () => {
    const { look } = await setup();
    const { of } = await look({ repositories: [{ name: "octo/secret" }] });
    expect(of("github.metadata")).toMatchObject({
      state: "fail",
      detail: expect.stringContaining("octo/secret") as string,
    });
  });
});

test.each([
  ["repo, workflow", []],
  [
    "gist",
    [
      "github.contents",
      "github.issues",
      "github.pull_requests",
      "github.checks",
      "github.statuses",
      "github.actions",
    ],
  ],
])(
  "a classic token with the scopes %s is judged by them, and said to reach too far",
  async (scopes, lacking) => {
    const { look, state } = await setup();
    state.connection.scopes = scopes;
    const { of, bad } = await look({});
    expect(of("github")).toMatchObject({
      state: "warn",
      fix: expect.stringContaining("init --github") as string,
    });
    expect(bad.filter(({ state: found }) => found === "fail").map(({ name }) => name)).toEqual(lacking);
    expect(state.requests.filter(({ method, path: at }) => method !== "GET" && at !== "/graphql")).toEqual(
      [],
    );
  },
);

describe("an app", () => {
  test("with all it needs: what GitHub says of its installation is enough, nothing is tried out", async () => {
    const { look, app, state } = await setup();
    const { settings, secrets } = app();
    const { bad, of } = await look(settings, secrets);
    expect(bad).toEqual([]);
    expect(of("github")).toMatchObject({ detail: 'app "miyabi", installed on 1 of 1 repositories' });
    expect(
      state.requests
        .filter(({ method }) => method !== "GET")
        .map(({ path: at }) => at.split("/").at(-1))
        .sort(),
    ).toEqual(["access_tokens", "graphql"]);
  });

  test("whose new permission nobody accepted: names it and the page", async () => {
    const { look, app } = await setup();
    const { settings, secrets } = app({ ...ALL_OF_APP, pull_requests: "read" });
    const { bad } = await look(settings, secrets);
    expect(bad).toMatchObject([
      {
        name: "github.pull_requests",
        fix: expect.stringMatching(
          /^Accept the app's permissions: .*\/settings\/installations\/\d+$/,
        ) as string,
      },
    ]);
  });

  test("that is suspended, not installed, or whose key is wrong: in GitHub's order of causes", async () => {
    const { look, app } = await setup();
    const { settings, secrets, installation, made } = app();
    installation.suspendedAt = new Date().toISOString();
    expect((await look(settings, secrets)).of("github.installation")?.detail).toContain("is suspended");
    made.installations.length = 0;
    expect((await look(settings, secrets)).of("github.installation")).toMatchObject({
      detail: expect.stringContaining("not installed on octo/menu") as string,
      fix: expect.stringContaining("/apps/miyabi/installations/new") as string,
    });
    const other = app().secrets;
    expect((await look(settings, other)).of("github")).toMatchObject({
      state: "fail",
      detail: expect.stringContaining("does not accept the private key") as string,
    });
    expect((await look(settings, { KEY: "no key" })).of("github")?.detail).toContain("KEY is no private key");
    expect((await look(settings, {})).of("github")?.detail).toContain("KEY is not set");
  });
});

test("an older GitHub Enterprise: what its GraphQL lacks, and what holds instead", async () => {
  const { look, state } = await setup();
  state.connection.prefix = "/api/v3";
  state.connection.lacks.add("blockedBy");
  const { bad } = await look({});
  expect(bad).toMatchObject([
    { name: "github.schema", state: "warn", detail: expect.stringContaining("no blockedBy") as string },
  ]);
});

describe("webhooks", () => {
  async function hooks() {
    const base = await setup();
    const port = await freePort();
    const look = (more: object, secrets: Readonly<Record<string, string>> = {}, settings: object = {}) =>
      base.look(
        { ...settings, webhooks: { port, secretEnv: "HOOK", ...more } },
        { TOKEN: base.state.token, HOOK: SECRET, ...secrets },
      );
    /** A program that listens at a port. */
    const listen = async (at: number, answer: (path: string) => Promise<string>): Promise<number> => {
      const server = createServer(
        (request, response) => void answer(request.url ?? "").then((text) => response.end(text)),
      );
      await new Promise<void>((resolve) => server.listen(at, "127.0.0.1", resolve));
      onTestFinished(() => void server.close());
      return (server.address() as { port: number }).port;
    };
    return { ...base, port, look, listen };
  }

  test("secret, port and public address are looked at; the address has to lead to this very listener", async () => {
    const { look, listen, port } = await hooks();
    const tunnel = await listen(0, async (at) => (await fetch(`http://127.0.0.1:${port}${at}`)).text());
    const { bad, of } = await look({ publicUrl: `http://127.0.0.1:${tunnel}` });
    expect(bad).toEqual([]);
    expect(of("github.webhooks.listener")).toMatchObject({ detail: `127.0.0.1:${port} is free` });
    expect(of("github.webhooks.public")).toMatchObject({ state: "ok" });
    // Nothing of the check is left.
    await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toThrow();
    const elsewhere = await listen(0, () => Promise.resolve("welcome"));
    expect((await look({ publicUrl: `http://127.0.0.1:${elsewhere}` })).bad).toMatchObject([
      {
        name: "github.webhooks.public",
        state: "fail",
        detail: expect.stringContaining("leads elsewhere") as string,
      },
    ]);
    expect(
      (await look({ publicUrl: `http://127.0.0.1:${await freePort()}` })).of("github.webhooks.public"),
    ).toMatchObject({
      state: "fail",
      detail: expect.stringContaining("cannot be reached") as string,
      fix: expect.stringContaining(`pass /webhooks/github on to 127.0.0.1:${port}`) as string,
    });
  });

  test("a port that is taken, a secret that is missing or short", async () => {
    const { look, listen, port } = await hooks();
    await listen(port, () => Promise.resolve("other"));
    expect((await look({}, { HOOK: "short" })).bad).toMatchObject([
      { name: "github.webhooks.secret", detail: expect.stringContaining("too short") as string },
      {
        name: "github.webhooks.listener",
        detail: expect.stringContaining("Another program listens") as string,
      },
    ]);
    expect((await look({}, { HOOK: "" })).of("github.webhooks.secret")).toMatchObject({
      fix: expect.stringContaining("HOOK=… into .env") as string,
    });
  });

  test("of an app: its address on GitHub, the events it is told of, and how the last delivery went", async () => {
    const { look, app } = await hooks();
    const { made, settings, secrets } = app(ALL_OF_APP, ["issues"]);
    const { of } = await look({}, secrets, settings);
    expect(of("github.events")?.detail).toMatch(/not told of: .*issue_comment/);
    expect(of("github.webhooks.app")).toMatchObject({
      state: "fail",
      detail: "GitHub has no webhook address for the app.",
    });
    made.hookUrl = "https://old.example/webhooks/github";
    expect(
      (await look({ publicUrl: "http://127.0.0.1:1" }, secrets, settings)).of("github.webhooks.app")?.detail,
    ).toBe(
      "GitHub sends deliveries to https://old.example/webhooks/github, not to http://127.0.0.1:1/webhooks/github.",
    );
    made.deliveries.push({
      status_code: 502,
      status: "Bad Gateway",
      delivered_at: "2026-11-21T01:02:03Z",
      event: "push",
    });
    expect((await look({}, secrets, settings)).of("github.webhooks.app")).toMatchObject({
      state: "warn",
      detail: expect.stringContaining("failed: 502 Bad Gateway") as string,
    });
  });
});

test("`miyabi doctor` shows it among its lines, with its exit code and no secret", async () => {
  const { server, state } = await setup();
  state.connection.personal = { ...ALL, issues: "read" };
  const { run: miyabi, home } = await setupCommandLine();
  await mkdir(home.root, { recursive: true });
  await writeFile(
    home.configFile,
    `github:\n  apiUrl: ${server.url}\n  token: TOKEN\n  repositories: [{ name: octo/menu }]\n`,
  );
  await writeFile(home.envFile, `TOKEN=${state.token}\n`);
  const { code, stdout } = await miyabi("doctor");
  expect(code).toBe(69);
  expect(stdout).toMatch(
    /fail +github\.issues +Issues: write .* is missing on octo\/menu \(only read\)\.\n +fix: Set Issues to "write"/,
  );
  expect(stdout).not.toContain(state.token);
});
