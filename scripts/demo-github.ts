/**
 * `npm run demo:github`: a GitHub server of our own on loopback with a sample repository, and the product beside it. Ten issues are
 * labelled; it ends with ten merged pull requests, and is 0 only then. `-- --json` prints the result alone, `-- --issues N` takes
 * the first N. Both are stopped afterwards, also when interrupted.
 */
import { cp } from "node:fs/promises";
import path from "node:path";
import { loadSampleIssues } from "../src/sources/index.ts";
import { labelIssue, openIssue, pullsOf } from "../test/github-server/people.ts";
import { headOf } from "../test/github-server/git.ts";
import type { Issue } from "../test/github-server/state.ts";
import { startHostedProduct, type HostedProduct } from "../test/support/hosted-product.ts";
import { createTestRepository } from "../test/support/repository.ts";
import { build } from "./build.ts";

const root = path.dirname(import.meta.dirname);
const sample = path.join(root, "examples", "sample-project");
const NAME = "kaede-tea-house/menu-card";
const DEADLINE_MS = 600_000;
const LOOK_MS = 300;

/** The sample project has nine; one more makes it ten. */
const TENTH = {
  name: "10-who-made-it",
  title: "Say who made the menu card",
  body: `Add a file \`AUTHORS\` with one line: \`Kaede Tea House\`.

\`\`\`miyabi-recipe
implement:
  - write:
      path: AUTHORS
      content: "Kaede Tea House\\n"
  - commit: "docs: who made the menu card"
  - say: The file AUTHORS names the tea house.
review:
  - approve: One line, as asked.
\`\`\``,
  dependsOn: [] as readonly string[],
  labels: ["docs"] as readonly string[],
};

interface TaskFacts {
  readonly id: string;
  readonly state: string;
  readonly mergeCommit: string | null;
}

interface IssueResult {
  readonly issue: number;
  readonly title: string;
  readonly issueState: string;
  readonly labels: readonly string[];
  readonly task: string | null;
  readonly taskState: string | null;
  readonly pullRequest: number | null;
  readonly merged: boolean;
  readonly mergeCommit: string | null;
}

const asJson = process.argv.includes("--json");
const count = process.argv.includes("--issues")
  ? Number(process.argv[process.argv.indexOf("--issues") + 1])
  : 10;
const startedAt = performance.now();
const seconds = (): string => ((performance.now() - startedAt) / 1_000).toFixed(0).padStart(3);
const note = (text: string): void => void process.stderr.write(`${text}\n`);

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => interrupted.abort());

await build({ ifStale: true });
const hosted = await startHostedProduct({
  name: NAME,
  people: { hanako: "write" },
  fill: async (directory) => {
    await cp(path.join(sample, "project"), directory, { recursive: true });
    await createTestRepository(directory, {});
  },
});
let isComplete = false;
try {
  note(`Repository   ${hosted.server.url}/${NAME}.git`);
  note(`Console      http://localhost:${hosted.product.port}`);
  const issues = await open(hosted);
  await follow(hosted, issues);
  const results = await Promise.all(issues.map((issue) => resultOf(hosted, issue)));
  isComplete = !interrupted.signal.aborted && (await isMerged(hosted, results));
  const merged = results.filter((one) => one.merged).length;
  process.stdout.write(
    asJson
      ? `${JSON.stringify({ repository: NAME, seconds: Number(seconds()), merged, issues: results }, null, 2)}\n`
      : `${merged} of ${issues.length} pull requests are merged, after ${seconds().trim()} s.\n`,
  );
} finally {
  await hosted.close();
}
process.exit(isComplete ? 0 : interrupted.signal.aborted ? 130 : 1);

/** Opens the issues, and a person with write access labels them. */
async function open({ server, repository }: HostedProduct): Promise<readonly Issue[]> {
  const samples = await loadSampleIssues({ dir: path.join(sample, "issues"), withRecipes: true });
  const all = [...samples, TENTH].slice(0, count);
  const numbers = new Map<string, number>();
  const issues = all.map(({ name, title, body, dependsOn }) => {
    const needs = dependsOn.map((one) => `#${numbers.get(one) ?? 0}`).join(", ");
    const text = needs === "" ? body : `Depends on ${needs}\n\n${body}`;
    const issue = openIssue(repository, { title, body: text, by: "hanako" });
    numbers.set(name, issue.number);
    return issue;
  });
  for (const issue of issues) labelIssue(server, issue, { name: "miyabi", by: "hanako" });
  note(`${issues.length} issues are labelled "miyabi".\n`);
  return issues;
}

/** Says what changes on the issues' pages until all are closed, none can go on, or the time is over. */
async function follow({ repository }: HostedProduct, issues: readonly Issue[]): Promise<void> {
  const told = new Map<number, string>();
  const deadline = performance.now() + DEADLINE_MS;
  while (!interrupted.signal.aborted && performance.now() < deadline) {
    for (const issue of issues) {
      const pull = pullOf(repository, issue);
      const label = issue.labels.find((one) => one.startsWith("miyabi:")) ?? "";
      const request =
        pull === null ? "" : `#${pull.number} ${pull.pull?.merged === true ? "merged" : "open"}`;
      const line = `${label.padEnd(18)} ${request.padEnd(11)}`;
      if (told.get(issue.number) === line || line.trim() === "") continue;
      told.set(issue.number, line);
      note(`${seconds()} s  #${String(issue.number).padEnd(3)} ${line} ${issue.title}`);
    }
    const hasEnded = ({ state, labels, comments }: Issue): boolean =>
      (state === "closed" && comments[0]?.body.startsWith("**done**") === true) ||
      labels.includes("miyabi:failed");
    if (issues.every(hasEnded)) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

function pullOf(repository: HostedProduct["repository"], { number }: Issue): Issue | null {
  return pullsOf(repository).find(({ body }) => body.startsWith(`Closes #${number}.`)) ?? null;
}

async function resultOf({ product, repository }: HostedProduct, issue: Issue): Promise<IssueResult> {
  const pull = pullOf(repository, issue);
  const id = /miyabi:progress:(T\d+)/.exec(issue.comments[0]?.body ?? "")?.[1] ?? null;
  const task = id === null ? null : await product.get<TaskFacts>(`/api/tasks/${id}`);
  return {
    issue: issue.number,
    title: issue.title,
    issueState: issue.state,
    labels: issue.labels,
    task: id,
    taskState: task?.state ?? null,
    pullRequest: pull?.number ?? null,
    merged: pull?.pull?.merged ?? false,
    mergeCommit: task?.mergeCommit ?? null,
  };
}

/** Whether issue pages, console and git say the same: everything is merged. */
async function isMerged({ repository }: HostedProduct, results: readonly IssueResult[]): Promise<boolean> {
  const commits = new Set<string>();
  for (const { issue, pullRequest } of results) {
    const merge = pullRequest === null ? null : repository.issues.get(pullRequest)?.pull?.mergeCommit;
    if (merge === null || merge === undefined) note(`#${issue} has no merged pull request.`);
    else commits.add(merge);
  }
  const disagreeing = results.filter(
    (one) =>
      one.issueState !== "closed" ||
      one.taskState !== "done" ||
      !one.labels.includes("miyabi:delivered") ||
      one.mergeCommit !== (repository.issues.get(one.pullRequest ?? 0)?.pull?.mergeCommit ?? null),
  );
  for (const one of disagreeing)
    note(`#${one.issue}: its page says ${one.issueState}, the console ${one.taskState ?? "nothing"}.`);
  const head = await headOf(repository.gitDir, "main");
  return (
    results.length > 0 &&
    disagreeing.length === 0 &&
    head !== null &&
    commits.has(head) &&
    commits.size === results.length
  );
}
