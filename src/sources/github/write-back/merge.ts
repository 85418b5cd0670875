import { AppError } from "../../../base/index.ts";
import { because, type OutboxEntry, type OutboxHandler, type Reason } from "../../../tasks/index.ts";
import type { HostedTask } from "../hosted-task.ts";
import { dequeue, enqueue, readQueuePlace, type QueuePlace } from "../pull-requests/merge-queue.ts";
import { mergeReply, pullRequestReply } from "../replies.ts";
import type { HostedRepository } from "../repositories.ts";
import { requireTask } from "./require-task.ts";
import type { WriteBackParams } from "./pull-request.ts";
import { tellTask } from "./tell-task.ts";

export type MergeResult =
  | { readonly outcome: "merged"; readonly commit: string }
  /** It stands in GitHub's merge queue since then. */
  | { readonly outcome: "enqueued"; readonly at: string }
  | { readonly outcome: "held"; readonly reason: Reason };

/**
 * Merges the pull request of a task at exactly the commit that was accepted, or puts it into the merge queue where the repository has
 * one. What has happened already is recognised: nothing is merged or queued twice.
 */
export function createMergeHandler(params: Readonly<WriteBackParams>): OutboxHandler<MergeResult> {
  return {
    send: async (entry) => {
      const { task, repository } = await requireTask(params, entry);
      const place = await readQueuePlace(repository, task.pullRequest?.number ?? 0);
      if (place !== null && place.mergedAs === null) {
        if (place.enqueuedAt !== null) return { outcome: "enqueued", at: place.enqueuedAt };
        if (place.hasQueue)
          return unlessRefused(task, async () => ({
            outcome: "enqueued",
            at: await enqueue(repository.client, place.pullId, task.headCommit ?? ""),
          }));
      }
      return unlessRefused(task, async () => {
        const commit = place?.mergedAs ?? (await mergeNow(repository, task, place));
        // Dependents start from the merged state.
        await params.repositories.sync(repository);
        return { outcome: "merged", commit };
      });
    },
    settle: async (tx, entry, result) => {
      const taskId = entry.taskId ?? "";
      switch (result.outcome) {
        case "merged":
          return void (await tellTask(params.tasks, tx, taskId, { type: "merged", commit: result.commit }));
        case "enqueued":
          return void (await tellTask(params.tasks, tx, taskId, { type: "merge-enqueued", at: result.at }));
        case "held":
          return void (await tellTask(params.tasks, tx, taskId, {
            type: "merge-held",
            reason: result.reason,
          }));
      }
    },
    giveUp: async (tx, entry, error) => {
      const reason = because(error.code, error.message, {}, `miyabi task retry ${entry.taskId ?? ""}`);
      await tellTask(params.tasks, tx, entry.taskId ?? "", { type: "merge-held", reason });
    },
  };
}

async function unlessRefused(task: HostedTask, work: () => Promise<MergeResult>): Promise<MergeResult> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "github.refused") throw error;
    const reason = because("merge.refused", error.message, {}, `miyabi task explain ${task.id}`);
    return { outcome: "held", reason };
  }
}

async function mergeNow(
  { client, settings }: HostedRepository,
  task: HostedTask,
  place: QueuePlace | null,
): Promise<string> {
  const [owner, repo] = settings.name.split("/");
  const at = { owner, repo, pull_number: task.pullRequest?.number };
  if (place === null) {
    const now = await client.call("GET /repos/{owner}/{repo}/pulls/{pull_number}", at, pullRequestReply);
    if (now.merged && now.merge_commit_sha !== null) return now.merge_commit_sha;
  }
  const made = await client.call(
    "PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge",
    { ...at, sha: task.headCommit, merge_method: settings.method },
    mergeReply,
  );
  return made.sha;
}

/** Takes a pull request out of GitHub's merge queue: its task was stopped, or goes back to its agent. Safe to repeat. */
export function createLeaveQueueHandler(params: Readonly<WriteBackParams>): OutboxHandler<null> {
  return {
    send: async (entry: OutboxEntry) => {
      const { task, repository } = await requireTask(params, entry);
      const place = await readQueuePlace(repository, task.pullRequest?.number ?? 0);
      if (place !== null && place.enqueuedAt !== null && place.mergedAs === null)
        await dequeue(repository.client, place.pullId);
      return null;
    },
    settle: () => Promise.resolve(),
    // Where it was merged all the same, the watch or a webhook says so.
    giveUp: () => Promise.resolve(),
  };
}
