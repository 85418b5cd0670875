import { execFile, spawn, type ChildProcess } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { request } from "node:http";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { setupCommandLine } from "../../src/cli/command-line-fixture.ts";
import { loadSecrets, loadSettings } from "../../src/main/index.ts";
import { startGitHubServer, type GitHubServer } from "../github-server/server.ts";

/* `miyabi init --github` beside a server with GitHub's pages, with a browser that does what a person's does. */

const execute = promisify(execFile);

async function setup({ prefix = "/api/v3" as const, organization = false } = {}) {
  const root = await mkdtemp(path.join(os.tmpdir(), "miyabi-init-github-"));
  const server = await startGitHubServer({ root });
  server.state.connection.prefix = prefix;
  if (organization) server.state.connection.organizations.add("octo");
  onTestFinished(async () => {
    await server.close();
    await rm(root, { recursive: true, force: true });
  });
  const line = await setupCommandLine();
  const start = (...args: readonly string[]) => startInit(line, server, args);
  return { ...line, server, start, ...readers(line) };
}

type Line = Awaited<ReturnType<typeof setupCommandLine>>;

const readers = ({ home }: Line) => ({
  settings: async () => (await loadSettings(home)).settings.github,
  secrets: () => loadSecrets(home),
  files: async (): Promise<string[]> => (await readdir(home.root).catch(() => [])).sort(),
});

/** The command, up to the address that it wants to be opened. */
async function startInit(line: Line, server: GitHubServer, args: readonly string[]) {
  const child: ChildProcess = spawn(
    process.execPath,
    [
      path.join(import.meta.dirname, "../../src/cli/main.ts"),
      "init",
      "--github",
      "--json",
      "--url",
      server.url,
      "--repository",
      "octo/menu",
      ...args,
    ],
    { cwd: line.dir, env: line.env, stdio: ["ignore", "pipe", "pipe"] },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  let stdout = "";
  child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  const said: string[] = [];
  const lines = createInterface({ input: child.stderr as NodeJS.ReadableStream });
  const open = new Promise<string>((resolve) =>
    lines.on("line", (text) => {
      said.push(text);
      const value = JSON.parse(text) as { open?: string };
      if (value.open !== undefined) resolve(value.open);
    }),
  );
  const ended = new Promise<{
    code: number | null;
    stdout: string;
    problem: { code?: string; detail?: string };
  }>((resolve) =>
    child.on("close", (code) =>
      resolve({
        code,
        stdout,
        problem: JSON.parse(said.findLast((one) => one.includes('"type"')) ?? "{}") as object,
      }),
    ),
  );
  return { child, open, ended };
}

/** A page of another site whose name leads to this machine. */
const statusUnder = (host: string, url: URL): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const asked = request(url, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on("error", reject).end();
  });

const formOf = (html: string) => ({
  action: unescaped(/<form[^>]* action="([^"]*)"/.exec(html)?.[1] ?? ""),
  fields: new URLSearchParams(
    [...html.matchAll(/<input[^>]* name="([^"]*)" value="([^"]*)"/g)].map(
      ([, name = "", value = ""]) => [name, unescaped(value)] as [string, string],
    ),
  ),
});
const unescaped = (text: string): string =>
  text.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

/** What a browser does up to GitHub's answer: the printed page, its form, GitHub's form. Gives where GitHub sends it back to. */
async function register(start: string): Promise<string> {
  const page = await fetch(start);
  expect(page.status).toBe(200);
  const first = formOf(await page.text());
  const github = await fetch(first.action, { method: "POST", body: first.fields });
  expect(github.status, await github.clone().text()).toBe(200);
  const second = formOf(await github.text());
  const created = await fetch(new URL(second.action, first.action), {
    method: "POST",
    body: second.fields,
    redirect: "manual",
  });
  expect(created.status).toBe(302);
  return created.headers.get("location") ?? "";
}

test("a person registers the app in the browser: key and secret in .env for this user alone, the rest in miyabi.yaml, then on to installing it", async () => {
  const { server, start, settings, secrets, home, files } = await setup({ organization: true });
  const { open, ended } = await start("--public-url", "https://hooks.example.com");
  const back = await register(await open);
  const answered = await fetch(back, { redirect: "manual" });
  const { code, stdout } = await ended;
  expect(code).toBe(0);
  const [app] = server.state.connection.apps;
  expect(answered.status).toBe(303);
  expect(answered.headers.get("location")).toBe(`${server.url}/apps/${app?.slug ?? ""}/installations/new`);
  // Only the account that owns a private app can install it.
  expect(app).toMatchObject({
    owner: "octo",
    hookUrl: "https://hooks.example.com/webhooks/github",
    permissions: { contents: "write", issues: "write", pull_requests: "write", metadata: "read" },
  });
  expect(Object.keys(app?.permissions ?? {})).not.toContain("administration");
  expect(app?.events).toContain("issues");
  const id = app?.id ?? 0;
  expect(await settings()).toMatchObject({
    apiUrl: `${server.url}/api/v3`,
    app: { id, privateKey: `GITHUB_APP_${id}_PRIVATE_KEY` },
    webhooks: { secretEnv: `GITHUB_APP_${id}_WEBHOOK_SECRET`, publicUrl: "https://hooks.example.com" },
    repositories: [{ name: "octo/menu" }],
  });
  const kept = await secrets();
  expect(kept.get(`GITHUB_APP_${id}_PRIVATE_KEY`)?.replaceAll("\\n", "\n")).toBe(app?.pem);
  expect(kept.get(`GITHUB_APP_${id}_WEBHOOK_SECRET`)).toBe(app?.webhookSecret);
  expect((await stat(home.envFile)).mode & 0o777).toBe(0o600);
  expect(await files()).toEqual([".env", "miyabi.yaml"]);
  const said = JSON.parse(stdout) as { app: object; install: string; next: string[] };
  expect(said).toMatchObject({ app: { id, slug: app?.slug }, install: answered.headers.get("location") });
  expect(said.next.some((one) => one.endsWith("doctor"))).toBe(true);
  expect(stdout).not.toContain("PRIVATE KEY");
  expect(stdout).not.toContain("canary");
});

test("an answer with another state, or from a page of another name, changes nothing; the right one after it counts", async () => {
  const { start, files, server } = await setup();
  const { open, ended } = await start();
  const address = new URL(await open);
  const back = new URL(await register(address.href));
  const forged = new URL(back);
  forged.searchParams.set("state", "guessed");
  expect((await fetch(forged)).status).toBe(400);
  const other = await fetch(`${address.origin}/`, { method: "GET" });
  expect(other.status).toBe(404);
  expect(await statusUnder("evil.example", back)).toBe(421);
  expect(await files()).toEqual([]);
  await fetch(back, { redirect: "manual" });
  expect((await ended).code).toBe(0);
  expect(server.state.connection.apps).toHaveLength(1);
});

test("settings and comments of before stay; the token gives way to the app; without a public address nothing is said of webhooks", async () => {
  const { start, home, settings, files, server } = await setup();
  await mkdir(home.root, { recursive: true });
  await writeFile(
    home.configFile,
    `# mine\nport: 8123\ngithub:\n  token: GITHUB_TOKEN # the old way\n  repositories:\n    - name: octo/menu\n      merge: never # not yet\n`,
  );
  await writeFile(home.envFile, "GITHUB_TOKEN=old", { mode: 0o644 });
  const { open, ended } = await start();
  await fetch(await register(await open), { redirect: "manual" });
  expect((await ended).code).toBe(0);
  const text = await readFile(home.configFile, "utf8");
  expect(text).toContain("# mine");
  expect(text).toContain("merge: never # not yet");
  expect(await settings()).toMatchObject({ repositories: [{ name: "octo/menu", merge: "never" }] });
  expect(await settings()).not.toHaveProperty("token");
  expect(await settings()).not.toHaveProperty("webhooks");
  expect(server.state.connection.apps[0]).toMatchObject({ events: [], hookUrl: null, owner: "hanako" });
  expect(await readFile(home.envFile, "utf8")).toMatch(/^GITHUB_TOKEN=old\nGITHUB_APP_4000_PRIVATE_KEY="/);
  expect((await stat(home.envFile)).mode & 0o777).toBe(0o600);
  expect((await files()).filter((name) => name.startsWith("miyabi.yaml.bak-"))).toHaveLength(1);
});

describe("nothing is half done", () => {
  test("nobody comes: it ends in time and has written nothing", async () => {
    const { start, files } = await setup();
    const { ended } = await start("--timeout", "1");
    const { code, problem } = await ended;
    expect(code).toBe(75);
    expect(problem).toMatchObject({
      code: "process.timeout",
      detail: expect.stringContaining("Nothing was written") as string,
    });
    expect(await files()).toEqual([]);
  });

  test("killed while it waits: nothing is written", async () => {
    const { start, files } = await setup();
    const { child, open, ended } = await start();
    await open;
    child.kill("SIGKILL");
    await ended;
    expect(await files()).toEqual([]);
  });

  test("killed between the two files: the next call takes the same app up, without the browser", async () => {
    const { start, home, settings, server } = await setup();
    const first = await start();
    await fetch(await register(await first.open), { redirect: "manual" });
    await first.ended;
    await rm(home.configFile);
    const again = await start();
    expect((await again.ended).code).toBe(0);
    expect(server.state.connection.apps).toHaveLength(1);
    expect(await settings()).toMatchObject({ app: { id: 4_000 }, repositories: [{ name: "octo/menu" }] });
  });

  test("a reply of GitHub that is lost on the way: it says that the app is there without its key", async () => {
    const { start, files, server } = await setup();
    server.state.faults.push({ method: "POST", path: /conversions$/, when: "after", times: 1 });
    const { open, ended } = await start();
    const shown = await fetch(await register(await open), { redirect: "manual" });
    expect(shown.status).toBe(502);
    const { code, problem } = await ended;
    expect(code).toBe(65);
    expect(problem.detail).toContain("does not know the code of the app any more");
    expect(await files()).toEqual([]);
  });
});

describe("it says beforehand what it cannot do", () => {
  test.each([
    ["two owners", ["--repository", "other/place"], 64, "several owners"],
    ["no TLS", ["--url", "http://github.example.com"], 64, "has no TLS"],
    ["no address", ["--url", "https://github.example.com/x"], 64, "no address of a GitHub server"],
  ])("%s", async (_, args, exit, detail) => {
    const { start, server } = await setup();
    const { ended } = await start(...args);
    const { code, problem } = await ended;
    expect(code).toBe(exit);
    expect(problem.detail).toContain(detail);
    expect(server.state.connection.apps).toEqual([]);
  });

  test("an app is configured already", async () => {
    const { start, home } = await setup();
    await mkdir(home.root, { recursive: true });
    await writeFile(
      home.configFile,
      "github:\n  app: { id: 7, privateKey: KEY }\n  repositories: [{ name: octo/menu }]\n",
    );
    const { ended } = await start();
    expect(await ended).toMatchObject({ code: 65, problem: { code: "conflict.state" } });
  });

  test("--dry-run shows the manifest and writes nothing", async () => {
    const { start, files } = await setup();
    const { ended } = await start("--dry-run");
    const { code, stdout } = await ended;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      dryRun: true,
      page: expect.stringMatching(/\/settings\/apps\/new$/) as string,
      manifest: { public: false, default_permissions: { metadata: "read" } },
    });
    expect(await files()).toEqual([]);
  });
});

test("the repository is that of origin", async () => {
  const line = await setupCommandLine();
  await execute("git", ["init", "-q", line.dir]);
  await execute("git", ["-C", line.dir, "remote", "add", "origin", "git@github.com:octo/menu.git"]);
  const { code, stdout, stderr } = await line.run(
    "init",
    "--github",
    "--dry-run",
    "--json",
    "--organization",
    "octo",
  );
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    repositories: ["octo/menu"],
    page: "https://github.com/organizations/octo/settings/apps/new",
  });
});
