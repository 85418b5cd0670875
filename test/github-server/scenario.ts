import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";
import {
  resolveHome,
  silentLog,
  systemClock,
  systemProcessRunner,
  systemRandom,
} from "../../src/base/index.ts";
import { createGit, ensureCache } from "../../src/repositories/index.ts";
import { createMailboxes } from "../../src/messages/index.ts";
import type { GitHubParams } from "../../src/sources/index.ts";
import { createNotifier, type Database } from "../../src/store/index.ts";
import { createOutboxWorker } from "../../src/tasks/index.ts";
import { RESULT } from "../../src/tasks/decide-fixture.ts";
import { QUEUES, setupTasks } from "../../src/tasks/tasks-fixture.ts";
import { freePort } from "../support/installation.ts";
import { connectAs, type ConnectAs } from "./app/connect-as.ts";
import { connectGitHub } from "./connect.ts";
import { emit, emitIssue, sendPending } from "./deliveries.ts";
import { headOf } from "./git.ts";
import { writeComment } from "./routes.ts";
import { startGitHubServer } from "./server.ts";
import type { Comment, Issue, Repository } from "./state.ts";

const run = promisify(execFile);
const NAME = "octo/menu";

const HOOK_SECRET = "It's a Secret to Everybody";

interface ScenarioParams extends ConnectAs {
  readonly policy?: "when-approved" | "when-green" | "never";
  readonly maxOpenTasks?: number;
  readonly maxStartsPerMinute?: number;
  /** People without write access who may give commands. */
  readonly trusted?: readonly string[];
  /** Labels that choose agent, workflow and role. */
  readonly routes?: readonly object[];
  /** Files of the first commit beside the menu, by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** How long the product waits for an answer. Milliseconds. */
  readonly timeoutMs?: number;
  /** Of the section `github`; default: what is written is not limited. */
  readonly writes?: Readonly<Record<string, number>>;
  /** Section `classify`, and the way to a model of its own for this database. */
  readonly classify?: {
    readonly settings: object;
    readonly access: (database: Database) => Promise<GitHubParams["modelAccess"]>;
  };
  /** Deliveries are sent to the product, by `deliver`. */
  readonly webhooks?: boolean;
}

/** A server with one repository and the product's connection to it over a fresh database; the test plays people and agents. */
export async function setupGitHub({
  policy = "when-approved",
  maxOpenTasks = 50,
  maxStartsPerMinute = 60,
  trusted = [],
  webhooks = false,
  routes = [],
  classify,
  files = {},
  writes,
  timeoutMs,
  ...who
}: ScenarioParams = {}) {
  const root = await mkdtemp(path.join(tmpdir(), "miyabi-github-"));
  const bundle = await setupTasks();
  const server = await startGitHubServer({ root });
  onTestFinished(async () => {
    await server.close();
    await rm(root, { recursive: true, force: true });
  });
  const work = path.join(root, "work");
  const git = (...args: readonly string[]) =>
    run("git", ["-C", work, "-c", "user.name=Hanako", "-c", "user.email=hanako@example.com", ...args]);
  await mkdir(work);
  await git("init", "--quiet", "--initial-branch=main");
  await writeFile(path.join(work, "menu.txt"), "tea\n");
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(work, file)), { recursive: true });
    await writeFile(path.join(work, file), text);
  }
  await git("add", "--all");
  await git("commit", "--quiet", "--message", "First commit");
  const gitDir = path.join(root, `${NAME}.git`);
  await run("git", ["clone", "--quiet", "--bare", work, gitDir]);
  const repository: Repository = {
    owner: "octo",
    name: "menu",
    gitDir,
    permissions: new Map([
      ["hanako", "write"],
      ["stranger", "read"],
    ]),
    issues: new Map(),
    gone: new Map(),
    checks: new Map(),
  };
  server.state.repositories.set(NAME, repository);

  // What we were given; the server may revoke it.
  const as = connectAs(server.state, server.url, who);
  const home = resolveHome({ MIYABI_HOME: path.join(root, "home") });
  const ourGit = createGit({ processes: systemProcessRunner, searchPath: process.env["PATH"] ?? "" });
  let aheadMs = 0;
  const clock = { ...systemClock, now: () => new Date(Date.now() + aheadMs) };
  const deps = { clock, random: systemRandom, log: silentLog };
  const notifier = createNotifier({ ...deps, connectionUrl: bundle.db.connectionUrl });
  const mailboxes = createMailboxes({ database: bundle.database });
  const modelAccess = await classify?.access(bundle.database);
  const webhookPort = webhooks ? await freePort() : 0;
  const settings = {
    ...as.settings,
    maxOpenTasks,
    maxStartsPerMinute,
    routes,
    ...(classify === undefined ? {} : { classify: classify.settings }),
    ...(writes === undefined ? {} : { writes }),
    repositories: [{ name: NAME, merge: policy, trusted: [...trusted] }],
    ...(webhooks ? { webhooks: { port: webhookPort, secretEnv: "WEBHOOK_SECRET" } } : {}),
  };
  /** What one control plane has of GitHub. */
  const connect = async () => {
    const github = await connectGitHub({
      database: bundle.database,
      notifier,
      tasks: bundle.tasks,
      git: ourGit,
      home,
      queues: QUEUES,
      settings,
      ...(modelAccess === undefined ? {} : { modelAccess }),
      readSecret: (name) => (name === "WEBHOOK_SECRET" ? HOOK_SECRET : as.secret),
      clock,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
    const { handlers } = github;
    return { github, outbox: createOutboxWorker({ ...deps, database: bundle.database, notifier, handlers }) };
  };
  const { github, outbox } = await connect();
  const [poll, watch, relay, held, deliveries] = github.services;
  const classifier = github.services.find(({ name }) => name === "github-classifier");
  const { listener } = github;
  if (listener !== null) {
    await listener.start();
    onTestFinished(() => listener.stop());
    const url = `http://127.0.0.1:${listener.port() ?? 0}/webhooks/github`;
    server.state.hook = { url, secret: HOOK_SECRET, automatic: false, pending: [] };
  }

  /** Sends what GitHub has to tell, and has it worked through. */
  const deliver = async (how: Parameters<typeof sendPending>[1] = {}): Promise<number[]> => {
    const { hook } = server.state;
    if (hook === null) throw new Error("this scenario has no webhooks");
    const statuses = await sendPending(hook, how);
    await deliveries?.tick();
    return statuses;
  };

  /** A person opens an issue; another one may label it. */
  const openIssue = (params: {
    title?: string;
    body?: string;
    by?: string;
    labelledBy?: string;
    labels?: readonly string[];
  }): Issue => {
    const number = repository.issues.size + 1;
    const at = new Date().toISOString();
    const issue: Issue = {
      number,
      title: params.title ?? "Say the price",
      body: params.body ?? "The menu has no prices.",
      state: "open",
      user: params.by ?? "stranger",
      labels: [...(params.labels ?? [])],
      updatedAt: Date.now(),
      pull: null,
      edited: null,
      events: [],
      comments: [],
    };
    if (params.labelledBy !== undefined) {
      issue.labels.push("miyabi");
      issue.events.push({
        id: (server.state.ids += 1),
        event: "labeled",
        actor: params.labelledBy,
        created_at: at,
        label: { name: "miyabi" },
      });
    }
    repository.issues.set(number, issue);
    emitIssue(server.state, repository, issue, "opened");
    if (params.labelledBy !== undefined)
      emitIssue(server.state, repository, issue, "labeled", { label: { name: "miyabi" } });
    return issue;
  };

  /** Everything that the loops would do by themselves, at once; without the poll where it is too slow to matter. */
  const settle = async ({ polls = true } = {}): Promise<void> => {
    if (polls) await poll?.tick();
    await held?.tick();
    await classifier?.tick();
    for (let round = 0; round < 3; round += 1) {
      await bundle.database.query("update miyabi.outbox set due_at = now() where state = 'pending'");
      await outbox.tick();
      await bundle.database.query("update miyabi.github_pull_requests set looked_at = null");
      await watch?.tick();
    }
  };

  /** Somebody writes a comment. */
  const comment = (issue: Issue, by: string, body: string): Comment =>
    writeComment(server.state, repository, issue, { body, by });

  let commits = 0;
  /** The agents and checks, up to the next wait: implement commits, the check passes, the review approves. */
  const agents = async (
    said: { readonly notes?: string; readonly review?: string } = {},
  ): Promise<string[]> => {
    const causes: string[] = [];
    for (;;) {
      const claimed = await bundle.runs.claim({ slot: "kaede", queues: [...QUEUES], leaseMs: 60_000 });
      if (claimed === null) return causes;
      const { rows } = await bundle.database.query<{
        step: string;
        cause: { reason: string; details: string };
        repository_id: string;
        path: string;
      }>(
        `select r.step, r.cause, t.repository_id, p.path from miyabi.runs r join miyabi.tasks t on t.id = r.task_id
         join miyabi.repositories p on p.id = t.repository_id where r.id = $1`,
        [claimed.runId],
      );
      const [row] = rows;
      if (row?.step !== "implement") {
        await bundle.runs.finish(claimed, {
          ...RESULT,
          ...(row?.step === "review" ? { verdict: "approve", notes: said.review ?? null } : {}),
        });
        continue;
      }
      causes.push(`${row.cause.reason} ${row.cause.details}`.trim());
      commits += 1;
      const base = (await git("rev-parse", "main")).stdout.trim();
      await git("checkout", "--quiet", "-B", "work", commits === 1 ? "main" : "work");
      await writeFile(path.join(work, "menu.txt"), `tea ${commits}\n`);
      await git("commit", "--quiet", "--all", "--message", `Change ${commits}`);
      const cache = await ensureCache(ourGit, {
        repositoryId: row.repository_id,
        sourcePath: row.path,
        cachesDir: home.repositoriesDir,
      });
      await git("push", "--quiet", cache, `HEAD:refs/miyabi/test/${commits}`);
      const commit = (await git("rev-parse", "HEAD")).stdout.trim();
      const tree = (await git("rev-parse", "HEAD^{tree}")).stdout.trim();
      await bundle.database.query(
        "update miyabi.tasks set base_commit = coalesce(base_commit, $2) where id = $1",
        [claimed.taskId, base],
      );
      await bundle.runs.finish(claimed, {
        ...RESULT,
        verdict: "done",
        notes: said.notes ?? "It says the price.",
        commit,
        tree,
      });
    }
  };

  const task = async () =>
    (
      await bundle.database.query<{
        id: string;
        state: string;
        waits_for: string | null;
        reason: { code: string } | null;
        merge_commit: string | null;
      }>("select id, state, waits_for, reason, merge_commit from miyabi.tasks order by number desc limit 1")
    ).rows[0];
  const pulls = (): Issue[] => [...repository.issues.values()].filter(({ pull }) => pull !== null);
  const check = async (conclusion: "success" | "failure", summary: string): Promise<void> => {
    const commit = (await headOf(repository.gitDir, pulls()[0]?.pull?.head ?? "")) ?? "";
    const others = (repository.checks.get(commit) ?? []).filter(({ name }) => name !== "ci");
    repository.checks.set(commit, [
      ...others,
      {
        id: (server.state.ids += 1),
        name: "ci",
        status: "completed",
        conclusion,
        output: { title: conclusion, summary },
      },
    ]);
    const suite = { head_sha: commit, conclusion };
    emit(server.state, repository, "check_suite", { action: "completed", check_suite: suite });
  };
  const review = async (
    user: string,
    state: "APPROVED" | "CHANGES_REQUESTED",
    body: string,
  ): Promise<void> => {
    const [pull] = pulls();
    const commit = (await headOf(repository.gitDir, pull?.pull?.head ?? "")) ?? "";
    pull?.pull?.reviews.push({
      id: (server.state.ids += 1),
      user,
      state,
      body,
      submitted_at: new Date().toISOString(),
      commit_id: commit,
    });
    emit(server.state, repository, "pull_request_review", {
      action: "submitted",
      pull_request: { number: pull?.number },
    });
  };
  return {
    ...bundle,
    outbox,
    /** Another control plane on the same database and data directory, e.g. one that was thought to be dead. */
    second: connect,
    /** Wall time alone goes on. */
    clock: { now: () => clock.now().getTime(), advance: (ms: number) => void (aheadMs += ms) },
    server,
    /** For a control plane in another process. */
    own: { home: home.root, connectionUrl: bundle.db.connectionUrl, token: as.secret, settings },
    app: as.app,
    github,
    repository,
    gitDir,
    work,
    git,
    openIssue,
    settle,
    deliver,
    deliveries,
    poll,
    watch,
    relay,
    mailboxes,
    comment,
    agents,
    task,
    pulls,
    check,
    review,
  };
}
