import { createHash } from "node:crypto";
import { AppError } from "../../../base/index.ts";
import type { OutboxHandler } from "../../../tasks/index.ts";
import type { HostedTask, OwnCheck } from "../hosted-task.ts";
import { annotationReply, checkRunReply } from "../replies.ts";
import type { HostedRepository } from "../repositories.ts";
import { annotationsIn, keyOf, type Annotation } from "./annotations.ts";
import { cacheWithWork } from "./cache-with-work.ts";
import { CHECK_NAME, conclusionOf, externalIdOf, type Conclusion } from "./own-check.ts";
import { checkedLines, goodRuns, quoted } from "./pull-request-body.ts";
import type { WriteBackParams } from "./pull-request.ts";
import { requireTask } from "./require-task.ts";

export { CHECK_RUN } from "./own-check.ts";

type CheckResult =
  | ({ readonly outcome: "written" } & OwnCheck)
  | { readonly outcome: "nothing" }
  /** Our credential may not write checks. */
  | { readonly outcome: "refused"; readonly key: string; readonly message: string };

interface Content {
  readonly commit: string;
  readonly conclusion: Conclusion;
  readonly title: string;
  readonly summary: string;
  readonly annotations: readonly Annotation[];
}

/** GitHub takes so many with one request. */
const BATCH = 50;
const MAX_TITLE = 250;

/**
 * Makes our check run on the pull request's head say what our own checks and reviews said. It is found again by its `external_id`, its
 * annotations by what they say: GitHub adds those of an update to those that are there.
 */
export function createCheckRunHandler(params: Readonly<WriteBackParams>): OutboxHandler<CheckResult> {
  return {
    send: async (entry) => {
      const { task, repository } = await requireTask(params, entry);
      const content = await describe(params, repository, task);
      if (content === null) return { outcome: "nothing" };
      const { commit } = content;
      const hash = createHash("sha256").update(JSON.stringify(content)).digest("hex");
      const written = task.pullRequest?.checkRun?.commit === commit ? task.pullRequest.checkRun : null;
      if (written?.hash === hash) return { outcome: "nothing" };
      try {
        const known =
          written?.id ?? (entry.earlierAttempts > 0 ? await find(repository, task.id, commit) : null);
        const id = await write(params, repository, task.id, content, known);
        return { outcome: "written", id, commit, conclusion: content.conclusion, hash };
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== "github.forbidden") throw error;
        return { outcome: "refused", key: repository.key, message: error.message };
      }
    },
    settle: async (tx, { taskId }, result) => {
      if (result.outcome === "nothing") return;
      const { outcome, ...said } = result;
      if (outcome === "written")
        await tx.query(
          `with written as (update miyabi.github_pull_requests set check_run = $2 where task_id = $1 returning repository)
           update miyabi.github_repositories set checks_refused = null where name = (select repository from written) and checks_refused is not null`,
          [taskId, JSON.stringify(said)],
        );
      if (result.outcome === "refused")
        await tx.query(
          "update miyabi.github_repositories set checks_refused = jsonb_build_object('at', now(), 'message', $2::text) where name = $1",
          [result.key, result.message],
        );
    },
    // The task's own page says the same.
    giveUp: () => Promise.resolve(),
  };
}

/** What it is to say now; null where it stays as it is: its commit is being worked on, or there is none. */
async function describe(
  params: Readonly<WriteBackParams>,
  repository: HostedRepository,
  task: HostedTask,
): Promise<Content | null> {
  const commit = task.pullRequest?.pushedCommit ?? null;
  const conclusion = conclusionOf(task);
  if (commit === null || conclusion === null) return null;
  const runs = await goodRuns(params.database, task.id);
  const review = runs.find(({ kind, verdict }) => kind === "agent" && verdict !== "done");
  const failing = conclusion === "failure" ? await failingOutput(params, task.id) : "";
  const texts = failing + (review?.notes ?? "");
  const files = /\d/.test(texts) ? await filesOf(params, repository, task, commit) : new Set<string>();
  return {
    commit,
    conclusion,
    title: (conclusion === "success"
      ? "Checked and reviewed"
      : (task.reason?.message ?? "It has ended.")
    ).slice(0, MAX_TITLE),
    summary: [
      ...(conclusion === "success" || task.reason === null ? [] : [quoted(task.reason.message), ""]),
      ...checkedLines(runs),
      "",
      `[What was done, step by step](${params.consoleUrl}/tasks/${task.id})`,
    ].join("\n"),
    annotations: [
      ...annotationsIn(failing, "failure", files),
      ...annotationsIn(review?.notes ?? "", "notice", files),
    ],
  };
}

/** What the last check printed that failed. */
async function failingOutput({ database }: Readonly<WriteBackParams>, taskId: string): Promise<string> {
  const { rows } = await database.query<{ log: string | null }>(
    "select log from miyabi.runs where task_id = $1 and state = 'failed' and error ->> 'code' = 'check.failed' order by attempt desc limit 1",
    [taskId],
  );
  return rows[0]?.log ?? "";
}

async function filesOf(
  params: Readonly<WriteBackParams>,
  repository: HostedRepository,
  task: HostedTask,
  commit: string,
): Promise<ReadonlySet<string>> {
  const gitDir = await cacheWithWork(params, repository, task, commit);
  const names = await params.git.text({ gitDir, args: ["ls-tree", "-r", "-z", "--name-only", commit] });
  return new Set(names.split("\0"));
}

async function find(
  { client, settings }: HostedRepository,
  taskId: string,
  commit: string,
): Promise<number | null> {
  const [owner, repo] = settings.name.split("/");
  const runs = await client.list(
    "GET /repos/{owner}/{repo}/commits/{ref}/check-runs",
    { owner, repo, ref: commit, check_name: CHECK_NAME },
    checkRunReply,
  );
  return runs.find(({ external_id: id }) => id === externalIdOf(taskId, commit))?.id ?? null;
}

/** Creates or updates it, and adds the annotations that are missing. Returns its id. */
async function write(
  params: Readonly<WriteBackParams>,
  { client, settings }: HostedRepository,
  taskId: string,
  { commit, conclusion, title, summary, annotations }: Content,
  known: number | null,
): Promise<number> {
  const [owner, repo] = settings.name.split("/");
  const there = new Set<string>();
  if (known !== null && annotations.length > 0)
    for (const one of await client.list(
      "GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations",
      { owner, repo, check_run_id: known },
      annotationReply,
    ))
      there.add(keyOf({ path: one.path, line: one.start_line, message: one.message ?? "" }));
  const missing = annotations.filter((one) => !there.has(keyOf(one)));
  let id = known;
  for (let from = 0; from === 0 || from < missing.length; from += BATCH) {
    const said = {
      name: CHECK_NAME,
      external_id: externalIdOf(taskId, commit),
      details_url: `${params.consoleUrl}/tasks/${taskId}`,
      status: "completed",
      conclusion,
      output: {
        title,
        summary,
        annotations: missing.slice(from, from + BATCH).map(({ path, line, level, message }) => ({
          path,
          start_line: line,
          end_line: line,
          annotation_level: level,
          message,
        })),
      },
    };
    const reply =
      id === null
        ? await client.call(
            "POST /repos/{owner}/{repo}/check-runs",
            { owner, repo, head_sha: commit, ...said },
            checkRunReply,
          )
        : await client.call(
            "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}",
            { owner, repo, check_run_id: id, ...said },
            checkRunReply,
          );
    id = reply.id;
  }
  return id ?? 0;
}
