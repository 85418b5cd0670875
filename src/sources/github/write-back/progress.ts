import { createHash } from "node:crypto";
import { AppError } from "../../../base/index.ts";
import type { OutboxHandler } from "../../../tasks/index.ts";
import type { GitHubClient } from "../client.ts";
import type { HostedTask } from "../hosted-task.ts";
import { anything } from "../replies.ts";
import type { HostedRepository } from "../repositories.ts";
import { NOTICE_MARKER, writeIssueComment } from "./issue-comment.ts";
import { labelOf, progressComment, STATE_LABELS } from "./progress-comment.ts";
import type { WriteBackParams } from "./pull-request.ts";
import { requireTask } from "./require-task.ts";

interface ProgressResult {
  readonly label: string | null;
  readonly comment: string;
  readonly commentId: number | null;
}

/** Makes the issue show the task's state as it is now: one label, one comment. What is there already is not written again. */
export function createProgressHandler(
  params: Readonly<WriteBackParams & { ownLogin: () => Promise<string> }>,
): OutboxHandler<ProgressResult> {
  return {
    send: async (entry) => {
      const { task, repository } = await requireTask(params, entry);
      const label = labelOf(task);
      const text = progressComment(task, params.consoleUrl);
      const comment = createHash("sha256").update(text).digest("hex");
      const { written } = task.issue;
      if (written.label !== (label ?? "")) await setLabel(repository, task, label);
      const commentId =
        written.comment === comment
          ? Number(task.issue.commentId)
          : await writeIssueComment({
              client: repository.client,
              name: repository.settings.name,
              number: task.issue.number,
              commentId: task.issue.commentId,
              markers: [`<!-- miyabi:progress:${task.id} -->`, NOTICE_MARKER],
              body: text,
              ownLogin: await params.ownLogin(),
            });
      return { label, comment, commentId };
    },
    settle: async (tx, entry, result) => {
      await tx.query("update miyabi.github_issues set comment_id = $2, written = $3 where task_id = $1", [
        entry.taskId,
        result.commentId,
        JSON.stringify({ label: result.label ?? "", comment: result.comment }),
      ]);
    },
    // The next change of the task shows everything; nothing else hangs on it.
    giveUp: () => Promise.resolve(),
  };
}

async function setLabel(
  { client, settings }: HostedRepository,
  task: HostedTask,
  label: string | null,
): Promise<void> {
  const [owner, repo] = settings.name.split("/");
  const at = { owner, repo, issue_number: task.issue.number };
  if (label !== null)
    await client.call(
      "POST /repos/{owner}/{repo}/issues/{issue_number}/labels",
      { ...at, labels: [label] },
      anything,
    );
  const old = task.issue.written.label;
  // After a crash we do not know what we wrote last.
  const stale = old === undefined ? await labelsOf(client, at) : [old];
  for (const name of stale)
    if (name !== label && STATE_LABELS.includes(name))
      await client
        .call("DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}", { ...at, name }, anything)
        .catch((error: unknown) => {
          if (!(error instanceof AppError) || error.code !== "not_found") throw error;
        });
}

async function labelsOf(client: GitHubClient, at: object): Promise<readonly string[]> {
  const labels = await client.list(
    "GET /repos/{owner}/{repo}/issues/{issue_number}/labels",
    { ...at },
    anything,
    1,
  );
  return labels.map((one) => (one as { name?: string }).name ?? "");
}
