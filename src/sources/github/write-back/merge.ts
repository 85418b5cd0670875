import { AppError } from "../../../base/index.ts";
import { because, type OutboxHandler, type Reason } from "../../../tasks/index.ts";
import { mergeReply, pullRequestReply } from "../replies.ts";
import { requireTask } from "./require-task.ts";
import type { WriteBackParams } from "./pull-request.ts";
import { tellTask } from "./tell-task.ts";

export type MergeResult =
  | { readonly outcome: "merged"; readonly commit: string }
  | { readonly outcome: "held"; readonly reason: Reason };

/** Merges the pull request of a task at exactly the commit that was accepted. A merge that has happened is recognised. */
export function createMergeHandler(params: Readonly<WriteBackParams>): OutboxHandler<MergeResult> {
  return {
    send: async (entry) => {
      const { task, repository } = await requireTask(params, entry);
      const { client, settings } = repository;
      const [owner, repo] = settings.name.split("/");
      const at = { owner, repo, pull_number: task.pullRequest?.number };
      const now = await client.call("GET /repos/{owner}/{repo}/pulls/{pull_number}", at, pullRequestReply);
      let commit = now.merged ? now.merge_commit_sha : null;
      if (commit === null) {
        try {
          const made = await client.call(
            "PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge",
            { ...at, sha: task.headCommit, merge_method: settings.method },
            mergeReply,
          );
          commit = made.sha;
        } catch (error) {
          if (!(error instanceof AppError) || error.code !== "github.refused") throw error;
          return {
            outcome: "held",
            reason: because("merge.refused", error.message, {}, `miyabi task explain ${task.id}`),
          };
        }
      }
      // Dependents start from the merged state.
      await params.repositories.sync(repository);
      return { outcome: "merged", commit };
    },
    settle: async (tx, entry, result) => {
      await tellTask(
        params.tasks,
        tx,
        entry.taskId ?? "",
        result.outcome === "merged"
          ? { type: "merged", commit: result.commit }
          : { type: "merge-held", reason: result.reason },
      );
    },
    giveUp: async (tx, entry, error) => {
      const reason = because(error.code, error.message, {}, `miyabi task retry ${entry.taskId ?? ""}`);
      await tellTask(params.tasks, tx, entry.taskId ?? "", { type: "merge-held", reason });
    },
  };
}
