import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { emitIssue } from "./deliveries.ts";
import { headOf } from "./git.ts";
import { touch } from "./routes.ts";
import type { GitHubServer } from "./server.ts";
import type { Issue, Repository } from "./state.ts";

const run = promisify(execFile);

interface RepositoryParams {
  /** Directory that the server serves. */
  readonly root: string;
  readonly name: string;
  /** Working repository that it is made from. */
  readonly from: string;
  /** Permission by login. */
  readonly people: Readonly<Record<string, string>>;
}

/** Puts a repository on the server, `owner/name`. */
export async function addRepository(
  { state }: GitHubServer,
  params: Readonly<RepositoryParams>,
): Promise<Repository> {
  const [owner = "", name = ""] = params.name.split("/");
  const gitDir = path.join(params.root, `${params.name}.git`);
  await run("git", ["-c", "safe.directory=*", "clone", "--quiet", "--bare", params.from, gitDir]);
  const repository: Repository = {
    owner,
    name,
    gitDir,
    permissions: new Map(Object.entries(params.people)),
    issues: new Map(),
    gone: new Map(),
    checks: new Map(),
  };
  state.repositories.set(params.name.toLowerCase(), repository);
  return repository;
}

/** Somebody opens an issue. */
export function openIssue(
  repository: Repository,
  params: Readonly<{ title: string; body: string; by: string }>,
): Issue {
  const issue: Issue = {
    number: repository.issues.size + 1,
    title: params.title,
    body: params.body,
    state: "open",
    user: params.by,
    labels: [],
    updatedAt: Date.now(),
    pull: null,
    edited: null,
    events: [],
    comments: [],
  };
  repository.issues.set(issue.number, issue);
  return issue;
}

/** Somebody sets a label on an issue. `at`: instant, default now. */
export function labelIssue(
  { state }: GitHubServer,
  issue: Issue,
  params: Readonly<{ name: string; by: string; at?: Date }>,
): void {
  issue.labels.push(params.name);
  issue.events.push({
    id: (state.ids += 1),
    event: "labeled",
    actor: params.by,
    created_at: (params.at ?? new Date()).toISOString(),
    label: { name: params.name },
  });
  touch(issue);
  for (const repository of state.repositories.values())
    if (repository.issues.get(issue.number) === issue)
      emitIssue(state, repository, issue, "labeled", { label: { name: params.name } });
}

export const pullsOf = (repository: Repository): readonly Issue[] =>
  [...repository.issues.values()].filter(({ pull }) => pull !== null);

/** Its checks pass on every open pull request that has none yet, as those of a service would. */
export async function passChecks({ state }: GitHubServer, repository: Repository): Promise<void> {
  for (const { pull, state: at } of pullsOf(repository)) {
    const commit = pull === null || at !== "open" ? null : await headOf(repository.gitDir, pull.head);
    const others = (commit === null ? null : repository.checks.get(commit)) ?? [];
    if (commit === null || others.some(({ name }) => name === "test")) continue;
    repository.checks.set(commit, [
      ...others,
      {
        id: (state.ids += 1),
        name: "test",
        status: "completed",
        conclusion: "success",
        output: { title: "All tests passed", summary: "" },
      },
    ]);
  }
}
