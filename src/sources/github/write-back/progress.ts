import { createHash } from "node:crypto";
import { AppError, type Random } from "../../../base/index.ts";
import { syncThroughOutbox, type OutboxHandler } from "../../../tasks/index.ts";
import type { GitHubClient } from "../client.ts";
import type { HostedTask } from "../hosted-task.ts";
import { anything } from "../replies.ts";
import type { HostedRepository } from "../repositories.ts";
import { NOTICE_MARKER, writeIssueComment } from "./issue-comment.ts";
import { labelOf, progressComment, STATE_LABELS } from "./progress-comment.ts";
import type { WriteBackParams } from "./pull-request.ts";
import { isCheckOutdated, syncCheckRun } from "./own-check.ts";
import { requireTask } from "./require-task.ts";

/** `says`: hash of what the comment is to say, where that is not what it says; null: it is. */
interface LabelResult {
  readonly label: string | null;
  readonly says: string | null;
  /** Whether our check run is to follow too. */
  readonly isChecked: boolean;
}

interface CommentResult {
  readonly says: string;
  readonly commentId: number | null;
}

export const PROGRESS_COMMENT = "progress-comment";

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Makes the issue's label show the task's state as it is now, and has the comment follow: that one may wait longer. */
export function createProgressHandler(
  params: Readonly<WriteBackParams & { random: Pick<Random, "uuid"> }>,
): OutboxHandler<LabelResult> {
  return {
    send: async (entry) => {
      const { task, repository } = await requireTask(params, entry);
      const label = labelOf(task);
      // A try that died may have written what we never recorded.
      const written = entry.earlierAttempts > 0 ? {} : task.issue.written;
      if (written.label !== (label ?? "")) await setLabel(repository, task, { label, old: written.label });
      const says = hashOf(progressComment(task, params.consoleUrl));
      return { label, says: says === written.comment ? null : says, isChecked: isCheckOutdated(task) };
    },
    settle: async (tx, { taskId }, { label, says, isChecked }) => {
      await tx.query(
        "update miyabi.github_issues set written = written || jsonb_build_object('label', $2::text) where task_id = $1",
        [taskId, label ?? ""],
      );
      if (isChecked) await syncCheckRun(tx, params.random, taskId ?? "");
      if (says !== null)
        await syncThroughOutbox(tx, params.random, {
          taskId,
          kind: PROGRESS_COMMENT,
          target: `${PROGRESS_COMMENT}:${taskId ?? ""}`,
        });
    },
    // The next change of the task shows everything, whatever of it is there; nothing else hangs on it.
    giveUp: async (tx, entry) => {
      await tx.query("update miyabi.github_issues set written = written - 'label' where task_id = $1", [
        entry.taskId,
      ]);
    },
  };
}

/** Makes the one comment show how the task stands at this moment: changes that came together are one edit. */
export function createProgressCommentHandler(
  params: Readonly<WriteBackParams & { ownLogin: () => Promise<string> }>,
): OutboxHandler<CommentResult> {
  return {
    send: async (entry) => {
      const { task, repository } = await requireTask(params, entry);
      const body = progressComment(task, params.consoleUrl);
      const says = hashOf(body);
      const { written, commentId, number } = task.issue;
      // As above.
      if (written.comment === says && entry.earlierAttempts === 0)
        return { says, commentId: Number(commentId) };
      const wrote = await writeIssueComment({
        client: repository.client,
        name: repository.settings.name,
        number,
        commentId,
        markers: [`<!-- miyabi:progress:${task.id} -->`, NOTICE_MARKER],
        body,
        ownLogin: await params.ownLogin(),
      });
      return { says, commentId: wrote };
    },
    settle: async (tx, { taskId }, { says, commentId }) => {
      await tx.query(
        "update miyabi.github_issues set comment_id = $2, written = written || jsonb_build_object('comment', $3::text) where task_id = $1",
        [taskId, commentId, says],
      );
    },
    giveUp: async (tx, { taskId }) => {
      await tx.query("update miyabi.github_issues set written = written - 'comment' where task_id = $1", [
        taskId,
      ]);
    },
  };
}

async function setLabel(
  { client, settings }: HostedRepository,
  task: HostedTask,
  /** `old`: what is there; undefined: we do not know. */
  { label, old }: { readonly label: string | null; readonly old: string | undefined },
): Promise<void> {
  const [owner, repo] = settings.name.split("/");
  const at = { owner, repo, issue_number: task.issue.number };
  if (label !== null)
    await client.call(
      "POST /repos/{owner}/{repo}/issues/{issue_number}/labels",
      { ...at, labels: [label] },
      anything,
    );
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
